"""The CUDA kernels from Python's side: where their sources are, how they are compiled, laid out and launched.

Nothing here imports CuPy: its backend hands the module over.
"""
