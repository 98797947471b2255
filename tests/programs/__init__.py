"""Random programs, run by gradkit and by PyTorch: values, derivatives and batches must agree.

A program is a list of steps over named values (`program`). Steps are drawn (`drawing`) from the rows of the registry
(`rows`), from all operations that the two packages have in common, and from sentences of views, writes and control
flow (`phrases`). `witness` asks both the same questions, `judging` compares the answers, `arbiter` decides by numeric
differences who is right, `shrinking` cuts a failure down to what it needs, and ``python -m tests.programs --seed S
--count N`` runs as many as one likes.
"""
