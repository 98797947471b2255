"""Schedules made of schedules: one after the other, or all at once."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from gradkit.optim.lr_scheduler.scheduler import LRScheduler, checked
from gradkit.optim.optimizer import Optimizer


class _Composed(LRScheduler):
    _schedulers: list[LRScheduler]

    def state_dict(self) -> dict[str, Any]:
        state = {key: value for key, value in super().state_dict().items() if key != "_schedulers"}
        return {**state, "_schedulers": [part.state_dict() for part in self._schedulers]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        for part, saved in zip(self._schedulers, state_dict["_schedulers"], strict=True):
            part.load_state_dict(saved)
        super().load_state_dict({key: value for key, value in state_dict.items() if key != "_schedulers"})


class SequentialLR(_Composed):
    """One schedule until the first of ``milestones``, the next until the second, and so on.

    ValueError without schedules, for those of another optimiser, and for another number of milestones than one
    less than of schedules.

    >>> optimizer = optim.SGD([nn.Parameter()], lr=1.0)
    >>> first = optim.lr_scheduler.ConstantLR(optimizer, factor=0.5, total_iters=2)
    >>> then = optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    >>> schedule = optim.lr_scheduler.SequentialLR(optimizer, [first, then], milestones=[2])
    >>> for _ in range(3):
    ...     optimizer.step()
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: Sequence[LRScheduler], milestones: Sequence[int], last_epoch: int = -1
    ) -> None:
        self.optimizer = checked(optimizer)
        _check(schedulers, optimizer, "SequentialLR")
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                "Sequential Schedulers expects number of schedulers provided to be one more than the number of milestone "
                f"points, but got number of schedulers {len(schedulers)} and the number of milestones to be equal to "
                f"{len(milestones)}"
            )
        self._schedulers = list(schedulers)
        self._milestones = list(milestones)
        self.last_epoch = last_epoch + 1
        for group in optimizer.param_groups:  # as before the schedules, which have each made their first step
            group["lr"] = group["initial_lr"]
        for schedule in self._schedulers:
            schedule.last_epoch -= 1
        self._enter(self._schedulers[0])

    def _enter(self, schedule: LRScheduler) -> None:
        schedule._step_count = 0  # a step that is made for it
        schedule.step()
        self._last_lr = schedule.get_last_lr()

    def step(self) -> None:
        self.last_epoch += 1
        number = bisect_right(self._milestones, self.last_epoch)
        schedule = self._schedulers[number]
        if number and self._milestones[number - 1] == self.last_epoch:
            schedule.last_epoch = -1
            for group, base in zip(self.optimizer.param_groups, schedule.base_lrs, strict=True):
                group["lr"] = base
            self._enter(schedule)
        else:
            schedule.step()
            self._last_lr = schedule.get_last_lr()


class ChainedScheduler(_Composed):
    """All schedules at once: each changes the rate that the one before left. Errors as `SequentialLR`.

    >>> optimizer = optim.SGD([nn.Parameter()], lr=1.0)
    >>> parts = [optim.lr_scheduler.ExponentialLR(optimizer, 0.5), optim.lr_scheduler.StepLR(optimizer, 1, 0.5)]
    >>> schedule = optim.lr_scheduler.ChainedScheduler(parts)
    >>> optimizer.step()
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.25]
    """

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        if not schedulers:
            raise ValueError("ChainedScheduler expects at least one scheduler to be chained, but got no scheduler.")
        self.optimizer = optimizer or schedulers[0].optimizer
        _check(schedulers, self.optimizer, "ChainedScheduler")
        self._schedulers = list(schedulers)
        self._last_lr = self._rates()

    def step(self) -> None:
        for schedule in self._schedulers:
            schedule.step()
        self._last_lr = self._rates()


def _check(schedulers: Sequence[LRScheduler], optimizer: Optimizer, name: str) -> None:
    if not schedulers:
        raise ValueError(f"{name} expects at least one scheduler, but got no scheduler.")
    for number, schedule in enumerate(schedulers):
        if schedule.optimizer is not optimizer:
            raise ValueError(f"{name} expects all schedulers to belong to the same optimizer, but that of number {number} is another")
