"""The version, kept here and nowhere else: the package and its build both read this line."""

__version__ = "0.1.0"
