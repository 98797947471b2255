"""L-BFGS."""

from collections.abc import Callable, Iterable
from typing import Any

from gradkit import creation
from gradkit.autograd import enable_grad, no_grad
from gradkit.engine.tensor import Tensor
from gradkit.ops.complex import view_as_real
from gradkit.ops.joining import cat
from gradkit.optim.optimizer import Optimizer
from gradkit.optim.wolfe import strong_wolfe


class LBFGS(Optimizer):
    """Newton's method with the curvature that the last ``history_size`` steps showed; all parameters as one vector.

    ``step(closure)`` makes up to ``max_iter`` iterations, each of which calls the closure, that clears the gradients,
    computes the loss, calls backward and returns the loss, and returns the first loss. It stops where no gradient is
    above ``tolerance_grad``, nothing changes by ``tolerance_change``, or after ``max_eval`` calls (1.25 ``max_iter``). A
    step has the length ``lr``, the first at most 1 / the sum of absolute gradients of it, or the one that
    ``line_search_fn="strong_wolfe"`` finds. Nocedal and Wright, "Numerical optimization", algorithms 7.4 and 7.5.

    ValueError for several groups, RuntimeError for another line search.

    >>> w = gradkit.tensor([3.0, -1.0], requires_grad=True)
    >>> optimizer = optim.LBFGS([w], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = (w**4).sum() + ((w - 1) ** 2).sum()
    ...     loss.backward()
    ...     return loss
    >>> loss = optimizer.step(closure)
    >>> w.detach()
    tensor([0.5897, 0.5897])
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1, max_iter: int = 20, max_eval: int | None = None,
        tolerance_grad: float = 1e-7, tolerance_change: float = 1e-9, history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        if not lr >= 0:
            raise ValueError(f"Invalid learning rate: {lr}")
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    # -- all parameters as one vector
    def _params(self) -> list[Tensor]:
        return list(self.param_groups[0]["params"])

    def _gradient(self) -> Tensor:
        return cat([_numbers(creation.zeros_like(p) if p.grad is None else p.grad).reshape(-1) for p in self._params()])

    def _position(self) -> Tensor:
        return cat([_numbers(p.detach()).reshape(-1) for p in self._params()])

    def _move_to(self, position: Tensor) -> None:
        start = 0
        for p in map(_numbers, self._params()):
            p.copy_(position[start : start + p.numel()].reshape(p.shape))
            start += p.numel()

    # -- stepping
    @no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        if closure is None:
            raise RuntimeError("LBFGS needs a closure that computes the loss anew: write optimizer.step(closure)")
        group, state = self.param_groups[0], self.state[self._params()[0]]
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise RuntimeError("only 'strong_wolfe' is supported")
        self._steps += 1

        def evaluate() -> tuple[float, Tensor]:
            with enable_grad():
                loss = closure()
            state["func_evals"] = state.get("func_evals", 0) + 1
            state["last_loss"] = loss
            return float(loss), self._gradient()

        first_eval = state.get("func_evals", 0)
        loss, grad = evaluate()
        original = state.pop("last_loss")
        for left in reversed(range(group["max_iter"])):
            if float(grad.abs().max()) <= group["tolerance_grad"]:
                break
            direction = self._direction(state, grad, group["history_size"])
            slope = float(grad @ direction)
            if slope > -group["tolerance_change"]:
                break
            fresh = state["n_iter"] == 1
            length = min(1.0, 1 / float(grad.abs().sum())) * group["lr"] if fresh else group["lr"]
            start, before, last_grad = self._position(), loss, grad

            def along(t: float, start: Tensor = start, direction: Tensor = direction) -> tuple[float, Tensor]:
                self._move_to(start + t * direction)
                return evaluate()

            if group["line_search_fn"]:
                length, loss, grad = strong_wolfe(along, length, direction, loss, grad, slope, group["tolerance_change"])
            state["t"], state["prev_flat_grad"] = length, last_grad
            if group["line_search_fn"] or not left:  # after the last step the next call of step() looks
                self._move_to(start + length * direction)
            else:
                loss, grad = along(length)
            moved = float(direction.abs().max()) * abs(length)
            if moved <= group["tolerance_change"] or abs(loss - before) < group["tolerance_change"]:
                break
            if state["func_evals"] - first_eval >= group["max_eval"]:
                break
        state.pop("last_loss", None)
        return original

    def _direction(self, state: dict[str, Any], grad: Tensor, most: int) -> Tensor:
        """Minus the gradient times the inverse Hessian that the last steps and changes of gradient suggest."""
        state["n_iter"] = state.get("n_iter", 0) + 1
        steps, changes = state.setdefault("old_stps", []), state.setdefault("old_dirs", [])
        if "d" in state:
            change, step = grad - state["prev_flat_grad"], state["d"] * state["t"]
            if float(change @ step) > 1e-10:
                steps.append(step)
                changes.append(change)
                del steps[:-most], changes[:-most]
        direction = -grad
        shares = []
        for step, change in zip(reversed(steps), reversed(changes), strict=True):
            share = (step @ direction) / (change @ step)
            shares.append(share)
            direction = direction - share * change
        if steps:
            direction = direction * ((steps[-1] @ changes[-1]) / (changes[-1] @ changes[-1]))
        for step, change, share in zip(steps, changes, reversed(shares), strict=True):
            direction = direction + (share - (change @ direction) / (change @ step)) * step
        state["d"] = direction
        return direction


def _numbers(tensor: Tensor) -> Tensor:
    return view_as_real(tensor) if tensor.is_complex() else tensor
