"""The benchmark runner, `python -m bench`: see README.md beside this file. It is no part of the installed package."""
