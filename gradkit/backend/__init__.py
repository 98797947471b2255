"""Array modules and what they lack: the only rooms that know NumPy's or CuPy's side of an operation."""
