"""Schedules against torch, rate by rate."""

import random

import pytest

import gradkit
from gradkit import optim

CASES = [
    ("StepLR", {"step_size": 3}),
    ("StepLR", {"step_size": 4, "gamma": 0.5}),
    ("MultiStepLR", {"milestones": [3, 3, 7, 20], "gamma": 0.3}),
    ("ExponentialLR", {"gamma": 0.9}),
    ("CosineAnnealingLR", {"T_max": 10}),
    ("CosineAnnealingLR", {"T_max": 7, "eta_min": 0.02}),
    ("CosineAnnealingLR", {"T_max": 1, "eta_min": 0.02}),
    ("LambdaLR", {"lr_lambda": lambda epoch: 0.9**epoch}),
    ("LambdaLR", {"lr_lambda": [lambda epoch: 1 / (1 + epoch), lambda epoch: epoch]}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 1.0, "end_factor": 0.1, "total_iters": 10}),
    ("ConstantLR", {}),
    ("ConstantLR", {"factor": 0.5, "total_iters": 7}),
    ("PolynomialLR", {}),
    ("PolynomialLR", {"total_iters": 11, "power": 2.0}),
    ("MultiplicativeLR", {"lr_lambda": lambda epoch: 0.9 + 0.01 * epoch}),
    ("CosineAnnealingWarmRestarts", {"T_0": 7}),
    ("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2, "eta_min": 0.01}),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 0.5, "step_size_up": 5}),
    ("CyclicLR", {"base_lr": [0.1, 0.2], "max_lr": 0.5, "step_size_up": 3, "step_size_down": 6, "mode": "triangular2"}),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 0.5, "step_size_up": 4, "mode": "exp_range", "gamma": 0.95, "cycle_momentum": False}),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 0.5, "step_size_up": 4, "scale_fn": lambda x: 1 / x}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 39}),
    ("OneCycleLR", {"max_lr": [0.5, 0.3], "epochs": 10, "steps_per_epoch": 5, "three_phase": True, "pct_start": 0.4}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 50, "anneal_strategy": "linear", "cycle_momentum": False}),
    ("ReduceLROnPlateau", {"patience": 2, "cooldown": 1}),
    ("ReduceLROnPlateau", {"mode": "max", "threshold_mode": "abs", "threshold": 0.1, "min_lr": [0.01, 0.02]}),
]
METHODS = {"SGD": {"momentum": 0.9}, "Adam": {}}


def rates(module, package, name, options, method="SGD", steps=40):
    """What stands in both groups before each step: rate, momentum or beta, and what the schedule says of the rate."""
    params = [module.zeros(1, requires_grad=True) for _ in range(2)]
    groups = [{"params": [p], "lr": 0.1 * (i + 1)} for i, p in enumerate(params)]
    optimizer = getattr(package, method)(groups, **METHODS[method])
    schedule = getattr(package.lr_scheduler, name)(optimizer, **options)
    draw = random.Random(0)
    found = []
    for number in range(steps):
        if number:
            optimizer.step()
            schedule.step(*([draw.random()] if name == "ReduceLROnPlateau" else []))
        groups = optimizer.param_groups
        found += [g["lr"] for g in groups] + [g["betas"][0] if "betas" in g else g["momentum"] for g in groups]
        found += schedule.get_last_lr()
    return found


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("name", "options"), CASES, ids=[" ".join([n, *map(str, o)]) for n, o in CASES])
def test_rates_are_those_of_torch(name, options, method, torch):
    found, expected = rates(gradkit, optim, name, options, method), rates(torch, torch.optim, name, options, method)
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-15)


def optimizer(**options):
    return optim.SGD([gradkit.zeros(1, requires_grad=True)], **{"lr": 1.0, **options})


def run(schedule, steps):
    for _ in range(steps):
        schedule.optimizer.step()
        schedule.step()
    return schedule.get_last_lr()[0]


FUNCTIONS = ("LambdaLR", "MultiplicativeLR", "ReduceLROnPlateau")
BY_EPOCH = [case for case in CASES if case[0] not in FUNCTIONS and "scale_fn" not in case[1] and [0.1, 0.2] not in case[1].values()]


@pytest.mark.parametrize(("name", "options"), BY_EPOCH)
def test_resumed_schedule_is_the_same(name, options):
    options = {**options, **({"max_lr": 0.5} if "max_lr" in options else {})}
    make = lambda: getattr(optim.lr_scheduler, name)(optimizer(momentum=0.5), **options)
    straight = run(make(), 12)
    first = make()
    run(first, 5)
    second = make()
    second.load_state_dict(first.state_dict())
    second.optimizer.load_state_dict(first.optimizer.state_dict())
    assert run(second, 7) == straight


def test_last_epoch_resumes_from_the_optimiser():
    first = optim.lr_scheduler.ExponentialLR(optimizer(), 0.5)
    run(first, 3)
    second = optim.lr_scheduler.ExponentialLR(first.optimizer, 0.5, last_epoch=3)
    assert second.last_epoch == 4 and second.base_lrs == [1.0]


def test_schedules_can_be_chained():
    shared = optimizer()
    first = optim.lr_scheduler.ExponentialLR(shared, 0.5)
    second = optim.lr_scheduler.ExponentialLR(shared, 0.1)
    shared.step()
    first.step()
    second.step()
    assert second.get_last_lr() == [pytest.approx(0.05)]


def test_callable_objects_are_saved_and_functions_are_not():
    class Decay:
        def __init__(self, base):
            self.base = base

        def __call__(self, epoch):
            return self.base**epoch

    saved = optim.lr_scheduler.LambdaLR(optimizer(), Decay(0.5)).state_dict()
    assert saved["lr_lambdas"] == [{"base": 0.5}] and "optimizer" not in saved
    other = optim.lr_scheduler.LambdaLR(optimizer(), Decay(0.9))
    other.load_state_dict(saved)
    assert run(other, 1) == 0.5
    assert optim.lr_scheduler.LambdaLR(optimizer(), lambda _: 1).state_dict()["lr_lambdas"] == [None]


def test_plateau_takes_tensors():
    schedule = optim.lr_scheduler.ReduceLROnPlateau(optimizer(), patience=0, factor=0.5)
    for loss in (1.0, 2.0, 3.0):
        schedule.step(gradkit.tensor(loss))
    assert schedule.get_last_lr() == [0.25]


def test_schedule_of_ones_own_overrides_get_lr():
    class Halving(optim.lr_scheduler.LRScheduler):
        def get_lr(self):
            return [lr / 2**self.last_epoch for lr in self.base_lrs]

    assert run(Halving(optimizer()), 3) == 0.125
    with pytest.raises(NotImplementedError, match="get_lr"):
        optim.lr_scheduler.LRScheduler(optimizer())


def test_step_before_the_optimiser_warns():
    schedule = optim.lr_scheduler.StepLR(optimizer(), 1)
    with pytest.warns(UserWarning, match=r"before `optimizer.step\(\)`"):
        schedule.step()
    schedule.step()


def test_optimiser_that_overrides_step_does_not_warn():
    class Still(optim.Optimizer):
        def step(self, closure=None):
            pass

    still = Still([gradkit.zeros(1, requires_grad=True)], {"lr": 1.0})
    schedule = optim.lr_scheduler.StepLR(still, 1)
    still.step()
    schedule.step()
    assert schedule.get_last_lr() == [pytest.approx(0.1)]


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda s: s.StepLR(3, 1), TypeError, "int is not an Optimizer"),
        (lambda s: s.StepLR(optimizer(), 1, last_epoch=3), KeyError, "initial_lr"),
        (lambda s: s.LambdaLR(optimizer(), [abs, abs]), ValueError, "lr_lambda.*has 2"),
        (lambda s: s.LinearLR(optimizer(), 0.0), ValueError, "start_factor"),
        (lambda s: s.LinearLR(optimizer(), 1.0, 2.0), ValueError, "end_factor"),
        (lambda s: s.ReduceLROnPlateau(optimizer(), factor=1.0), ValueError, "factor should be < 1"),
        (lambda s: s.ReduceLROnPlateau(optimizer(), mode="up"), ValueError, "mode 'up'"),
        (lambda s: s.ReduceLROnPlateau(optimizer(), threshold_mode="x"), ValueError, "threshold mode 'x'"),
        (lambda s: s.ReduceLROnPlateau(optimizer(), min_lr=[1, 2]), ValueError, "min_lr.*has 2"),
        (lambda s: s.OneCycleLR(optimizer(), 1.0), ValueError, "either total_steps OR"),
        (lambda s: s.OneCycleLR(optimizer(), 1.0, 0), ValueError, "positive integer total_steps"),
        (lambda s: s.OneCycleLR(optimizer(), 1.0, epochs=0, steps_per_epoch=1), ValueError, "positive integer epochs"),
        (lambda s: s.OneCycleLR(optimizer(), 1.0, 9, pct_start=2.0), ValueError, "pct_start"),
        (lambda s: s.OneCycleLR(optimizer(), 1.0, 9, anneal_strategy="x"), ValueError, "anneal_strategy"),
        (lambda s: s.OneCycleLR(optimizer(), [1.0, 2.0], 9), ValueError, "max_lr.*has 2"),
        (lambda s: s.OneCycleLR(optim.Adagrad([gradkit.zeros(1, requires_grad=True)]), 1.0, 9), ValueError, "momentum"),
        (lambda s: run(s.OneCycleLR(optimizer(momentum=0.9), 1.0, 3), 4), ValueError, "Tried to step 4 times"),
    ],
)
def test_misuse_raises(make, error, text):
    with pytest.raises(error, match=text):
        make(optim.lr_scheduler)


COMPOSED = {
    "sequential": lambda package, o: package.SequentialLR(
        o, [package.ConstantLR(o, 0.1, 3), package.ExponentialLR(o, 0.9), package.StepLR(o, 2)], milestones=[3, 9]
    ),
    "warm-up and cosine": lambda package, o: package.SequentialLR(
        o, [package.LinearLR(o, 0.1, total_iters=5), package.CosineAnnealingLR(o, 15)], milestones=[5]
    ),
    "chained": lambda package, o: package.ChainedScheduler([package.ConstantLR(o, 0.1, 3), package.ExponentialLR(o, 0.9)]),
}


@pytest.mark.parametrize("name", COMPOSED)
def test_composed_rates_are_those_of_torch(name, torch):
    found = []
    for library in (gradkit, torch):
        method = library.optim.SGD([library.zeros(1, requires_grad=True)], lr=1.0)
        schedule = COMPOSED[name](library.optim.lr_scheduler, method)
        rates = [method.param_groups[0]["lr"], *schedule.get_last_lr()]
        for _ in range(20):
            method.step()
            schedule.step()
            rates += [method.param_groups[0]["lr"], *schedule.get_last_lr()]
        found.append(rates)
    assert found[0] == pytest.approx(found[1], rel=1e-12)


@pytest.mark.parametrize("name", COMPOSED)
def test_composed_schedules_resume(name):
    package = optim.lr_scheduler
    straight = run(COMPOSED[name](package, optimizer()), 14)
    first = COMPOSED[name](package, optimizer())
    run(first, 6)
    second = COMPOSED[name](package, optimizer())
    second.load_state_dict(first.state_dict())
    second.optimizer.load_state_dict(first.optimizer.state_dict())
    assert run(second, 8) == straight


def test_restarts_go_to_an_epoch(torch):
    found = []
    for library in (gradkit, torch):
        method = library.optim.SGD([library.zeros(1, requires_grad=True)], lr=1.0)
        schedule = library.optim.lr_scheduler.CosineAnnealingWarmRestarts(method, 3, 2)
        method.step()
        rates = []
        for epoch in (0.5, 2.25, 4.75, 13.0):
            schedule.step(epoch)
            rates += schedule.get_last_lr()
        found.append(rates)
    assert found[0] == pytest.approx(found[1], rel=1e-12)


@pytest.mark.parametrize(
    "make",
    [
        lambda package, o: package.ConstantLR(o, 1.5),
        lambda package, o: package.CosineAnnealingWarmRestarts(o, 0),
        lambda package, o: package.CosineAnnealingWarmRestarts(o, 1, 0),
        lambda package, o: package.CyclicLR(o, 0.1, 1.0, mode="square"),
        lambda package, o: package.ChainedScheduler([]),
        lambda package, o: package.SequentialLR(o, [package.StepLR(o, 1)], milestones=[1]),
    ],
)
def test_options_that_make_no_schedule_raise(make, torch):
    for library in (gradkit, torch):
        method = library.optim.SGD([library.zeros(1, requires_grad=True)], lr=1.0, momentum=0.5)
        with pytest.raises(ValueError):
            make(library.optim.lr_scheduler, method)
