"""Every function of nn.functional says what it does, with an example that runs."""

import doctest

import pytest

from gradkit.nn import functional

pytestmark = pytest.mark.cpu  # examples print where tensors are


@pytest.mark.parametrize("name", functional.__all__)
def test_docstring_has_an_example_that_runs(name, names_in_examples):
    function = getattr(functional, name)
    assert function.__doc__, f"{name} has no docstring"
    test = doctest.DocTestParser().get_doctest(function.__doc__, dict(names_in_examples), name, None, None)
    assert test.examples, f"{name} has no example"
    said = []
    doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test, out=said.append)
    assert not said, "".join(said)
