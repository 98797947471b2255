"""What examples in docstrings take for granted, as the docstring of the package says.

A plugin of pytest for the doctests of the package: ``python -m pytest -p tests.examples --doctest-modules gradkit``.
"""

import pytest


def names():
    import numpy as np

    import gradkit
    from gradkit import data, nn, optim

    return {"np": np, "gradkit": gradkit, "gnp": gradkit.numpy, "data": data, "nn": nn, "optim": optim, "F": nn.functional}


@pytest.fixture(autouse=True)
def _names_for_doctests(request):
    if isinstance(request.node, pytest.DoctestItem) and request.path.suffix == ".py":
        request.getfixturevalue("doctest_namespace").update(names())
