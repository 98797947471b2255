"""Schedules given by a formula in the number of the epoch."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from gradkit.optim.lr_scheduler.scheduler import LRScheduler, checked, for_each_group
from gradkit.optim.optimizer import Optimizer


class LambdaLR(LRScheduler):
    """The first rate times ``lr_lambda(epoch)``; one function for all groups, or a list of one for each.

    ValueError for a list of another length. The state dict leaves plain functions out and keeps the attributes
    of callable objects.

    >>> optimizer = optim.SGD([nn.Parameter()], lr=1.0)
    >>> schedule = optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 0.5**epoch)
    >>> optimizer.step()
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    def __init__(
        self, optimizer: Optimizer, lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]], last_epoch: int = -1
    ) -> None:
        self.lr_lambdas = for_each_group(checked(optimizer), "lr_lambda", lr_lambda)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        return [base * fn(self.last_epoch) for base, fn in zip(self.base_lrs, self.lr_lambdas, strict=True)]

    def state_dict(self) -> dict[str, Any]:
        kept = [None if _is_function(fn) else vars(fn).copy() for fn in self.lr_lambdas]
        return {**super().state_dict(), "lr_lambdas": kept}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        for fn, attributes in zip(self.lr_lambdas, state_dict["lr_lambdas"], strict=True):
            if attributes is not None:
                vars(fn).update(attributes)
        super().load_state_dict({key: value for key, value in state_dict.items() if key != "lr_lambdas"})


class MultiplicativeLR(LambdaLR):
    """The last rate times ``lr_lambda(epoch)``, from the second epoch on; the rest as `LambdaLR`.

    >>> optimizer = optim.SGD([nn.Parameter()], lr=1.0)
    >>> schedule = optim.lr_scheduler.MultiplicativeLR(optimizer, lambda epoch: 0.5)
    >>> optimizer.step()
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    def get_lr(self) -> list[float]:
        if not self.last_epoch:
            return self._rates()
        return [lr * fn(self.last_epoch) for lr, fn in zip(self._rates(), self.lr_lambdas, strict=True)]


class ConstantLR(LRScheduler):
    """The first rate times ``factor`` for ``total_iters`` epochs, then the first rate. ValueError for a factor not in [0, 1].

    >>> optimizer = optim.SGD([nn.Parameter()], lr=1.0)
    >>> optim.lr_scheduler.ConstantLR(optimizer, factor=0.5).get_last_lr()
    [0.5]
    """

    def __init__(self, optimizer: Optimizer, factor: float = 1 / 3, total_iters: int = 5, last_epoch: int = -1) -> None:
        if not 0 <= factor <= 1:
            raise ValueError(f"Constant multiplicative factor expected to be between 0 and 1, got {factor}")
        self.factor = factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self.last_epoch == 0:
            return [lr * self.factor for lr in self._rates()]
        over = self.last_epoch == self.total_iters
        return [lr / self.factor if over else lr for lr in self._rates()]


class PolynomialLR(LRScheduler):
    """The first rate times ``(1 - epoch / total_iters) ** power``, down to 0.

    >>> optimizer = optim.SGD([nn.Parameter()], lr=1.0)
    >>> schedule = optim.lr_scheduler.PolynomialLR(optimizer, total_iters=4)
    >>> optimizer.step()
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.75]
    """

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1) -> None:
        self.total_iters = total_iters
        self.power = power
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self.last_epoch == 0 or self.last_epoch > self.total_iters:
            return self._rates()
        t, n = self.last_epoch, self.total_iters
        return [lr * ((1 - t / n) / (1 - (t - 1) / n)) ** self.power for lr in self._rates()]


class StepLR(LRScheduler):
    """Multiplies the rate by ``gamma`` every ``step_size`` epochs.

    >>> optimizer = optim.SGD([nn.Parameter()], lr=1.0)
    >>> schedule = optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    >>> for _ in range(5):
    ...     optimizer.step()
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [0.25]
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        due = self.last_epoch > 0 and self.last_epoch % self.step_size == 0
        return [lr * self.gamma if due else lr for lr in self._rates()]


class MultiStepLR(LRScheduler):
    """Multiplies the rate by ``gamma`` at each of the epochs ``milestones``, as often as it is named.

    >>> optimizer = optim.SGD([nn.Parameter()], lr=1.0)
    >>> schedule = optim.lr_scheduler.MultiStepLR(optimizer, milestones=[2, 3], gamma=0.5)
    >>> for _ in range(5):
    ...     optimizer.step()
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [0.25]
    """

    def __init__(self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1) -> None:
        self.milestones = Counter(milestones)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        return [lr * self.gamma ** self.milestones[self.last_epoch] for lr in self._rates()]


class ExponentialLR(LRScheduler):
    """Multiplies the rate by ``gamma`` every epoch.

    >>> optimizer = optim.SGD([nn.Parameter()], lr=1.0)
    >>> schedule = optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    >>> optimizer.step()
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        return [lr * self.gamma if self.last_epoch else lr for lr in self._rates()]


class LinearLR(LRScheduler):
    """The first rate times a factor that goes evenly from ``start_factor`` to ``end_factor`` in ``total_iters`` steps.

    ValueError unless 0 < start_factor <= 1 and 0 <= end_factor <= 1.

    >>> optimizer = optim.SGD([nn.Parameter()], lr=1.0)
    >>> schedule = optim.lr_scheduler.LinearLR(optimizer, start_factor=0.5, total_iters=2)
    >>> optimizer.step()
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.75]
    """

    def __init__(
        self, optimizer: Optimizer, start_factor: float = 1 / 3, end_factor: float = 1.0, total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0 < start_factor <= 1:
            raise ValueError(f"start_factor is expected to be greater than 0 and at most 1, got {start_factor}")
        if not 0 <= end_factor <= 1:
            raise ValueError(f"end_factor is expected to be between 0 and 1, got {end_factor}")
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self.last_epoch == 0:
            return [lr * self.start_factor for lr in self._rates()]
        if self.last_epoch > self.total_iters:
            return self._rates()
        rise = self.end_factor - self.start_factor
        before = self.total_iters * self.start_factor + (self.last_epoch - 1) * rise
        return [lr * (1 + rise / before) for lr in self._rates()]


class CosineAnnealingLR(LRScheduler):
    """From the first rate to ``eta_min`` along half a cosine of ``T_max`` epochs, then back, and so on.

    ``eta_min + (lr_0 - eta_min) * (1 + cos(pi * t / T_max)) / 2``; Loshchilov and Hutter, "SGDR" (2017), without its
    restarts.

    >>> optimizer = optim.SGD([nn.Parameter()], lr=1.0)
    >>> schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=2)
    >>> optimizer.step()
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self.last_epoch == 0:
            return self._rates()
        before = self._height(self.last_epoch - 1)
        if before == 0:  # at the bottom the recursion has nothing to multiply, so this step starts from the first rate
            return [
                lr + (base - self.eta_min) * self._height(1 + self.T_max) / 2
                for lr, base in zip(self._rates(), self.base_lrs, strict=True)
            ]
        change = self._height(self.last_epoch) / before
        return [self.eta_min + change * (lr - self.eta_min) for lr in self._rates()]

    def _height(self, epoch: int) -> float:
        """1 + cos(pi * t / T_max), exactly 0 at the bottom."""
        return 0.0 if epoch % (2 * self.T_max) == self.T_max else 1 + math.cos(math.pi * epoch / self.T_max)


def _is_function(fn: Any) -> bool:
    return not hasattr(fn, "__dict__") or hasattr(fn, "__code__")
