"""Learning-rate schedules: objects whose ``step()``, after the optimiser's, sets the rates of its groups anew.

They change the rate that stands in a group rather than compute it from scratch, so that several can be chained; where
the formula of a class is written with the first rate, its recursion comes to the same.
"""

from gradkit.optim.lr_scheduler.composed import ChainedScheduler, SequentialLR
from gradkit.optim.lr_scheduler.cyclic import CosineAnnealingWarmRestarts, CyclicLR
from gradkit.optim.lr_scheduler.epochwise import (
    ConstantLR,
    CosineAnnealingLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiplicativeLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)
from gradkit.optim.lr_scheduler.one_cycle import OneCycleLR
from gradkit.optim.lr_scheduler.plateau import ReduceLROnPlateau
from gradkit.optim.lr_scheduler.scheduler import LRScheduler

__all__ = [
    "ChainedScheduler", "ConstantLR", "CosineAnnealingLR", "CosineAnnealingWarmRestarts", "CyclicLR", "ExponentialLR",
    "LRScheduler", "LambdaLR", "LinearLR", "MultiStepLR", "MultiplicativeLR", "OneCycleLR", "PolynomialLR",
    "ReduceLROnPlateau", "SequentialLR", "StepLR",
]
