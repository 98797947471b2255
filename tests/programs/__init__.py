"""Random programs, run by gradkit and by PyTorch: values, derivatives and batches must agree.

A program is a list of steps over named values (`program`). Steps are drawn (`drawing`) from the rows of the registry
(`rows`), from all operations that the two packages have in common, and from sentences of views, writes and control
flow (`phrases`). `witness` compares what comes of a program in both, `shrinking` cuts a failure down to what it needs,
and ``python -m tests.programs --seed S --count N`` runs as many as one likes.
"""
