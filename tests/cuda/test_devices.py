"""Where tensors live: constructors, moves on the tape, mixed devices, defaults, pickles."""

import copy
import pickle

import numpy as np
import pytest

import gradkit
from gradkit.engine.tensor import Tensor
from tests.test_numpy_namespace import CALLS, leaves, names_in, operands, outcome

CUDA0 = gradkit.device("cuda", 0)


CONSTRUCTORS = {
    "tensor": lambda d: gradkit.tensor([1.0, 2.0], device=d),
    "as_tensor": lambda d: gradkit.as_tensor(np.ones(2), device=d),
    "zeros": lambda d: gradkit.zeros(2, device=d),
    "ones": lambda d: gradkit.ones(2, device=d),
    "empty": lambda d: gradkit.empty(2, device=d),
    "full": lambda d: gradkit.full((2,), 3.0, device=d),
    "arange": lambda d: gradkit.arange(2, device=d),
    "linspace": lambda d: gradkit.linspace(0, 1, 2, device=d),
    "eye": lambda d: gradkit.eye(2, device=d),
    "rand": lambda d: gradkit.rand(2, device=d),
    "randn": lambda d: gradkit.randn(2, device=d),
    "randint": lambda d: gradkit.randint(5, (2,), device=d),
    "randperm": lambda d: gradkit.randperm(2, device=d),
    "normal": lambda d: gradkit.normal(0.0, 1.0, (2,), device=d),
    "zeros_like": lambda d: gradkit.zeros_like(gradkit.ones(2), device=d),
    "rand_like": lambda d: gradkit.rand_like(gradkit.ones(2), device=d),
}


@pytest.mark.parametrize("name", CONSTRUCTORS)
@pytest.mark.parametrize("spelling", ["cuda", "cuda:0", gradkit.device("cuda"), 0])
@pytest.mark.cpu
def test_constructors_take_a_device(name, spelling):
    t = CONSTRUCTORS[name](spelling)
    assert t.device == CUDA0 and t.is_cuda
    assert CONSTRUCTORS[name](None).device.type == "cpu"


@pytest.mark.cpu
def test_like_and_new_follow_their_tensor():
    x = gradkit.ones(2, device="cuda")
    for y in (gradkit.zeros_like(x), x.new_zeros(3), x.new_full((2,), 1), gradkit.randn_like(x), x.clone(), x.detach(), x[0]):
        assert y.device == CUDA0


@pytest.mark.cpu
def test_to_is_itself_where_nothing_changes():
    x = gradkit.ones(2, device="cuda")
    assert x.to("cuda") is x and x.cuda() is x and x.to(x) is x and x.to("cuda:0") is x
    assert x.cpu().device.type == "cpu" and x.cpu().cpu().tolist() == [1.0, 1.0]
    assert x.to("cpu", gradkit.float64).dtype == np.float64
    assert x.to("cuda", copy=True) is not x


@pytest.mark.cpu
def test_moves_are_recorded_both_ways():
    x = gradkit.tensor([1.0, 2.0], requires_grad=True)
    y = x.cuda()
    assert y.grad_fn.name() == "ToCopyBackward0"
    (y * y).cpu().sum().backward()
    assert x.grad.device.type == "cpu" and x.grad.tolist() == [2.0, 4.0]


@pytest.mark.cpu
def test_second_derivatives_go_through_moves():
    x = gradkit.tensor([1.0, 2.0], requires_grad=True)
    (g,) = gradkit.autograd.grad((x.cuda() ** 3).cpu().sum(), x, create_graph=True)
    (h,) = gradkit.autograd.grad(g.cuda().sum(), x)
    assert h.device.type == "cpu" and h.tolist() == [6.0, 12.0]


@pytest.mark.cpu
def test_tangents_and_batches_go_through_moves():
    x = gradkit.tensor([1.0, 2.0])
    y, moved = gradkit.func.jvp(lambda x: x.cuda() ** 2, (x,), (gradkit.ones(2),))
    assert y.device == moved.device == CUDA0 and moved.tolist() == [2.0, 4.0]
    z = gradkit.func.vmap(lambda x: x.cuda() * 2)(x)
    assert z.device == CUDA0 and z.tolist() == [2.0, 4.0]


@pytest.mark.cpu
def test_operands_on_two_devices_raise():
    x, y = gradkit.ones(2, device="cuda"), gradkit.ones(2)
    for operation in (lambda: x + y, lambda: y * x, lambda: x @ y, lambda: gradkit.stack([x, y]), lambda: gradkit.where(x > 0, y, x)):
        with pytest.raises(RuntimeError, match=r"Expected all tensors to be on the same device.*cpu and cuda:0.*\.to\(device\)"):
            operation()


@pytest.mark.cpu
def test_a_numpy_array_beside_a_devices_tensor_raises():
    x = gradkit.ones(3, device="cuda")
    for call in (lambda: x + np.ones(3), lambda: np.ones(3) + x, lambda: x.mul(np.ones(3))):
        with pytest.raises(RuntimeError, match="cpu and cuda:0"):
            call()


@pytest.mark.cpu
def test_a_0d_tensor_of_the_host_stands_beside_others():
    scale = gradkit.tensor(3.0, requires_grad=True)
    x = gradkit.tensor([1.0, 2.0], device="cuda", requires_grad=True)
    y = scale * x
    assert y.device == CUDA0 and y.tolist() == [3.0, 6.0]
    y.sum().backward()
    assert scale.grad.device.type == "cpu" and scale.grad.item() == 3.0
    assert x.grad.device == CUDA0 and x.grad.tolist() == [3.0, 3.0]


@pytest.mark.cpu
def test_an_index_may_be_the_hosts():
    x = gradkit.arange(4.0, device="cuda", requires_grad=True)
    y = x[gradkit.tensor([0, 0, 3])]
    y.sum().backward()
    assert y.device == CUDA0 and x.grad.tolist() == [2.0, 0.0, 0.0, 1.0]


@pytest.mark.cpu
def test_numpy_refuses_a_device_and_says_what_to_write():
    x = gradkit.ones(2, device="cuda")
    for read in (lambda: np.asarray(x), lambda: Tensor.__array__(x)):
        with pytest.raises(TypeError, match=r"can't convert cuda:0 device type tensor to numpy.*Tensor.cpu\(\)"):
            read()
    assert x.numpy(force=True).tolist() == [1.0, 1.0]


@pytest.mark.cpu
def test_gradients_of_another_device_are_refused():
    x = gradkit.ones(2, device="cuda", requires_grad=True)
    with pytest.raises(RuntimeError, match="device"):
        (x * 1).backward(gradkit.ones(2))
    with pytest.raises(RuntimeError, match="located on cpu"):
        x.grad = gradkit.ones(2)
    assert x.grad is None


@pytest.mark.cpu
def test_default_device_and_its_nesting():
    with gradkit.device("cuda"):
        assert gradkit.ones(2).device == CUDA0
        assert gradkit.ones(2, device="cpu").device.type == "cpu"
        with gradkit.device("cpu"):
            assert gradkit.rand(2).device.type == "cpu"
        assert gradkit.tensor([1]).device == CUDA0
    assert gradkit.ones(2).device.type == "cpu"
    gradkit.set_default_device("cuda")
    try:
        assert gradkit.get_default_device() == CUDA0 and gradkit.zeros(1).is_cuda
    finally:
        gradkit.set_default_device(None)


@pytest.mark.cpu
def test_copies_and_pickles_stay_on_the_device():
    x = gradkit.tensor([1.0, 2.0], device="cuda", requires_grad=True)
    for y in (copy.copy(x), copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert y.device == CUDA0 and y.is_leaf and y.requires_grad and y.tolist() == [1.0, 2.0]
    assert copy.deepcopy(x).data_ptr() != x.data_ptr()


@pytest.mark.cpu
def test_printing_names_the_device():
    assert repr(gradkit.ones(2, device="cuda")) == "tensor([1., 1.], device='cuda:0')"


@pytest.mark.cpu
def test_views_share_memory_and_in_place_writes_reach_them():
    x = gradkit.zeros(2, 3, device="cuda")
    row = x[1]
    row += 2
    assert x.tolist() == [[0.0] * 3, [2.0] * 3] and row._base is x
    a = gradkit.ones(3, device="cuda", requires_grad=True)
    b = a * 1
    b[0] = 5.0
    (b * b).sum().backward()
    assert a.grad.tolist() == [0.0, 2.0, 2.0]


@pytest.mark.cpu
def test_a_written_residual_raises():
    a = gradkit.ones(3, device="cuda", requires_grad=True)
    b = a * 1
    y = (b * b).sum()
    b.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


@pytest.mark.cpu
def test_modules_and_optimisers_move():
    net = gradkit.nn.Linear(3, 2)
    net.to("cuda")
    assert {p.device for p in net.parameters()} == {CUDA0}
    optimizer = gradkit.optim.Adam(net.parameters(), 0.1)
    net(gradkit.ones(1, 3, device="cuda")).sum().backward()
    optimizer.step()
    state = optimizer.state_dict()["state"][0]
    assert state["exp_avg"].device == CUDA0
    assert net.cpu().weight.device.type == "cpu"


@pytest.mark.cpu
def test_types_name_the_device_and_lead_there():
    x, y = gradkit.ones(2), gradkit.ones(2, dtype=gradkit.float64, device="cuda")
    assert (x.type(), y.type()) == ("gradkit.FloatTensor", "gradkit.cuda.DoubleTensor")
    assert x.type("gradkit.cuda.DoubleTensor").type() == y.type() and y.type(x.type()).type() == x.type()
    assert x.type_as(y).type() == y.type()
    assert y.type(gradkit.float32).type() == "gradkit.cuda.FloatTensor"


@pytest.mark.parametrize("call", [call for call in CALLS if names_in(call)])
def test_numpys_functions_answer_where_their_operands_are(call):
    """The host's, here, although the default device is another."""
    values = {name: gradkit.from_numpy(np.asarray(a)) for name, a in operands("float64").items()}
    answer, error = outcome(call, gradkit.numpy, values)
    assert error is None or outcome(call, np, operands("float64"))[1] is not None, error
    assert {x.device.type for x in leaves(answer) if isinstance(x, Tensor)} <= {"cpu"}


def test_numpys_functions_make_tensors_on_the_default_device():
    gnp = gradkit.numpy
    made = [gnp.zeros(2), gnp.full(2, 1.0), gnp.arange(3), gnp.linspace(0, 1, 3), gnp.asarray([1.0]), *gnp.tril_indices(3)]
    assert {x.device for x in made} == {CUDA0}
    assert gnp.zeros(2, device="cpu").device.type == gnp.asarray(made[0], device="cpu").device.type == "cpu"


def test_a_saved_value_that_a_hook_leaves_on_the_host_is_named():
    x = gradkit.ones(3, requires_grad=True)
    with gradkit.autograd.graph.saved_tensors_hooks(lambda t: t.cpu(), lambda t: t):
        y = x.exp().sum()
    with pytest.raises(RuntimeError, match=r"gave back a Tensor on cpu for one on cuda:0"):
        y.backward()


def test_an_index_that_does_not_exist_raises():
    with pytest.raises(RuntimeError, match="invalid device ordinal"):
        gradkit.ones(2, device=f"cuda:{gradkit.cuda.device_count()}")


@pytest.mark.parametrize("index", [-1, 5])
@pytest.mark.parametrize("ask", [
    lambda index: gradkit.ones(2, device="cpu").cuda(index),
    lambda index: gradkit.ones(2, device="cuda").cuda(index),
    gradkit.cuda.memory_allocated, gradkit.cuda.max_memory_allocated, gradkit.cuda.reset_peak_memory_stats,
    gradkit.cuda.mem_get_info, gradkit.cuda.get_device_name, gradkit.cuda.get_device_properties, gradkit.cuda.memory_stats,
    gradkit.cuda.get_device_capability, gradkit.cuda.synchronize,
    gradkit.cuda.current_stream, gradkit.cuda.Stream, gradkit.cuda.get_rng_state,
])  # fmt: skip
def test_an_index_that_does_not_exist_is_named(ask, index):
    with pytest.raises(RuntimeError, match=rf"cuda:{index}, and there are \d devices|must not be negative, got {index}"):
        ask(index)


@pytest.mark.parametrize("place", ["cpu", gradkit.device("cpu")])
def test_cuda_goes_to_no_other_kind_of_device(place):
    for x in (gradkit.ones(2, device="cpu"), gradkit.ones(2, device="cuda"), gradkit.nn.Linear(2, 2)):
        with pytest.raises(RuntimeError, match=r"Invalid device, must be cuda device, not cpu; write .to\('cpu'\)"):
            x.cuda(place)


def told(optimizer):
    """All that a step changes, as Python's numbers."""
    found = {key: {name: value.tolist() for name, value in state.items()} for key, state in optimizer.state.items()}
    return found, [p.tolist() for p in found]


def test_a_gradient_left_elsewhere_changes_nothing():
    first, second = gradkit.ones(2, requires_grad=True), gradkit.ones(2, requires_grad=True)
    optimizer = gradkit.optim.Adam([first, second], 0.1)
    (first * second).sum().backward()
    optimizer.step()
    second.data = second.data.cpu()
    state = told(optimizer)
    with pytest.raises(RuntimeError, match=r"'grad' is on cuda:0.*on cpu: .*write optimizer.zero_grad\(\)"):
        optimizer.step()
    assert told(optimizer) == state


@pytest.mark.parametrize("method", ["Adam", "Adadelta", "Rprop", "NAdam", "RMSprop"])
@pytest.mark.parametrize("there, then", [("cpu", "cuda"), ("cuda", "cpu")])
def test_a_parameter_moved_away_from_its_state_is_named(method, there, then):
    net = gradkit.nn.Linear(2, 3, device=there)
    first = gradkit.ones(2, device=then, requires_grad=True)
    optimizer = getattr(gradkit.optim, method)([{"params": [first]}, {"params": net.parameters()}])
    (net(gradkit.ones(1, 2, device=there)).sum() + first.sum().to(there)).backward()
    optimizer.step()
    net.to(then)
    before, state = [p.tolist() for p in net.parameters()], told(optimizer)
    kinds = (there, then) if there == "cpu" else ("cuda:0", then)
    with pytest.raises(RuntimeError, match=rf"is on {kinds[0]}.*, and its parameter of shape \(3, 2\) on {then}"):
        optimizer.step()
    assert [p.tolist() for p in net.parameters()] == before and told(optimizer) == state
    optimizer.load_state_dict(optimizer.state_dict())
    optimizer.step()
    assert [p.tolist() for p in net.parameters()] != before


@pytest.mark.parametrize("key", [[7], [0, -4], (slice(None), [1, 5])])
def test_a_key_of_the_hosts_is_checked(key):
    x = gradkit.ones(3, 4, device="cuda")
    keys = [key]
    if isinstance(key, list):
        keys += [gradkit.tensor(key, device="cpu"), np.array(key)]
    for one in keys:
        with pytest.raises(IndexError, match="is out of bounds for dimension . with size"):
            x[one]
        with pytest.raises(IndexError, match="is out of bounds for dimension . with size"):
            x[one] = 0.0
    assert x.sum().item() == 12 and x[[2, -3]].shape == (2, 4) and x[True].shape == (1, 3, 4)


def test_a_pickle_keeps_what_users_hang_on():
    x = gradkit.ones(2, device="cuda")
    x.label = [1]
    assert pickle.loads(pickle.dumps(x)).label == [1]
