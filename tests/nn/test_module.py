"""Module: what assignment registers, what the walks list, modes, hooks, calling."""

import copy
import pickle

import pytest

import gradkit
from gradkit import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
        self.scale = nn.Parameter(gradkit.ones(3))
        self.register_buffer("seen", gradkit.zeros(1))
        self.register_buffer("scratch", gradkit.zeros(1), persistent=False)

    def forward(self, input, factor=1.0):
        return self.body(input) * self.scale * factor


def names(pairs):
    return [name for name, _ in pairs]


# -- registration
def test_assignment_registers():
    net = Net()
    assert names(net.named_parameters()) == ["scale", "body.0.weight", "body.0.bias"]
    assert names(net.named_buffers()) == ["seen", "scratch"]
    assert names(net.named_modules()) == ["", "body", "body.0", "body.1"]
    assert names(net.named_children()) == ["body"]
    assert list(net.children()) == [net.body]
    assert [type(m).__name__ for m in net.modules()] == ["Net", "Sequential", "Linear", "ReLU"]


def test_plain_values_are_not_registered():
    net = nn.Module()
    net.width, net.tensor = 3, gradkit.ones(1)
    assert not list(net.parameters()) and not list(net.buffers())
    assert net.width == 3


def test_without_recursion_only_what_is_its_own():
    net = Net()
    assert names(net.named_parameters(recurse=False)) == ["scale"]
    assert names(net.named_parameters(prefix="net")) == ["net.scale", "net.body.0.weight", "net.body.0.bias"]


def test_shared_parameter_is_listed_once():
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    net[1].weight = net[0].weight
    assert names(net.named_parameters()) == ["0.weight", "0.bias", "1.bias"]
    assert names(net.named_parameters(remove_duplicate=False)) == ["0.weight", "0.bias", "1.weight", "1.bias"]


def test_shared_module_is_listed_once():
    relu = nn.ReLU()
    net = nn.Sequential(relu, relu)
    assert names(net.named_modules()) == ["", "0"]
    assert names(net.named_modules(remove_duplicate=False)) == ["", "0", "1"]
    assert names(net.named_children()) == ["0"]


def test_parameter_takes_the_place_of_an_attribute():
    net = nn.Module()
    net.w = 3
    net.w = nn.Parameter(gradkit.ones(1))
    assert names(net.named_parameters()) == ["w"] and "w" not in vars(net)
    net.w = nn.Identity()
    assert not list(net.parameters()) and names(net.named_children()) == ["w"]


def test_none_keeps_the_name_and_tensor_replaces_a_buffer():
    net = Net()
    net.scale, net.seen = None, gradkit.ones(2)
    assert names(net.named_parameters()) == ["body.0.weight", "body.0.bias"] and net.scale is None
    assert net.get_buffer("seen").tolist() == [1, 1]


def test_deleting_unregisters():
    net = Net()
    del net.scale, net.seen, net.body
    assert not list(net.parameters()) and names(net.named_buffers()) == ["scratch"]
    with pytest.raises(AttributeError, match="'Net' object has no attribute 'body'"):
        _ = net.body
    with pytest.raises(AttributeError):
        del net.nothing


@pytest.mark.parametrize(
    ("act", "error", "text"),
    [
        (lambda net: setattr(net, "scale", gradkit.ones(3)), TypeError, "as parameter 'scale'.*nn.Parameter"),
        (lambda net: setattr(net, "seen", 3), TypeError, "as buffer 'seen'"),
        (lambda net: setattr(net, "body", 3), TypeError, "as child module 'body'"),
        (lambda net: net.register_buffer("a.b", None), KeyError, "contain"),
        (lambda net: net.register_buffer("", None), KeyError, "empty"),
        (lambda net: net.register_buffer("scale", None), KeyError, "'scale' already exists"),
        (lambda net: net.register_buffer("b", 3), TypeError, "'int' object to buffer 'b'"),
        (lambda net: net.register_buffer(3, None), TypeError, "should be a string"),
        (lambda net: net.register_parameter("p", gradkit.ones(1)), TypeError, "to parameter 'p'"),
        (lambda net: net.register_parameter("forward", None), KeyError, "already exists"),
        (lambda net: net.add_module("m", 3), TypeError, "int is not a Module"),
        (lambda net: net.add_module("m.n", nn.Identity()), KeyError, "contain"),
        (lambda net: net.add_module("scale", nn.Identity()), KeyError, "already exists"),
        (lambda net: net.get_submodule("body.7"), AttributeError, "has no attribute `7`"),
        (lambda net: net.get_submodule("scale"), AttributeError, "not an nn.Module"),
        (lambda net: net.get_parameter("seen"), AttributeError, "not a parameter"),
        (lambda net: net.get_buffer("scale"), AttributeError, "not a buffer"),
        (lambda net: net.missing, AttributeError, "'Net' object has no attribute 'missing'"),
        (lambda net: net.train(1), ValueError, "boolean"),
        (lambda net: nn.Module()(net), NotImplementedError, 'missing the required "forward"'),
        (lambda net: net.to(gradkit.int32), TypeError, "floating point or complex"),
        (lambda net: net.to(colour="red"), TypeError, "unexpected keyword argument 'colour'"),
    ],
)
def test_misuse_raises(act, error, text):
    with pytest.raises(error, match=text):
        act(Net())


@pytest.mark.parametrize("value", [lambda: nn.Parameter(gradkit.ones(1)), nn.Identity])
def test_assigning_before_init_raises(value):
    class Hasty(nn.Module):
        def __init__(self):
            self.value = value()

    with pytest.raises(AttributeError, match=r"before Module\.__init__"):
        Hasty()


def test_buffer_before_init_raises():
    class Hasty(nn.Module):
        def __init__(self):
            self.register_buffer("b", None)

    with pytest.raises(AttributeError, match=r"before Module\.__init__"):
        Hasty()


def test_dir_offers_what_is_registered():
    assert {"scale", "seen", "body", "forward"} <= set(dir(Net()))


def test_get_by_path():
    net = Net()
    assert net.get_submodule("body.0") is net.body[0] and net.get_submodule("") is net
    assert net.get_parameter("body.0.bias") is net.body[0].bias
    assert net.get_buffer("seen") is net.seen


# -- modes
def test_train_and_eval_reach_all_below():
    net = Net()
    assert net.eval() is net
    assert not any(m.training for m in net.modules())
    assert all(m.training for m in net.train().modules())


def test_requires_grad_and_zero_grad():
    net = Net()
    net(gradkit.ones(4, 2)).sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    net.zero_grad(set_to_none=False)
    assert all(not p.grad.any() for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())
    assert not any(p.requires_grad for p in net.requires_grad_(False).parameters())


def test_apply_visits_children_first():
    seen = []
    net = Net()
    assert net.apply(lambda module: seen.append(type(module).__name__)) is net
    assert seen == ["Linear", "ReLU", "Sequential", "Net"]


# -- hooks
def test_hooks_run_in_order_and_change_what_passes():
    layer = nn.Identity()
    layer.register_forward_pre_hook(lambda _, args: args[0] + 1)
    layer.register_forward_pre_hook(lambda _, args: (args[0] * 10,))
    layer.register_forward_hook(lambda _, args, output: output + args[0])
    layer.register_forward_hook(lambda *_: None)
    assert layer(1) == 40
    layer.register_forward_pre_hook(lambda _, args: (args[0] + 100,), prepend=True)
    assert layer(1) == 2040


def test_many_dropped_handles_keep_all_hooks():
    layer, seen = nn.Identity(), []
    for number in range(20):
        layer.register_forward_hook(lambda *_, number=number: seen.append(number))
    layer(0)
    assert seen == list(range(20))


def test_hooks_with_keyword_arguments():
    class Scale(nn.Module):
        def forward(self, x, factor=1):
            return x * factor

    layer, seen = Scale(), []
    layer.register_forward_pre_hook(lambda _module, args, _kwargs: (args, {"factor": 5}), with_kwargs=True)
    layer.register_forward_hook(lambda _, args, kwargs, output: seen.append((args, kwargs, output)), with_kwargs=True)
    assert layer(2, factor=3) == 10
    assert seen == [((2,), {"factor": 5}, 10)]
    layer.register_forward_pre_hook(lambda *_: 3, with_kwargs=True)
    with pytest.raises(RuntimeError, match="new_args, new_kwargs"):
        layer(2)


def test_removed_hook_does_not_run():
    layer = nn.Identity()
    handle = layer.register_forward_hook(lambda *call: call[-1] + 1)
    assert layer(1) == 2
    handle.remove()
    handle.remove()
    assert layer(1) == 1
    with layer.register_forward_pre_hook(lambda _, args: (args[0] + 5,)):
        assert layer(1) == 6
    assert layer(1) == 1


def test_hook_may_remove_itself_while_running():
    layer = nn.Identity()
    handle = layer.register_forward_hook(lambda *_: handle.remove())
    assert [layer(1), layer(1)] == [1, 1]


def test_always_called_hook_runs_after_a_failure():
    class Broken(nn.Module):
        def forward(self, _):
            raise ZeroDivisionError

    layer, seen = Broken(), []
    layer.register_forward_hook(lambda *_: seen.append("usual"))
    layer.register_forward_hook(lambda *call: seen.append(call[-1]), always_call=True)
    with pytest.raises(ZeroDivisionError):
        layer(1)
    assert seen == [None]


def test_failure_of_an_always_called_hook_is_a_warning():
    class Broken(nn.Module):
        def forward(self, _):
            raise ZeroDivisionError

    layer = Broken()
    layer.register_forward_hook(lambda *call: call[-1].missing, always_call=True)
    with pytest.warns(UserWarning, match="always_call"), pytest.raises(ZeroDivisionError):
        layer(1)


# -- copies and conversion
@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_copies_are_equal_and_independent(duplicate):
    net = Net().eval()
    twin = duplicate(net)
    assert isinstance(twin.scale, nn.Parameter) and not twin.training
    x = gradkit.ones(4, 2)
    assert (twin(x) == net(x)).all()
    with gradkit.no_grad():
        twin.scale.zero_()
    assert net.scale.tolist() == [1, 1, 1]
    twin(x).sum().backward()
    assert net.scale.grad is None


def test_copies_keep_parameters_shared_and_frozen():
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2).requires_grad_(False))
    net[0].bias = net[1].bias
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert twin[0].bias is twin[1].bias
        assert [p.requires_grad for p in twin.parameters()] == [True, False, False]


@pytest.mark.parametrize(
    ("convert", "dtype"),
    [
        (lambda net: net.double(), "float64"),
        (lambda net: net.half(), "float16"),
        (lambda net: net.double().float(), "float32"),
        (lambda net: net.to(gradkit.float64), "float64"),
        (lambda net: net.to("cpu", gradkit.float64), "float64"),
        (lambda net: net.to(dtype=gradkit.float64, device="cpu", non_blocking=True), "float64"),
        (lambda net: net.to(gradkit.zeros(1, dtype=gradkit.float64)), "float64"),
        (lambda net: net.to("cpu"), "float32"),
        (lambda net: net.cpu(), "float32"),
    ],
)
@pytest.mark.cpu
def test_conversion_keeps_parameters_and_casts_floats(convert, dtype):
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    params = list(net.parameters())
    net(gradkit.randn(3, 2)).sum().backward()
    assert convert(net) is net
    assert all(a is b for a, b in zip(params, net.parameters(), strict=True))
    assert {p.dtype.name for p in params} | {p.grad.dtype.name for p in params} == {dtype}
    assert net[1].running_mean.dtype.name == dtype
    assert net[1].num_batches_tracked.dtype.name == "int64"
    assert all(p.is_leaf and p.requires_grad for p in params)
    if dtype != "float16":
        net(gradkit.randn(3, 2).to(net[0].weight.dtype)).sum().backward()


def test_type_casts_integers_too():
    assert nn.BatchNorm1d(2).type(gradkit.float64).num_batches_tracked.dtype == gradkit.float64


# -- Parameter
def test_parameter_is_a_tensor_that_shares_memory():
    data = gradkit.ones(2)
    param = nn.Parameter(data)
    assert isinstance(param, gradkit.Tensor) and param.requires_grad and param.is_leaf
    with gradkit.no_grad():
        param.mul_(3)
    assert data.tolist() == [3, 3]
    assert not nn.Parameter(data, requires_grad=False).requires_grad
    assert nn.Parameter().shape == (0,)


def test_results_of_parameters_are_plain_tensors():
    assert type(nn.Parameter(gradkit.ones(2)) * 2) is gradkit.Tensor


def test_parameter_of_a_result_is_a_leaf():
    x = gradkit.ones(2, requires_grad=True)
    param = nn.Parameter((x * 2).detach())
    (param * 3).sum().backward()
    assert param.grad.tolist() == [3, 3] and x.grad is None


def test_zero_dimensional_parameter_can_be_written():
    param = nn.Parameter(gradkit.tensor(2.0) * 1)
    with gradkit.no_grad():
        param.mul_(3)
    assert param.item() == 6


@pytest.mark.parametrize(("data", "error"), [([1.0], TypeError), (gradkit.tensor([1, 2]), RuntimeError)])
def test_parameter_of_something_else_raises(data, error):
    with pytest.raises(error):
        nn.Parameter(data)
