"""A second device: operations run where their operands are, whatever the current device is."""

import pytest

import gradkit
from gradkit import cuda

ZERO, ONE = gradkit.device("cuda", 0), gradkit.device("cuda", 1)


@pytest.fixture(autouse=True)
def two(on_a_gpu):
    if cuda.device_count() < 2:
        pytest.skip("needs two devices")
    yield
    assert cuda.current_device() == 0, "the test, or what it tests, leaves another device current"


def test_operations_and_gradients_stay_on_their_device():
    x = gradkit.tensor([1.0, 2.0], device="cuda:1", requires_grad=True)
    y = (x.exp() * x).sum()
    assert y.device == ONE and cuda.current_device() == 0
    y.backward()
    assert x.grad.device == ONE
    y = (x**3).sum()
    (g,) = gradkit.autograd.grad(y, x, create_graph=True)
    (h,) = gradkit.autograd.grad(g.sum(), x)
    assert h.device == ONE and h.tolist() == [6.0, 12.0]


def test_tangents_and_batches_stay_on_their_device():
    x = gradkit.tensor([1.0, 2.0], device="cuda:1")
    y, t = gradkit.func.jvp(lambda x: x**2 * 3, (x,), (gradkit.ones_like(x),))
    assert y.device == t.device == ONE and t.tolist() == [6.0, 12.0]
    assert gradkit.func.jacrev(gradkit.sin)(x).device == ONE
    assert gradkit.func.hessian(lambda x: (x**3).sum())(x).tolist() == [[6.0, 0.0], [0.0, 12.0]]


def test_moving_between_devices_is_recorded():
    x = gradkit.tensor([1.0, 2.0], device="cuda:0", requires_grad=True)
    y = x.to("cuda:1") * 2
    assert y.device == ONE and x.to("cuda") is x
    y.sum().backward()
    assert x.grad.device == ZERO and x.grad.tolist() == [2.0, 2.0]


def test_two_devices_do_not_mix():
    with pytest.raises(RuntimeError, match="at least two devices, cuda:0 and cuda:1"):
        gradkit.ones(2, device="cuda:0") + gradkit.ones(2, device="cuda:1")


def test_the_current_device_is_what_cuda_means():
    with cuda.device(1):
        assert gradkit.ones(1, device="cuda").device == ONE and cuda.current_device() == 1
    assert gradkit.ones(1, device="cuda").device == ZERO
    cuda.set_device(1)
    try:
        assert gradkit.rand(1, device="cuda").device == ONE
    finally:
        cuda.set_device(0)


def test_in_place_writes_and_accumulation_on_the_other_device():
    x = gradkit.ones(3, device="cuda:1", requires_grad=True)
    for _ in range(2):
        y = x * 1
        y[0] = 5.0
        (y * y).sum().backward()
    assert x.grad.device == ONE and x.grad.tolist() == [0.0, 4.0, 4.0]


def test_training_on_the_other_device():
    net = gradkit.nn.Linear(4, 2, device="cuda:1")
    descent = gradkit.optim.Adam(net.parameters(), 0.1)
    inputs, labels = gradkit.ones(3, 4, device="cuda:1"), gradkit.zeros(3, dtype=gradkit.int64, device="cuda:1")
    for _ in range(2):
        loss = gradkit.nn.functional.cross_entropy(net(inputs), labels)
        descent.zero_grad()
        loss.backward()
        descent.step()
    assert loss.device == ONE and {p.grad.device for p in net.parameters()} == {ONE}


def test_each_device_has_its_stream_of_random_numbers():
    gradkit.manual_seed(1)
    a, b = gradkit.rand(3, device="cuda:0"), gradkit.rand(3, device="cuda:1")
    assert a.tolist() == b.tolist()
    with pytest.raises(RuntimeError, match="cuda:0.*cuda:1|cuda:1.*cuda:0"):
        gradkit.rand(2, generator=gradkit.Generator("cuda:0"), device="cuda:1")
