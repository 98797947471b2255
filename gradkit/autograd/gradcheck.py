"""Comparing derivatives with finite differences.

Complex tensors are taken as pairs of reals, and cotangents as PyTorch defines them: for a real loss, grad = dL/dRe + i
dL/dIm. Then the vjp must be the transpose of the numerical Jacobian between the pairs, and the jvp that Jacobian.
"""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from gradkit.autograd.walk import grad
from gradkit.engine import modes
from gradkit.engine.device import CPU, moved
from gradkit.engine.tensor import Tensor, wrap
from gradkit.func.forward import jvp
from gradkit.func.reverse import vjp
from gradkit.func.vmap import vmap


class GradcheckError(RuntimeError):
    """A derivative does not agree with the difference quotient, or the check itself could not be made."""


def gradcheck(
    func: Callable[..., Any], inputs: Any, *, eps: float = 1e-6, atol: float = 1e-5, rtol: float = 1e-3,
    raise_exception: bool = True, nondet_tol: float = 0.0, check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False, check_batched_grad: bool = False, check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False, check_backward_ad: bool = True, fast_mode: bool = False,
) -> bool:
    """Whether the derivatives of `func` at `inputs` agree with central differences of step `eps`.

    `inputs` is a Tensor or a tuple; those that require grad, preferably float64 or complex128, are checked. `fast_mode`
    compares ``v^T J u`` for one random pair instead of all of ``J``. The `check_*` flags choose reverse mode, forward
    mode, and their batched forms; `nondet_tol` is how much two walks may differ.

    Returns True, or raises GradcheckError (with `raise_exception` False returns False) naming the input and output.
    ValueError if no input requires grad.

    >>> x = gradkit.tensor([0.5, 1.0], dtype=gradkit.float64, requires_grad=True)
    >>> gradkit.autograd.gradcheck(gradkit.exp, x)
    True
    """
    if not check_forward_ad and not check_backward_ad:
        raise AssertionError("Expected at least one of check_forward_ad or check_backward_ad to be True")
    xs = inputs if isinstance(inputs, tuple) else tuple(inputs) if isinstance(inputs, list) else (inputs,)
    check = _Check(func, xs, eps, atol, rtol, fast_mode)
    try:
        if check_backward_ad:
            check.backward(nondet_tol, check_grad_dtypes, check_undefined_grad)
        if check_forward_ad:
            check.forward(batched=False)
        if check_batched_grad:
            check.batched_backward()
        if check_batched_forward_grad:
            check.forward(batched=True)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable[..., Any], inputs: Any, grad_outputs: Any = None, *, eps: float = 1e-6, atol: float = 1e-5,
    rtol: float = 1e-3, gen_non_contig_grad_outputs: bool = False, raise_exception: bool = True,
    nondet_tol: float = 0.0, check_undefined_grad: bool = True, check_grad_dtypes: bool = False,
    check_batched_grad: bool = False, check_fwd_over_rev: bool = False, check_rev_over_rev: bool = True,
    fast_mode: bool = False,
) -> bool:
    """`gradcheck` of the gradient of `func`, as a function of its inputs and of the cotangents.

    `grad_outputs` are these cotangents; random ones by default.

    >>> x = gradkit.tensor([0.5, 1.0], dtype=gradkit.float64, requires_grad=True)
    >>> gradkit.autograd.gradgradcheck(gradkit.exp, x)
    True
    """
    xs = inputs if isinstance(inputs, tuple) else tuple(inputs) if isinstance(inputs, list) else (inputs,)
    outs = [y for y in _outputs(func(*xs)) if y.requires_grad]
    if grad_outputs is None:
        rng = np.random.default_rng(0)
        cts = [_beside(_random(y, rng), y).requires_grad_() for y in outs]
    else:
        cts = list(grad_outputs) if isinstance(grad_outputs, tuple | list) else [grad_outputs]
    places = [i for i, x in enumerate(xs) if isinstance(x, Tensor) and x.requires_grad]

    kept = [k for k, y in enumerate(_outputs(func(*xs))) if y.requires_grad]

    def gradient(*args: Any) -> Any:
        def of_places(*own: Any) -> Any:
            whole = list(args[: len(xs)])
            for i, x in zip(places, own):
                whole[i] = x
            ys = _outputs(func(*whole))
            return tuple([ys[k] for k in kept])

        return vjp(of_places, *[args[i] for i in places])[1](args[len(xs) :])

    return gradcheck(
        gradient, (*xs, *cts), eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception, nondet_tol=nondet_tol,
        check_undefined_grad=check_undefined_grad, check_grad_dtypes=check_grad_dtypes,
        check_batched_grad=check_batched_grad, check_forward_ad=check_fwd_over_rev,
        check_backward_ad=check_rev_over_rev, fast_mode=fast_mode,
    )


def _outputs(y: Any) -> list[Tensor]:
    return [one for one in (y if isinstance(y, tuple | list) else (y,)) if isinstance(one, Tensor)]


def _random(y: Tensor, rng: Any) -> Any:
    values = rng.normal(size=tuple(y.shape))
    return (values + 1j * rng.normal(size=tuple(y.shape)) if y.is_complex() else values).astype(y.dtype)


def _host(t: Tensor) -> Any:
    return np.array(moved(t.array, CPU))


def _beside(array: Any, t: Tensor) -> Tensor:
    return wrap(moved(array, t.device))


def _reals(a: Any) -> Any:
    a = np.ascontiguousarray(a).reshape(-1)
    return a.view(a.real.dtype) if a.dtype.kind == "c" else a


def _units(y: Tensor) -> Any:
    """The unit cotangents of the real components of `y`, along a first axis."""
    n = y.numel() * (2 if y.is_complex() else 1)
    real = np.eye(n, dtype=np.zeros(0, y.dtype).real.dtype)
    return real.view(y.dtype).reshape(n, *y.shape)


class _Check:
    def __init__(self, func: Any, xs: Any, eps: float, atol: float, rtol: float, fast: bool) -> None:
        self.func, self.eps, self.atol, self.rtol, self.fast = func, eps, atol, rtol, fast
        self.xs = xs
        self.places = [i for i, x in enumerate(xs) if isinstance(x, Tensor) and x.requires_grad]
        if not self.places:
            raise ValueError(
                "gradcheck expects at least one input tensor to require gradient, but none of them have requires_grad=True."
            )
        for i in self.places:
            if xs[i].dtype.itemsize < (16 if xs[i].is_complex() else 8):
                warnings.warn(
                    f"Input #{i} requires gradient and is not a double precision floating point or complex. This check "
                    "will likely fail if all the inputs are not of double precision floating point or complex.",
                    stacklevel=3,
                )
        found = func(*xs)
        ys = _outputs(found)
        if not ys:
            raise AttributeError(f"gradcheck: func returned no Tensor but {type(found).__name__}, which has no 'requires_grad'")
        self.outs = [i for i, y in enumerate(ys) if y.dtype.kind in "fc"]
        self.ys = [ys[i] for i in self.outs]
        self.rng = np.random.default_rng(0)
        self._numeric: Any = None

    def values(self, arrays: list[Any]) -> list[Any]:
        xs = list(self.xs)
        for i, a in zip(self.places, arrays):
            xs[i] = _beside(a, self.xs[i]).requires_grad_()
        ys = _outputs(self.func(*xs))
        return [_host(ys[i]) for i in self.outs]

    def difference(self, k: int, direction: Any) -> list[Any]:
        """The central difference along a direction of input `k`."""
        arrays = [_host(self.xs[i]) for i in self.places]
        there, back = list(arrays), list(arrays)
        there[k], back[k] = arrays[k] + self.eps * direction, arrays[k] - self.eps * direction
        return [(a - b) / (2 * self.eps) for a, b in zip(self.values(there), self.values(back))]

    def numeric(self) -> list[list[Any]]:
        """The Jacobian between real components, as [input][output] matrices (input components, output components)."""
        if self._numeric is None:
            self._numeric = []
            for k, i in enumerate(self.places):
                columns = [[_reals(d) for d in self.difference(k, unit)] for unit in _units(self.xs[i])]
                shape = [(len(columns), _reals(_host(y)).size) for y in self.ys]
                self._numeric.append([np.array([c[j] for c in columns]).reshape(shape[j]) for j in range(len(self.ys))])
        return self._numeric

    def pulled(self, j: int, ct: Any) -> list[Any]:
        with modes.mode(grad=True):
            ys = _outputs(self.func(*self.xs))
        y = ys[self.outs[j]]
        targets = [self.xs[i] for i in self.places]
        if not y.requires_grad:
            return [np.zeros(t.shape, t.dtype) for t in targets]
        found = grad(y, targets, _beside(ct.astype(y.dtype), y), materialize_grads=True)
        return [_host(g) for g in found]

    def backward(self, nondet_tol: float, check_dtypes: bool, undefined: bool) -> None:
        for j, y in enumerate(self.ys):
            if self.fast:
                self.fast_backward(j, y)
                continue
            rows = [self.pulled(j, unit) for unit in _units(y)]
            for k, i in enumerate(self.places):
                want = self.numeric()[k][j]
                got = np.array([_reals(row[k]) for row in rows]).T.reshape(want.shape)
                self.compare(got, want, i, j, "backward")
                if check_dtypes and any([row[k].dtype != self.xs[i].dtype for row in rows]):
                    raise GradcheckError(f"the gradient of input {i} does not have its dtype {self.xs[i].dtype.name}")
            self.repeatable(j, y, nondet_tol)

    def fast_backward(self, j: int, y: Tensor) -> None:
        ct = _random(y, self.rng)
        pulled = self.pulled(j, ct)
        for k, i in enumerate(self.places):
            u = _random(self.xs[i], self.rng)
            want = np.dot(_reals(ct), _reals(self.difference(k, u)[j]))
            self.compare(np.dot(_reals(pulled[k]), _reals(u)), want, i, j, "backward (fast mode)")

    def repeatable(self, j: int, y: Tensor, tolerance: float) -> None:
        ct = _random(y, self.rng)
        for a, b in zip(self.pulled(j, ct), self.pulled(j, ct)):
            if not np.allclose(a, b, atol=tolerance, rtol=0, equal_nan=True):
                raise GradcheckError(f"Backward is not reentrant: two walks from output {j} differ by more than {tolerance}")

    def forward(self, batched: bool) -> None:
        for k, i in enumerate(self.places):
            units = _units(self.xs[i]) if not self.fast else np.stack([_random(self.xs[i], self.rng)])
            if batched:
                moved = vmap(lambda t, k=k: tuple(self.pushed(k, t)))(_beside(units, self.xs[i]))
                pushes = [[_host(m)[n] for m in moved] for n in range(len(units))]
            else:
                pushes = [[_host(m) for m in self.pushed(k, _beside(unit, self.xs[i]))] for unit in units]
            for j in range(len(self.ys)):
                got = np.array([_reals(p[j]) for p in pushes])
                want = np.array([_reals(self.difference(k, u)[j]) for u in units]) if self.fast else self.numeric()[k][j]
                self.compare(got.reshape(want.shape), want, i, j, "forward AD")

    def pushed(self, k: int, t: Tensor) -> list[Tensor]:
        def of_one(x: Tensor) -> Any:
            xs = [a.detach() if isinstance(a, Tensor) else a for a in self.xs]
            xs[self.places[k]] = x
            ys = _outputs(self.func(*xs))
            return tuple([ys[n] for n in self.outs])

        return list(jvp(of_one, (self.xs[self.places[k]].detach(),), (t,))[1])

    def batched_backward(self) -> None:
        targets = [self.xs[i] for i in self.places]
        for j in range(len(self.ys)):
            y = _outputs(self.func(*self.xs))[self.outs[j]]
            if not y.requires_grad:
                continue
            cts = np.stack([_random(y, self.rng), _random(y, self.rng)])
            found = grad(y, targets, _beside(cts, y), is_grads_batched=True, materialize_grads=True)
            for n, ct in enumerate(cts):
                for k, (i, want) in enumerate(zip(self.places, self.pulled(j, ct))):
                    self.compare(_host(found[k])[n], want, i, j, "batched backward")

    def compare(self, got: Any, want: Any, i: int, j: int, what: str) -> None:
        if not np.allclose(got, want, atol=self.atol, rtol=self.rtol):
            worst = float(np.max(np.abs(np.asarray(got) - np.asarray(want))))
            raise GradcheckError(
                f"Jacobian mismatch for output {j} with respect to input {i} ({what}): the largest difference is "
                f"{worst:.3g}, beyond atol={self.atol}, rtol={self.rtol}.\nnumerical:\n{want}\nanalytical:\n{got}"
            )
