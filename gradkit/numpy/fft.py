"""`numpy.fft` on tensors."""
