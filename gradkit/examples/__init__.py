"""Training scripts that are run as they stand and read as tutorials."""
