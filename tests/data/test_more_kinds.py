"""Datasets that are iterated or stacked, the other samplers, and `utils.data`, beside torch."""

import numpy as np
import pytest

import gradkit
from gradkit import data


def iterable(data, samples, sized=False):
    class Samples(data.IterableDataset):
        def __iter__(self):
            return iter(samples)

    if sized:
        Samples.__len__ = lambda _self: len(samples)
    return Samples()


def values(loader):
    return [batch.tolist() if hasattr(batch, "tolist") else batch for batch in loader]


@pytest.mark.parametrize("options", [{}, {"batch_size": 2}, {"batch_size": 2, "drop_last": True}, {"batch_size": None}])
def test_iterables_are_loaded_as_in_torch(options, torch):
    from torch.utils import data as theirs

    found, expected = [
        module.DataLoader(iterable(module, [1, 2, 3, 4, 5], sized=True), **options) for module in (data, theirs)
    ]
    assert values(found) == values(expected) and len(found) == len(expected)
    if "batch_size" in options:
        with pytest.raises(TypeError):
            len(data.DataLoader(iterable(data, [1, 2]), **options))


@pytest.mark.parametrize("option", [{"shuffle": True}, {"sampler": [0]}, {"batch_sampler": [[0]]}])
def test_iterables_have_no_order_to_choose(option, torch):
    from torch.utils import data as theirs

    for module in (data, theirs):
        with pytest.raises(ValueError, match="IterableDataset"):
            module.DataLoader(iterable(module, [1]), **option)


def test_chains():
    chain = iterable(data, [1, 2], sized=True) + iterable(data, [3], sized=True)
    assert list(chain) == [1, 2, 3] and len(chain) == 3
    with pytest.raises(AssertionError, match="list"):
        list(data.ChainDataset([[1]]))
    with pytest.raises(NotImplementedError):
        iter(data.IterableDataset())


def test_stacks():
    numbers = data.TensorDataset(gradkit.arange(3))
    stacked = data.StackDataset(numbers, "abc")
    assert len(stacked) == 3 and stacked[1][1] == "b" and int(stacked[1][0][0]) == 1
    assert data.StackDataset(a="abc", b=[1, 2, 3])[2] == {"a": "c", "b": 3}
    for make in (lambda: data.StackDataset(), lambda: data.StackDataset("a", b="b"), lambda: data.StackDataset("a", "bc")):
        with pytest.raises(ValueError):
            make()


@pytest.mark.parametrize("with_generator", [False, True])
def test_subset_order_is_that_of_torch(with_generator, torch):
    from torch.utils import data as theirs

    orders = []
    for library, module in ((gradkit, data), (torch, theirs)):
        library.manual_seed(3)
        own = {"generator": library.Generator().manual_seed(1)} if with_generator else {}
        sampler = module.SubsetRandomSampler([5, 7, 11, 13, 17], **own)
        orders.append([list(sampler), list(sampler), len(sampler)])
    assert orders[0] == orders[1]


@pytest.mark.parametrize("replacement", [True, False])
def test_weighted_draws_follow_the_weights(replacement):
    gradkit.manual_seed(0)
    sampler = data.WeightedRandomSampler([0.0, 3.0, 1.0], 2 if not replacement else 4000, replacement)
    drawn = list(sampler)
    assert len(drawn) == len(sampler)
    if replacement:
        assert set(drawn) == {1, 2} and 0.7 < drawn.count(1) / 4000 < 0.8
    else:
        assert sorted(drawn) == [1, 2]


@pytest.mark.parametrize(
    "arguments", [([1.0], 0), ([1.0], True), ([1.0], 1.5), ([1.0], 1, 2), ([[1.0]], 1)], ids=str
)
def test_weights_that_make_no_sense_raise(arguments, torch):
    from torch.utils import data as theirs

    for module in (data, theirs):
        with pytest.raises(ValueError):
            module.WeightedRandomSampler(*arguments)


def test_annotations_and_options_of_programs_for_torch():
    class Own(data.Dataset[int]):
        def __len__(self):
            return 3

        def __getitem__(self, index):
            return index

    assert values(data.DataLoader(Own(), persistent_workers=False, worker_init_fn=None, timeout=0)) == [[0], [1], [2]]
    assert data.Sampler[int] is data.Sampler
    with pytest.raises(TypeError, match="shufle"):
        data.DataLoader(Own(), shufle=True)


def test_utils_data_is_data():
    from gradkit.utils.data import DataLoader, Dataset

    assert gradkit.utils.data.TensorDataset is data.TensorDataset
    assert DataLoader is data.DataLoader and Dataset is data.Dataset
    assert gradkit.utils.data.__all__ == data.__all__


def test_conversion_of_single_samples(torch):
    from torch.utils import data as theirs

    sample = {"x": np.ones(2), "y": [np.int64(1), "text"], "z": (np.zeros(1), 2.5)}
    found, expected = data.default_convert(sample), theirs.default_convert(sample)
    assert found["x"].tolist() == expected["x"].tolist() and found["y"][1] == expected["y"][1]
    assert type(found["y"]) is type(expected["y"]) and type(found["z"]) is type(expected["z"])
    assert data.default_convert("text") == "text"
