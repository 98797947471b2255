"""The orders in which samplers visit a dataset: torch's for the same seed."""

import pytest

import gradkit
from gradkit.data import BatchSampler, RandomSampler, Sampler, SequentialSampler

OPTIONS = [
    {},
    {"num_samples": 4},
    {"num_samples": 25},
    {"replacement": True},
    {"replacement": True, "num_samples": 70},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_random_order_is_that_of_torch(options, torch):
    from torch.utils import data

    torch.manual_seed(9)
    gradkit.manual_seed(9)
    mine, theirs = RandomSampler(range(10), **options), data.RandomSampler(range(10), **options)
    assert len(mine) == len(theirs)
    for _ in range(3):
        assert list(mine) == list(theirs)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_random_order_of_a_generator_is_that_of_torch(options, torch):
    from torch.utils import data

    mine = RandomSampler(range(10), **options, generator=gradkit.Generator().manual_seed(2))
    theirs = data.RandomSampler(range(10), **options, generator=torch.Generator().manual_seed(2))
    assert [list(mine), list(mine)] == [list(theirs), list(theirs)]


def test_every_epoch_has_another_order_of_the_same_numbers():
    sampler = RandomSampler(range(50))
    first, second = list(sampler), list(sampler)
    assert first != second and sorted(first) == sorted(second) == list(range(50))


def test_batches():
    sampler = SequentialSampler("abcde")
    assert list(BatchSampler(sampler, 2, False)) == [[0, 1], [2, 3], [4]]
    assert list(BatchSampler(sampler, 2, True)) == [[0, 1], [2, 3]]
    assert [len(BatchSampler(sampler, 2, last)) for last in (False, True)] == [3, 2]
    assert list(BatchSampler(sampler, 5, True)) == [[0, 1, 2, 3, 4]]


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: RandomSampler([1], num_samples=0), ValueError, "num_samples=0"),
        (lambda: RandomSampler([]), ValueError, "num_samples=0"),
        (lambda: RandomSampler([1], num_samples=1.5), ValueError, "num_samples=1.5"),
        (lambda: RandomSampler([1], replacement=3), TypeError, "replacement=3"),
        (lambda: BatchSampler([0], 0, False), ValueError, "batch_size=0"),
        (lambda: BatchSampler([0], 1, 3), ValueError, "drop_last=3"),
        (lambda: iter(Sampler()), NotImplementedError, "__iter__"),
    ],
)
def test_misuse_raises(make, error, text):
    with pytest.raises(error, match=text):
        make()
