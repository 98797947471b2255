"""Schedules that come round again."""

import math
from collections.abc import Callable
from typing import Any

from gradkit.optim.lr_scheduler.scheduler import LRScheduler, checked, for_each_group
from gradkit.optim.optimizer import Optimizer


class CosineAnnealingWarmRestarts(LRScheduler):
    """`CosineAnnealingLR` from the top again after ``T_0`` epochs, then ``T_0 * T_mult``, and so on; SGDR (2017).

    ``step(epoch)`` takes a number, a fraction too, to go there. ValueError for a ``T_0`` or ``T_mult`` that is no
    positive integer and a negative epoch.

    >>> optimizer = optim.SGD([nn.Parameter()], lr=1.0)
    >>> schedule = optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=2)
    >>> optimizer.step()
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    def __init__(self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        for name, number in (("T_0", T_0), ("T_mult", T_mult)):
            if number < 1 or not isinstance(number, int):
                raise ValueError(f"Expected positive integer {name}, but got {number}")
        self.T_0 = T_0
        self.T_i = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        height = (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2
        return [self.eta_min + (base - self.eta_min) * height for base in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        if epoch is None:
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur -= self.T_i
                self.T_i *= self.T_mult
            super().step()
            return
        if epoch < 0:
            raise ValueError(f"Expected non-negative epoch, but got {epoch}")
        self.T_i, self.T_cur = self.T_0, epoch
        while self.T_cur >= self.T_i:
            self.T_cur -= self.T_i
            self.T_i *= self.T_mult
        self.last_epoch = math.floor(epoch) - 1
        super().step()


class CyclicLR(LRScheduler):
    """Up and down between ``base_lr`` and ``max_lr``, in ``step_size_up`` and ``step_size_down`` steps; Smith (2017).

    ``mode`` "triangular" keeps the height, "triangular2" halves it every cycle, "exp_range" multiplies it by ``gamma`` every
    step; ``scale_fn``, a function of the cycle or ("iterations") the step, takes their place. ``cycle_momentum`` moves the
    momentum the other way. ValueError for another mode, and where there is no momentum to move.

    >>> optimizer = optim.SGD([nn.Parameter()], lr=1.0)
    >>> schedule = optim.lr_scheduler.CyclicLR(optimizer, 0.0, 1.0, step_size_up=2, cycle_momentum=False)
    >>> optimizer.step()
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    def __init__(
        self, optimizer: Optimizer, base_lr: float | list[float], max_lr: float | list[float], step_size_up: int = 2000,
        step_size_down: int | None = None, mode: str = "triangular", gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None, scale_mode: str = "cycle", cycle_momentum: bool = True,
        base_momentum: float = 0.8, max_momentum: float = 0.9, last_epoch: int = -1,
    ) -> None:
        groups = checked(optimizer).param_groups
        if mode not in ("triangular", "triangular2", "exp_range") and scale_fn is None:
            raise ValueError(f"mode {mode!r} is invalid and scale_fn is None; it is triangular, triangular2 or exp_range")
        self.max_lrs = for_each_group(optimizer, "max_lr", max_lr)
        down = step_size_up if step_size_down is None else step_size_down
        self.total_size = float(step_size_up + down)
        self.step_ratio = step_size_up / self.total_size
        self.mode = mode
        self.gamma = gamma
        self.scale_mode = "iterations" if scale_fn is None and mode == "exp_range" else scale_mode
        self._scale_fn = scale_fn
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
                raise ValueError("optimizer must support momentum or beta1 with `cycle_momentum` option enabled")
            self.base_momentums = for_each_group(optimizer, "base_momentum", base_momentum)
            self.max_momentums = for_each_group(optimizer, "max_momentum", max_momentum)
        if last_epoch == -1:
            for group, lr in zip(groups, for_each_group(optimizer, "base_lr", base_lr), strict=True):
                group["lr"] = group["initial_lr"] = lr
        super().__init__(optimizer, last_epoch)
        self.base_lrs = for_each_group(optimizer, "base_lr", base_lr)

    def scale_fn(self, x: float) -> float:
        """The height of a cycle, or at a step."""
        if self._scale_fn is not None:
            return self._scale_fn(x)
        return {"triangular": 1.0, "triangular2": 1 / 2.0 ** (x - 1), "exp_range": self.gamma**x}[self.mode]

    def get_lr(self) -> list[float]:
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1 + self.last_epoch / self.total_size - cycle
        share = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        share *= self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            self._move_momentum(share)
        return [base + (top - base) * share for base, top in zip(self.base_lrs, self.max_lrs, strict=True)]

    def _move_momentum(self, share: float) -> None:
        ends = zip(self.optimizer.param_groups, self.base_momentums, self.max_momentums, strict=True)
        for group, least, most in ends:
            value = most - (most - least) * share
            if "momentum" in group:
                group["momentum"] = value
            else:
                group["betas"] = (value, *group["betas"][1:])

    def state_dict(self) -> dict[str, Any]:
        return {key: value for key, value in super().state_dict().items() if key != "_scale_fn"}
