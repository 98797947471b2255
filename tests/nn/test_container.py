"""Sequential, ModuleList, ModuleDict: as lists and dicts of modules, and as torch prints them."""

from collections import OrderedDict

import pytest

from gradkit import nn


def kinds(modules):
    return [type(m).__name__ for m in modules]


def numbered(cls):
    return cls(nn.ReLU(), nn.Tanh(), nn.GELU()) if cls is nn.Sequential else cls([nn.ReLU(), nn.Tanh(), nn.GELU()])


@pytest.mark.parametrize("cls", [nn.Sequential, nn.ModuleList])
class TestNumbered:
    def test_it_is_a_sequence(self, cls):
        modules = numbered(cls)
        assert len(modules) == 3 and kinds(modules) == ["ReLU", "Tanh", "GELU"]
        assert modules[-1] is modules[2] and modules[0] in modules
        assert isinstance(modules[1:], cls) and kinds(modules[1:]) == ["Tanh", "GELU"]
        assert modules[1:][0] is modules[1]

    def test_items_can_be_set_and_deleted(self, cls):
        modules = numbered(cls)
        modules[1] = nn.Sigmoid()
        del modules[0]
        assert kinds(modules) == ["Sigmoid", "GELU"] and list(modules._modules) == ["0", "1"]
        del modules[:1]
        assert kinds(modules) == ["GELU"] and list(modules._modules) == ["0"]

    def test_it_grows_and_shrinks(self, cls):
        modules = numbered(cls).append(nn.ELU()).extend([nn.SiLU()]).insert(1, nn.Sigmoid())
        assert kinds(modules) == ["ReLU", "Sigmoid", "Tanh", "GELU", "ELU", "SiLU"]
        assert kinds([modules.pop(1), modules.pop(-1)]) == ["Sigmoid", "SiLU"]
        assert list(modules._modules) == ["0", "1", "2", "3"]

    def test_addition_makes_a_new_one(self, cls):
        modules = numbered(cls)
        both = modules + numbered(cls)
        assert isinstance(both, cls) and len(both) == 6 and len(modules) == 3
        modules += [nn.ELU()]
        assert kinds(modules)[-1] == "ELU"

    def test_misuse_raises(self, cls):
        modules = numbered(cls)
        for act in (lambda: modules[3], lambda: modules.pop(-4)):
            with pytest.raises(IndexError, match="out of range"):
                act()
        for act in (lambda: modules.append(3), lambda: modules.insert(0, 3), lambda: cls([3])):
            with pytest.raises(TypeError, match="not a Module"):
                act()

    def test_numbers_are_no_attributes_to_complete(self, cls):
        assert "0" not in dir(numbered(cls))


def test_part_of_a_sequential_keeps_its_names_and_can_grow(torch):
    part, theirs = (n.Sequential(n.ReLU(), n.Tanh(), n.GELU())[1:] for n in (nn, torch.nn))
    assert list(part._modules) == list(theirs._modules) == ["1", "2"]
    assert kinds(part.append(nn.ELU())) == ["Tanh", "GELU", "ELU"]


def test_sequential_of_a_dict_has_names():
    net = nn.Sequential(OrderedDict(first=nn.Identity(), second=nn.Identity()))
    assert net.first is net[0] and net(3) == 3
    del net[0]
    assert kinds(net) == ["Identity"]


def test_sequential_calls_one_after_the_other():
    class Plus(nn.Module):
        def forward(self, x):
            return x + 1

    class Double(nn.Module):
        def forward(self, x):
            return x * 2

    assert nn.Sequential(Plus(), Double(), Plus())(1) == 5
    assert nn.Sequential()(1) == 1


def test_list_cannot_be_called():
    with pytest.raises(NotImplementedError, match="ModuleList"):
        nn.ModuleList([nn.ReLU()])(1)


def test_dict_is_a_dict():
    modules = nn.ModuleDict({"a": nn.ReLU(), "b": nn.Tanh()})
    assert list(modules) == list(modules.keys()) == ["a", "b"] and "a" in modules and "c" not in modules
    assert kinds(modules.values()) == ["ReLU", "Tanh"] and modules.a is modules["a"]
    modules["c"] = nn.GELU()
    modules.update([("a", nn.ELU()), ("d", nn.SiLU())])
    assert [(k, type(m).__name__) for k, m in modules.items()] == [
        ("a", "ELU"), ("b", "Tanh"), ("c", "GELU"), ("d", "SiLU"),
    ]  # fmt: skip
    del modules["b"]
    assert type(modules.pop("c")).__name__ == "GELU" and len(modules) == 2
    modules.clear()
    assert not len(modules)


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (lambda: nn.ModuleDict({"a.b": nn.ReLU()}), KeyError),
        (lambda: nn.ModuleDict({"forward": nn.ReLU()}), KeyError),
        (lambda: nn.ModuleDict({"a": 3}), TypeError),
        (lambda: nn.ModuleDict()["a"], KeyError),
        (lambda: nn.ModuleDict().pop("a"), KeyError),
    ],
)
def test_dict_misuse_raises(act, error):
    with pytest.raises(error):
        act()


def nested(nn):
    class Body(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList([nn.Linear(1, 1), nn.Linear(1, 1), nn.Tanh(), nn.Sequential(nn.Linear(1, 2))])
            self.heads = nn.ModuleDict({"a": nn.ReLU(), "b": nn.Linear(2, 1)})
            self.empty = nn.ModuleList()
            self.nothing = None

        def extra_repr(self):
            return "one\ntwo"

    return nn.Sequential(Body(), nn.Sequential(), nn.ModuleList([Body(), Body()]), nn.Module())


def test_nested_modules_print_as_in_torch(torch):
    assert repr(nested(nn)) == repr(nested(torch.nn))
