"""Datasets and random_split."""

import pytest

import gradkit
from gradkit.data import ConcatDataset, Dataset, Subset, TensorDataset, load_digits, random_split


def test_tensor_dataset_gives_rows():
    dataset = TensorDataset(gradkit.arange(6).reshape(3, 2), gradkit.tensor([7, 8, 9]))
    assert len(dataset) == 3
    assert [t.tolist() for t in dataset[1]] == [[2, 3], 8]
    assert [t.tolist() for t in dataset[1:]] == [[[2, 3], [4, 5]], [8, 9]]


def test_tensors_of_different_lengths_raise():
    with pytest.raises(AssertionError, match="Size mismatch"):
        TensorDataset(gradkit.zeros(3), gradkit.zeros(4))


def test_subset_and_concatenation():
    subset = Subset("abcdef", [4, 0, 2])
    assert len(subset) == 3 and [subset[i] for i in range(3)] == ["e", "a", "c"]
    tensors = Subset(TensorDataset(gradkit.arange(5)), [4, 0, 2])
    assert tensors[[0, 1]][0].tolist() == [4, 0]
    both = tensors + TensorDataset(gradkit.tensor([10, 11]))
    assert isinstance(both, ConcatDataset) and len(both) == 5
    assert [both[i][0].item() for i in (0, 3, 4, -1, -5)] == [4, 10, 11, 11, 4]
    for index in (5, -6):
        with pytest.raises(IndexError, match="out of range"):
            both[index]


def test_dataset_without_items_raises():
    with pytest.raises(NotImplementedError, match="__getitem__"):
        Dataset()[0]


@pytest.mark.parametrize("lengths", [[3, 7], [10], [0.35, 0.35, 0.3], [0.5, 0.5], [0.9]])
def test_random_split_deals_as_torch_does(lengths, torch):
    if sum(lengths) < 1:
        with pytest.raises(ValueError, match="Sum of input lengths"):
            random_split(range(10), lengths)
        return
    mine = random_split(range(10), lengths, gradkit.Generator().manual_seed(4))
    theirs = torch.utils.data.random_split(range(10), lengths, torch.Generator().manual_seed(4))
    assert [list(part.indices) for part in mine] == [list(part.indices) for part in theirs]


def test_random_split_draws_from_the_default_generator():
    gradkit.manual_seed(3)
    first = random_split(range(10), [5, 5])
    gradkit.manual_seed(3)
    assert list(first[0].indices) == list(random_split(range(10), [5, 5])[0].indices)


@pytest.mark.parametrize("lengths", [[3, 3], [0.5, 0.6], [-0.5, 1.5]])
def test_lengths_that_do_not_add_up_raise(lengths):
    with pytest.raises(ValueError):
        random_split(range(10), lengths)


def test_digits_are_those_of_the_test_set():
    images, labels = load_digits()
    assert (images.shape, images.dtype, labels.shape, labels.dtype) == ((1797, 8, 8), "uint8", (1797,), "int64")
    assert (images.min(), images.max()) == (0, 16)
    # The class counts that the data set's own description states.
    counts = [int((labels == digit).sum()) for digit in range(10)]
    assert counts == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert images[0, 0].tolist() == [0, 0, 5, 13, 9, 1, 0, 0]
