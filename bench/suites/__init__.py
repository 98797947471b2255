"""The workloads, declared once for all the libraries: a module a suite, its workloads in ITEMS."""
