"""bfloat16 stays bfloat16, forward and backward, and is as exact as in PyTorch.

NumPy and CuPy know it by ml_dtypes only: beside a Python float it becomes float32 to them, sums are made in it, and what
they have no loop for they refuse.
"""

import numpy as np
import pytest

import gradkit

pytest.importorskip("ml_dtypes", reason="ml_dtypes is not installed: no bfloat16")

EXPRESSIONS = """
x + y; x * 2.5; x / y; x ** 2; x ** 2.5; x ** -0.5; x % 0.75; x.sum(); x.mean(0); x.var(-1); x.std(0)
x.prod(0); x.cumsum(1); x.cumprod(0); x.logcumsumexp(1); x.logsumexp(1); x.nansum(); x.norm(); x.amax(0); x.cummax(1)[0]
x.sort()[0]; x.clamp(0.5, 1.5); x.clamp(min=0.7); x.clamp(max=1.2); m.where(x > 1, x, y); m.where(x > 1, 0.5, x); x.rsqrt()
x.masked_fill(x > 1, 0.25); m.xlogy(x, y); m.erf(x); m.exp2(x); m.log2(x); m.lgamma(x); m.digamma(x); m.logaddexp(x, y)
x.tril(); x.triu(1); x[0]; x[:, [0, 0]]; x.index_select(0, i); x.take(i); x.gather(1, k); x.scatter_add(1, k, y[:, :2])
x.scatter_reduce(1, k * 0, y[:, :2], "amax"); x.scatter_reduce(1, k * 0, y[:, :2], "mean")
x.scatter_reduce(1, k * 0, y[:, :2], "prod")
x.index_add(0, i, y[:2]); x.index_put((i,), y[:2], accumulate=True); x[:2].repeat_interleave(i + 1, 0); m.outer(x[0], y[0])
x @ y.T; x.expand(2, 3, 4) @ y.expand(2, 3, 4).mT; m.einsum("...i,...i->...", x, y); m.kron(x, y)
F.relu(x); F.leaky_relu(x - 1); F.elu(x - 1); F.selu(x - 1); F.gelu(x); F.gelu(x, approximate="tanh"); F.silu(x); F.mish(x)
F.softplus(x); F.hardswish(x); F.hardsigmoid(x); F.logsigmoid(x); F.softmax(x, -1); F.log_softmax(x, 0)
F.layer_norm(x, (4,)); F.rms_norm(x, (4,)); F.group_norm(x, 2); F.batch_norm(x, None, None, training=True)
F.cross_entropy(x, i.new_zeros(3)); F.mse_loss(x, y); F.smooth_l1_loss(x, y); F.linear(x, y); F.embedding(i, x)
F.max_pool1d(x, 2); F.avg_pool1d(x, 2); m.sinc(x); m.special.entr(x); m.special.xlog1py(x, y); m.special.i0e(x); m.erfinv(x - 1)
m.asin(x - 1); m.atan2(x, y); m.hypot(x, y); m.logit(x / 3); m.polygamma(1, x); m.special.ndtr(x); m.expm1(x); m.acosh(x + 1)
F.scaled_dot_product_attention(x, y, x); F.scaled_dot_product_attention(x, y, y, is_causal=True)
F.scaled_dot_product_attention(x, y, y, x[:, :3] > 1); F.scaled_dot_product_attention(x, y, y, y[:, :3])
F.conv1d(x, y[:2, None, :2].expand(2, 3, 2)); F.pad(x, (1, 1)); F.cosine_similarity(x, y, -1); F.normalize(x, dim=-1)
"""
CASES = [case.strip() for line in EXPRESSIONS.strip().splitlines() for case in line.split(";")]


def run(library, expression, dtype, arrays):
    """The result and the gradients of its sum, in float64, and the dtypes they had."""
    x, y = [library.tensor(a).to(library.bfloat16).to(getattr(library, dtype)).requires_grad_() for a in arrays]
    x, y = [t.detach().requires_grad_() for t in (x, y)]
    names = {"m": library, "F": library.nn.functional, "x": x, "y": y}
    names |= {"i": library.tensor([0, 2]), "k": library.tensor([[0, 3], [1, 1], [2, 0]])}
    result = eval(expression, names)
    grads = library.autograd.grad(result.to(library.float64).sum(), [x, y], allow_unused=True)
    found = [t for t in (result, *grads) if t is not None]
    return [t.detach().to(library.float64).numpy() for t in found], [str(t.dtype).partition(".")[2] or str(t.dtype) for t in found]


@pytest.mark.parametrize("expression", CASES)
def test_as_exact_as_in_pytorch(expression, torch):
    arrays = np.random.default_rng(0).uniform(0.3, 2.0, (2, 3, 4)).astype(np.float32)
    exact, _ = run(torch, expression, "float64", arrays)
    theirs, dtypes = run(torch, expression, "bfloat16", arrays)
    ours, own = run(gradkit, expression, "bfloat16", arrays)
    assert own == dtypes
    for a, b, want in zip(ours, theirs, exact, strict=True):
        assert a.shape == want.shape
        size = np.abs(want).max(initial=1e-3)
        # PyTorch's own error, three times, and a spacing: what it rounds after each step falls otherwise than ours.
        np.testing.assert_allclose(a, want, rtol=0, atol=3 * np.abs(b - want).max(initial=0) + 2**-8 * size)
