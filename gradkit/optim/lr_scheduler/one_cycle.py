"""OneCycleLR."""

import math

from gradkit.optim.lr_scheduler.scheduler import LRScheduler, checked, for_each_group
from gradkit.optim.optimizer import Optimizer


class OneCycleLR(LRScheduler):
    """One cycle: the rate rises to ``max_lr`` and falls far below where it began, momentum the other way round.

    The cycle has ``total_steps`` steps, or ``epochs * steps_per_epoch``. The rate starts at ``max_lr / div_factor``,
    reaches ``max_lr`` after the share ``pct_start`` of the steps and ends at its first value / ``final_div_factor``;
    with ``three_phase`` it first falls as long as it rose, to where it began. ``anneal_strategy`` is "cos" or
    "linear". With ``cycle_momentum`` the momentum (or Adam's first beta) goes from ``max_momentum`` to
    ``base_momentum`` and back. Smith and Topin, "Super-convergence" (2018). Step it after every batch.

    ValueError for arguments out of range, for an optimiser without momentum unless ``cycle_momentum=False``,
    and for more than ``total_steps`` steps.

    >>> optimizer = optim.SGD([nn.Parameter()], lr=1.0, momentum=0.9)
    >>> schedule = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=10, pct_start=0.4)
    >>> rates = schedule.get_last_lr()
    >>> for _ in range(9):
    ...     optimizer.step()
    ...     schedule.step()
    ...     rates += schedule.get_last_lr()
    >>> [round(rate, 2) for rate in rates[:5]]
    [0.04, 0.28, 0.76, 1.0, 0.93]
    """

    def __init__(
        self, optimizer: Optimizer, max_lr: float | list[float], total_steps: int | None = None,
        epochs: int | None = None, steps_per_epoch: int | None = None, pct_start: float = 0.3,
        anneal_strategy: str = "cos", cycle_momentum: bool = True, base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95, div_factor: float = 25.0, final_div_factor: float = 1e4,
        three_phase: bool = False, last_epoch: int = -1,
    ) -> None:
        self.total_steps = _cycle_length(total_steps, epochs, steps_per_epoch)
        if not 0 <= pct_start <= 1:
            raise ValueError(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        self.pct_start = pct_start
        self.anneal_strategy = anneal_strategy
        self.cycle_momentum = cycle_momentum
        self.three_phase = three_phase
        if cycle_momentum and not {"momentum", "betas"} & checked(optimizer).defaults.keys():
            raise ValueError("optimizer must support momentum or beta1 with `cycle_momentum` option enabled")
        peaks = for_each_group(checked(optimizer), "max_lr", max_lr)
        if last_epoch == -1:
            for group, peak in zip(optimizer.param_groups, peaks, strict=True):
                first = peak / div_factor
                group.update(initial_lr=first, max_lr=peak, min_lr=first / final_div_factor)
            if cycle_momentum:
                lows = for_each_group(optimizer, "base_momentum", base_momentum)
                highs = for_each_group(optimizer, "max_momentum", max_momentum)
                for group, low, high in zip(optimizer.param_groups, lows, highs, strict=True):
                    group.update(base_momentum=low, max_momentum=high)
        super().__init__(optimizer, last_epoch)

    def _phases(self) -> list[tuple[float, str, str, str, str]]:
        """(last step, rate from, rate to, momentum from, momentum to) of each phase."""
        last, turn = self.total_steps - 1, self.pct_start * self.total_steps - 1
        rise = (turn, "initial_lr", "max_lr", "max_momentum", "base_momentum")
        if not self.three_phase:
            return [rise, (last, "max_lr", "min_lr", "base_momentum", "max_momentum")]
        return [
            rise,
            (2 * turn, "max_lr", "initial_lr", "base_momentum", "max_momentum"),
            (last, "initial_lr", "min_lr", "max_momentum", "max_momentum"),
        ]

    def _between(self, start: float, end: float, share: float) -> float:
        if self.anneal_strategy == "linear":
            return start + (end - start) * share
        return end + (start - end) / 2 * (1 + math.cos(math.pi * share))

    def get_lr(self) -> list[float]:
        step = self.last_epoch
        if step > self.total_steps:
            raise ValueError(f"Tried to step {step} times. The specified number of total steps is {self.total_steps}")
        phases = self._phases()
        # The step after the last batch lies beyond the last phase, and goes on along its curve.
        current = next((i for i, phase in enumerate(phases) if step <= phase[0]), len(phases) - 1)
        begin = phases[current - 1][0] if current else 0.0
        end, lr_from, lr_to, momentum_from, momentum_to = phases[current]
        share = (step - begin) / (end - begin) if end != begin else 1.0
        if self.cycle_momentum:
            for group in self.optimizer.param_groups:
                momentum = self._between(group[momentum_from], group[momentum_to], share)
                group.update({"betas": (momentum, *group["betas"][1:])} if "betas" in group else {"momentum": momentum})
        return [self._between(group[lr_from], group[lr_to], share) for group in self.optimizer.param_groups]


def _cycle_length(total_steps: int | None, epochs: int | None, steps_per_epoch: int | None) -> int:
    if total_steps is None:
        if epochs is None or steps_per_epoch is None:
            raise ValueError("You must define either total_steps OR (epochs AND steps_per_epoch)")
        for name, count in (("epochs", epochs), ("steps_per_epoch", steps_per_epoch)):
            if count <= 0 or not isinstance(count, int):
                raise ValueError(f"Expected positive integer {name}, but got {count}")
        return epochs * steps_per_epoch
    if total_steps <= 0 or not isinstance(total_steps, int):
        raise ValueError(f"Expected positive integer total_steps, but got {total_steps}")
    return total_steps
