"""ReduceLROnPlateau."""

import math
from typing import Any

from gradkit.optim.lr_scheduler.scheduler import LRScheduler, checked, for_each_group
from gradkit.optim.optimizer import Optimizer


class ReduceLROnPlateau(LRScheduler):
    """Multiplies the rate by ``factor`` after more than ``patience`` calls ``step(metrics)`` without a better metric.

    Better means below the best times ``1 - threshold`` (``threshold_mode`` "rel") or the best minus ``threshold``
    ("abs"); with ``mode="max"`` above, with the signs reversed. After a reduction ``cooldown`` calls do not count. The
    rate does not fall below ``min_lr`` nor by less than ``eps``. ValueError for a factor of 1 or more and for
    modes it does not know.

    >>> optimizer = optim.SGD([nn.Parameter()], lr=1.0)
    >>> schedule = optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=1)
    >>> for loss in (3.0, 2.0, 2.0, 2.0):
    ...     schedule.step(loss)
    >>> schedule.get_last_lr()
    [0.1]
    """

    def __init__(
        self, optimizer: Optimizer, mode: str = "min", factor: float = 0.1, patience: int = 10, threshold: float = 1e-4,
        threshold_mode: str = "rel", cooldown: int = 0, min_lr: float | list[float] = 0, eps: float = 1e-8,
    ) -> None:
        if factor >= 1:
            raise ValueError(f"factor should be < 1.0, got {factor}")
        if mode not in ("min", "max"):
            raise ValueError(f"mode {mode!r} is unknown: it is 'min' or 'max'")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"threshold mode {threshold_mode!r} is unknown: it is 'rel' or 'abs'")
        self.optimizer = checked(optimizer)
        self.min_lrs = for_each_group(optimizer, "min_lr", min_lr)
        self.mode, self.factor, self.patience = mode, factor, patience
        self.threshold, self.threshold_mode, self.cooldown, self.eps = threshold, threshold_mode, cooldown, eps
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = self.cooldown_counter = self.last_epoch = 0
        self._last_lr = self._rates()

    def is_better(self, metric: float, best: float) -> bool:
        """Whether a metric improves on the best by more than the threshold.

        >>> optimizer = optim.SGD([nn.Parameter()], lr=1.0)
        >>> optim.lr_scheduler.ReduceLROnPlateau(optimizer).is_better(0.9, 1.0)
        True
        """
        sign = -1 if self.mode == "min" else 1
        if self.threshold_mode == "rel":
            return sign * metric > sign * best * (1 + sign * self.threshold)
        return sign * metric > sign * best + self.threshold

    def step(self, metrics: Any) -> None:  # type: ignore[override]
        """Take note of a metric, a number or a Tensor of one element, and lower the rates if it is time to.

        >>> optimizer = optim.SGD([nn.Parameter()], lr=1.0)
        >>> schedule = optim.lr_scheduler.ReduceLROnPlateau(optimizer)
        >>> schedule.step(1.0)
        >>> schedule.best
        1.0
        """
        current = float(metrics)
        self.last_epoch += 1
        if self.is_better(current, self.best):
            self.best, self.num_bad_epochs = current, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._last_lr = self._rates()

    def _reduce(self) -> None:
        for group, lowest in zip(self.optimizer.param_groups, self.min_lrs, strict=True):
            lowered = max(group["lr"] * self.factor, lowest)
            if group["lr"] - lowered > self.eps:
                group["lr"] = lowered
