"""An operand that was left on the host: refused by name, and nothing is written; keys alone come along by themselves."""

import numpy as np
import pytest

import gradkit

F = gradkit.nn.functional
NUMBERS = {"i": [0, 2, 1], "i2": [[0, 1, 2, 0]] * 3, "m": [[True, False, True, False]] * 3}

#: What raises wherever `x` and the others (`y` like x, `i`, `i2` numbers, `m` a mask) are on different devices.
REFUSED = {
    "gather": lambda x, y, i, i2, m: gradkit.gather(x, 0, i2),
    "take_along_dim": lambda x, y, i, i2, m: gradkit.take_along_dim(x, i2, 0),
    "scatter": lambda x, y, i, i2, m: x.scatter(0, i2, 1.0),
    "scatter_": lambda x, y, i, i2, m: x.scatter_(0, i2, 1.0),
    "scatter_add": lambda x, y, i, i2, m: x.scatter_add(0, i2, y),
    "scatter_add_": lambda x, y, i, i2, m: x.scatter_add_(0, i2, y),
    "scatter_reduce": lambda x, y, i, i2, m: x.scatter_reduce(0, i2, y, "amax"),
    "index_select": lambda x, y, i, i2, m: x.index_select(0, i),
    "index_add": lambda x, y, i, i2, m: x.index_add(0, i, x),
    "index_add_": lambda x, y, i, i2, m: x.index_add_(0, i, y),
    "index_copy_": lambda x, y, i, i2, m: x.index_copy_(0, i, y),
    "index_fill_": lambda x, y, i, i2, m: x.index_fill_(0, i, 0.0),
    "__setitem__": lambda x, y, i, i2, m: x.__setitem__([0, 2, 1], y),
    "take": lambda x, y, i, i2, m: gradkit.take(x, i),
    "put_": lambda x, y, i, i2, m: x.put_(i, y[0, :3]),
    "masked_fill": lambda x, y, i, i2, m: x.masked_fill(m, 0.0),
    "masked_select": lambda x, y, i, i2, m: x.masked_select(m),
    "masked_scatter": lambda x, y, i, i2, m: x.masked_scatter(m, y),
    "where": lambda x, y, i, i2, m: gradkit.where(m, x, 0.0),
    "where_safe": lambda x, y, i, i2, m: gradkit.where_safe(m, gradkit.exp, x),
    "cross_entropy": lambda x, y, i, i2, m: F.cross_entropy(x, i),
    "nll_loss": lambda x, y, i, i2, m: F.nll_loss(x, i),
    "multi_margin_loss": lambda x, y, i, i2, m: F.multi_margin_loss(x, i),
    "hinge_embedding_loss": lambda x, y, i, i2, m: F.hinge_embedding_loss(x, y),
    "embedding": lambda x, y, i, i2, m: F.embedding(i, x),
    "embedding_bag": lambda x, y, i, i2, m: F.embedding_bag(i2, x),
    "scaled_dot_product_attention": lambda x, y, i, i2, m: F.scaled_dot_product_attention(x, x, x, m[:, :3]),
    "batch_norm": lambda x, y, i, i2, m: F.batch_norm(x, x[0].clone(), y[0], training=True),
    "instance_norm": lambda x, y, i, i2, m: F.instance_norm(x[None], x[:, 0].clone(), y[:, 0]),
    "repeat_interleave": lambda x, y, i, i2, m: gradkit.repeat_interleave(x, i, dim=0),
    "bincount": lambda x, y, i, i2, m: gradkit.bincount(x[0].long(), y[0]),
    "searchsorted": lambda x, y, i, i2, m: gradkit.searchsorted(x[0], y),
    "isin": lambda x, y, i, i2, m: gradkit.isin(x, y),
    "gcd": lambda x, y, i, i2, m: gradkit.gcd(x.long(), i2),
    "quantile": lambda x, y, i, i2, m: gradkit.quantile(x, y[0] / 4),
    "histogram": lambda x, y, i, i2, m: gradkit.histogram(x[0], y[0]),
    "normal": lambda x, y, i, i2, m: gradkit.normal(x, y),
    "meshgrid": lambda x, y, i, i2, m: gradkit.meshgrid(x[0], y[0], indexing="ij"),
    "stack": lambda x, y, i, i2, m: gradkit.stack([x, y]),
    "cat": lambda x, y, i, i2, m: gradkit.cat([x, y]),
    "clamp": lambda x, y, i, i2, m: x.clamp(min=y),
    "mse_loss": lambda x, y, i, i2, m: F.mse_loss(x, y),
    "conv1d": lambda x, y, i, i2, m: F.conv1d(x[None], y[None]),
}


def operands(place):
    """x like y, and what stands beside it."""
    made = {name: gradkit.tensor(given, device=place) for name, given in NUMBERS.items()}
    return {"y": gradkit.arange(12.0, device=place).view(3, 4), **made}


@pytest.mark.parametrize("here, there", [("cuda", "cpu"), ("cpu", "cuda")])
@pytest.mark.parametrize("name", REFUSED)
def test_an_operand_of_another_device_is_refused_by_the_name_that_was_called(name, here, there):
    x = gradkit.arange(12.0, device=here).view(3, 4)
    with pytest.raises(RuntimeError, match=rf"on the same device, but {name} found .*cpu and cuda:0!.*\.to\(device\)"):
        REFUSED[name](x, **operands(there))
    assert x.view(-1).tolist() == list(range(12))


@pytest.mark.parametrize("name", REFUSED)
def test_the_same_calls_work_on_one_device(name):
    REFUSED[name](gradkit.arange(12.0, device="cuda").view(3, 4), **operands("cuda"))


def test_running_statistics_stay_as_they_were_where_one_is_elsewhere():
    x, mean = gradkit.rand(3, 4, device="cuda"), gradkit.zeros(4, device="cuda")
    with pytest.raises(RuntimeError, match="batch_norm found"):
        F.batch_norm(x, mean, gradkit.ones(4, device="cpu"), training=True)
    assert mean.tolist() == [0.0] * 4


#: Keys of the host's, which PyTorch takes too.
KEYS = {
    "numbers": lambda i, i2, m: i, "behind a slice": lambda i, i2, m: (slice(None), i),
    "true": lambda i, i2, m: True, "mask": lambda i, i2, m: m,
    "mask of rows": lambda i, i2, m: m[:, 0], "several": lambda i, i2, m: (i, i2[0, :3]), "list": lambda i, i2, m: [0, 2],
    "array": lambda i, i2, m: i.numpy(), "array mask": lambda i, i2, m: m.numpy(), "nonzero": lambda i, i2, m: m.nonzero(as_tuple=True),
}  # fmt: skip


@pytest.mark.parametrize("name", KEYS)
def test_a_key_of_the_hosts_reads_and_writes_a_devices_tensor(name):
    made = operands("cpu")
    key, y = KEYS[name](made["i"], made["i2"], made["m"]), made["y"]
    x = y.cuda().requires_grad_()
    read = x[key]
    read.sum().backward()
    assert read.is_cuda and gradkit.equal(read.cpu(), y[key])
    written, there = y.clone(), y.cuda()
    written[key] = -1.0
    there[key] = -1.0
    assert gradkit.equal(there.cpu(), written) and gradkit.equal(x.grad.cpu() > 0, written < 0)
    tangents = gradkit.func.jvp(lambda t: t[key], (x.detach(),), (x.detach(),))[1]
    assert gradkit.equal(tangents, read) and gradkit.func.vmap(lambda t: t[key] if "mask" not in name else t)(x[None]).is_cuda


@pytest.mark.parametrize("name", sorted(set(KEYS) - {"true", "list", "array", "array mask"}))
def test_a_key_on_a_device_does_not_read_the_hosts_tensor(name):
    made = operands("cuda")
    y = gradkit.arange(12.0, device="cpu").view(3, 4)
    for use in (lambda key: y[key], lambda key: y.__setitem__(key, 1.0)):
        with pytest.raises(RuntimeError, match=r"on cpu or on the same device as the indexed tensor \(cpu\), not on cuda:0"):
            use(KEYS[name](made["i"], made["i2"], made["m"]))
    assert y.sum().item() == 66


def test_index_put_takes_the_hosts_numbers_and_no_values_of_the_hosts():
    made, x = operands("cpu"), gradkit.zeros(3, 4, device="cuda")
    x.index_put_((made["i"],), gradkit.ones(3, 4, device="cuda"))
    assert x.sum().item() == 12 and x.index_put((made["m"],), x[0, :1] * 0).sum().item() == 6
    with pytest.raises(RuntimeError, match="index_put found"):
        x.index_put((made["i"],), made["y"])


def test_arrays_of_numpy_are_written_where_the_tensor_is():
    x = gradkit.zeros(3, 4, device="cuda")
    x[gradkit.tensor([0, 1])] = np.ones(4, np.float32)
    x[2] = [1.0, 2.0, 3.0, 4.0]
    assert x.tolist() == [[1.0] * 4] * 2 + [[1.0, 2.0, 3.0, 4.0]]


def test_a_scalar_mask_and_values_of_the_hosts_stand_beside_others():
    x = gradkit.ones(3, device="cuda")
    assert gradkit.where(gradkit.tensor(True, device="cpu"), x, 0.0).tolist() == [1.0] * 3
    value = gradkit.tensor(4.0, device="cpu", requires_grad=True)
    y = x.masked_fill(x > 0, value)
    y.sum().backward()
    assert y.tolist() == [4.0] * 3 and value.grad.item() == 3.0 and not value.grad.is_cuda
