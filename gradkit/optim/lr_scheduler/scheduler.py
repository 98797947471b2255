"""The base class of schedules, and how they read an argument that may differ between groups."""

import warnings
from typing import Any

from gradkit.optim.optimizer import Optimizer


class LRScheduler:
    """Base class: a schedule overrides ``get_lr``, the list of new rates given ``last_epoch`` and the present ones.

    ``last_epoch`` -1 starts afresh; another number resumes, and raises KeyError unless the groups hold "initial_lr".
    TypeError for what is no Optimizer.

    >>> class Harmonic(optim.lr_scheduler.LRScheduler):
    ...     def get_lr(self):
    ...         return [lr / (1 + self.last_epoch) for lr in self.base_lrs]
    >>> optimizer = optim.SGD([nn.Parameter()], lr=1.0)
    >>> schedule = Harmonic(optimizer)
    >>> for _ in range(3):
    ...     optimizer.step()
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [0.25]
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.optimizer = checked(optimizer)
        for number, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{number}] when resuming with "
                    f"last_epoch={last_epoch}: load the optimizer's state dict first"
                )
        self.base_lrs: list[float] = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._step_count = 0
        self._last_lr: list[float] = []
        self.step()

    def get_lr(self) -> list[float]:
        """The rates of the groups at ``last_epoch``; every schedule overrides it.

        >>> optim.lr_scheduler.LRScheduler(optim.SGD(nn.Linear(1, 1).parameters()))
        Traceback (most recent call last):
        NotImplementedError: LRScheduler has no get_lr()
        """
        raise NotImplementedError(f"{type(self).__name__} has no get_lr()")

    def step(self) -> None:
        """Go on by one and set the rates. Warns if the optimiser has not made a step before the second call.

        >>> optimizer = optim.SGD([nn.Parameter()], lr=1.0)
        >>> schedule = optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
        >>> optimizer.step()
        >>> schedule.step()
        >>> optimizer.param_groups[0]["lr"]
        0.5
        """
        counts_steps = type(self.optimizer).step is Optimizer.step
        if self._step_count == 1 and counts_steps and not self.optimizer._steps:
            warnings.warn(
                "Detected call of `lr_scheduler.step()` before `optimizer.step()`: the first rate of the schedule is "
                "skipped; call optimizer.step() first",
                stacklevel=2,
            )
        self._step_count += 1
        self.last_epoch += 1
        for group, lr in zip(self.optimizer.param_groups, self.get_lr(), strict=True):
            group["lr"] = lr
        self._last_lr = self._rates()

    def _rates(self) -> list[float]:
        return [group["lr"] for group in self.optimizer.param_groups]

    def get_last_lr(self) -> list[float]:
        """The rates that the last ``step()`` set, one for each group.

        >>> optimizer = optim.SGD([nn.Parameter()], lr=1.0)
        >>> optim.lr_scheduler.StepLR(optimizer, 10).get_last_lr()
        [1.0]
        """
        return self._last_lr

    def state_dict(self) -> dict[str, Any]:
        """All the schedule remembers, but for the optimiser and plain functions.

        >>> optimizer = optim.SGD([nn.Parameter()], lr=1.0)
        >>> optim.lr_scheduler.StepLR(optimizer, 10).state_dict()["last_epoch"]
        0
        """
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned. The optimiser's rates stay: they are in its own state dict.

        >>> optimizer = optim.SGD([nn.Parameter()], lr=1.0)
        >>> schedule = optim.lr_scheduler.StepLR(optimizer, 10)
        >>> schedule.load_state_dict({**schedule.state_dict(), "gamma": 0.5})
        >>> schedule.gamma
        0.5
        """
        self.__dict__.update(state_dict)


def checked(optimizer: Any) -> Optimizer:
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
    return optimizer


def for_each_group(optimizer: Optimizer, name: str, value: Any) -> list[Any]:
    """A list with one value for each group, from such a list or from one value for all."""
    count = len(optimizer.param_groups)
    if not isinstance(value, list | tuple):
        return [value] * count
    if len(value) != count:
        raise ValueError(f"{name} must have one value for each of the optimizer's {count} groups, but has {len(value)}")
    return list(value)
