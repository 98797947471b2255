"""Every elementwise operation says what it does, with an example that runs."""

import doctest
import types

import pytest

from gradkit.ops import activation, arithmetic, comparison, complex, functions
from tests import examples

pytestmark = pytest.mark.cpu  # examples print where tensors are

TOPICS = (activation, arithmetic, comparison, complex, functions)
PUBLIC = {
    name: value
    for topic in TOPICS
    for name, value in vars(topic).items()
    if isinstance(value, types.FunctionType)
    and (name in topic.__all__ or (not name.startswith("_") and value.__module__ == topic.__name__ and value.__doc__))
}


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_docstring_has_an_example_that_runs(name):
    function = PUBLIC[name]
    assert function.__doc__, f"{name} has no docstring"
    test = doctest.DocTestParser().get_doctest(function.__doc__, examples.names(), name, None, None)
    assert test.examples, f"{name} has no example"
    said = []
    doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test, out=said.append)
    assert not said, "".join(said)
