"""`numpy.linalg` on tensors."""
