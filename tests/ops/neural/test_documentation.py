"""Every function of nn.functional says what it does, with an example that runs."""

import doctest

import pytest

from gradkit.nn import functional
from tests import examples

pytestmark = pytest.mark.cpu  # examples print where tensors are


@pytest.mark.parametrize("name", functional.__all__)
def test_docstring_has_an_example_that_runs(name):
    function = getattr(functional, name)
    assert function.__doc__, f"{name} has no docstring"
    test = doctest.DocTestParser().get_doctest(function.__doc__, examples.names(), name, None, None)
    assert test.examples, f"{name} has no example"
    said = []
    doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test, out=said.append)
    assert not said, "".join(said)
