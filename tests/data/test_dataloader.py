"""DataLoader: batches, their order, what collating makes of samples, threads."""

import threading
from collections import namedtuple

import numpy as np
import pytest

import gradkit
from gradkit.backend import probe
from gradkit.data import BatchSampler, DataLoader, Dataset, SequentialSampler, Subset, TensorDataset, default_collate

ROWS = TensorDataset(gradkit.arange(20).reshape(10, 2), gradkit.arange(10))


def labels(loader):
    return [batch[1].tolist() for batch in loader]


def test_batches_in_order():
    loader = DataLoader(ROWS, batch_size=4)
    assert len(loader) == 3 and labels(loader) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert next(iter(loader))[0].tolist() == [[0, 1], [2, 3], [4, 5], [6, 7]]
    assert isinstance(next(iter(loader)), list)
    assert labels(DataLoader(ROWS, batch_size=4, drop_last=True)) == [[0, 1, 2, 3], [4, 5, 6, 7]]


@pytest.mark.parametrize("with_generator", [False, True])
@pytest.mark.parametrize("batch_size", [1, 3, 10])
def test_shuffled_order_is_that_of_torch_for_several_epochs(batch_size, with_generator, torch):
    from torch.utils import data

    torch.manual_seed(5)
    gradkit.manual_seed(5)
    own = {"generator": gradkit.Generator().manual_seed(1)} if with_generator else {}
    others = {"generator": torch.Generator().manual_seed(1)} if with_generator else {}
    mine = DataLoader(ROWS, batch_size, shuffle=True, **own)
    numbers = data.TensorDataset(torch.arange(10), torch.arange(10))
    theirs = data.DataLoader(numbers, batch_size, shuffle=True, **others)
    for _ in range(3):
        assert labels(mine) == labels(theirs)
    assert gradkit.rand(1).item() == torch.rand(1).item()  # and as many numbers were drawn


class Squares(Dataset):
    def __len__(self):
        return 10

    def __getitem__(self, index):
        return np.full(2, index, np.float32), index**2


def test_samples_of_ones_own_dataset_are_stacked():
    x, y = next(iter(DataLoader(Squares(), batch_size=3)))
    assert x.dtype == gradkit.float32 and x.tolist() == [[0, 0], [1, 1], [2, 2]]
    assert y.dtype == gradkit.int64 and y.tolist() == [0, 1, 4]


def test_taking_whole_batches_is_the_same_as_collating_samples():
    subset = Subset(Subset(ROWS, [9, 7, 5, 3, 1]), [4, 0, 2])
    by_sample = [default_collate([subset[i] for i in numbers]) for numbers in ([0, 1], [2])]
    for batch, expected in zip(DataLoader(subset, batch_size=2), by_sample, strict=True):
        assert [t.tolist() for t in batch] == [t.tolist() for t in expected]
        assert [t.dtype for t in batch] == [t.dtype for t in expected]


def test_batches_do_not_share_memory_with_the_dataset():
    data = gradkit.zeros(4)
    (batch,) = next(iter(DataLoader(TensorDataset(data), batch_size=4)))
    batch.fill_(1.0)
    assert not data.any()


def test_overridden_access_is_used():
    class Negated(TensorDataset):
        def __getitem__(self, index):
            return tuple(-t for t in super().__getitem__(index))

    assert labels(DataLoader(Negated(*ROWS.tensors), batch_size=5)) == [[0, -1, -2, -3, -4], [-5, -6, -7, -8, -9]]
    assert labels(DataLoader(Subset(Negated(*ROWS.tensors), [3]))) == [[-3]]


def test_gradients_flow_through_batches():
    data = gradkit.ones(4, requires_grad=True)
    for (batch,) in DataLoader(TensorDataset(data), batch_size=3):
        (batch * 2).sum().backward()
    assert data.grad.tolist() == [2, 2, 2, 2]


def test_samplers_and_collate_functions_of_ones_own():
    assert labels(DataLoader(ROWS, batch_size=2, sampler=[5, 1, 3])) == [[5, 1], [3]]
    assert labels(DataLoader(ROWS, batch_sampler=[[1, 2], [3]])) == [[1, 2], [3]]
    assert list(DataLoader("abc", batch_size=2, collate_fn="".join)) == ["ab", "c"]
    assert len(DataLoader(ROWS, batch_sampler=BatchSampler(SequentialSampler(ROWS), 3, False))) == 4


def test_without_batches_samples_come_singly():
    loader = DataLoader(Squares(), batch_size=None)
    x, y = next(iter(loader))
    assert len(loader) == 10 and isinstance(x, gradkit.Tensor) and (x.tolist(), y) == ([0, 0], 0)


def test_loader_can_be_walked_twice_at_once():
    loader = DataLoader(ROWS, batch_size=5)
    assert [(a[1].tolist()[0], b[1].tolist()[0]) for a in loader for b in loader] == [(0, 0), (0, 5), (5, 0), (5, 5)]


# -- threads
@pytest.mark.parametrize("workers", [1, 3])
def test_threads_keep_the_order(workers):
    gradkit.manual_seed(0)
    expected = labels(DataLoader(ROWS, batch_size=3, shuffle=True))
    gradkit.manual_seed(0)
    assert labels(DataLoader(ROWS, batch_size=3, shuffle=True, num_workers=workers)) == expected


def test_threads_fetch_ahead_and_end_with_the_loop():
    fetched = []

    class Noting(Squares):
        def __getitem__(self, index):
            fetched.append((index, threading.current_thread().name))
            return index

    before = threading.active_count()
    loop = iter(DataLoader(Noting(), num_workers=2, prefetch_factor=1))
    next(loop)
    loop.close()
    assert threading.active_count() == before
    assert {i for i, _ in fetched} <= set(range(4)) and all("gradkit-data" in name for _, name in fetched)


def test_error_in_a_thread_reaches_the_loop():
    class Broken(Squares):
        def __getitem__(self, index):
            raise ZeroDivisionError("sample is broken")

    with pytest.raises(ZeroDivisionError, match="sample is broken"):
        list(DataLoader(Broken(), num_workers=2))


# -- collating
Point = namedtuple("Point", "x y")


@pytest.mark.parametrize(
    "batch",
    [
        [1, 2],
        [1.5, 2.5],
        [True, False],
        [np.float32(1), np.float32(2)],
        [np.float64(1), np.float64(2)],
        [np.zeros(2), np.ones(2)],
        [(1, 2.0), (3, 4.0)],
        [[1, 2], [3, 4]],
        [{"a": 1, "b": 2.0}, {"a": 3, "b": 4.0}],
        [Point(1, 2), Point(3, 4)],
        ["a", "b"],
        [b"a", b"b"],
        [(1, "a"), (2, "b")],
    ],
    ids=str,
)
def test_batch_is_made_as_torch_makes_it(batch, torch):
    assert plain(default_collate(batch)) == plain(torch.utils.data.default_collate(batch))


def plain(tree):
    """A batch with its Tensors as (dtype, list)."""
    if hasattr(tree, "tolist"):
        return str(tree.dtype).removeprefix("torch."), tree.tolist()
    if isinstance(tree, dict):
        return {key: plain(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return type(tree).__name__, [plain(value) for value in tree]
    return tree


@pytest.mark.parametrize(
    ("batch", "error"),
    [
        ([Ellipsis], TypeError),
        ([None], TypeError),
        ([np.array(["a"])], TypeError),
        ([[1, 2], [3]], RuntimeError),
        ([gradkit.zeros(2), gradkit.zeros(3)], RuntimeError),
    ],
    ids=str,
)
def test_samples_that_make_no_batch_raise(batch, error):
    with pytest.raises(error):
        default_collate(batch)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"batch_size": 0}, "batch_size=0"),
        ({"shuffle": True, "sampler": [0]}, "exclusive with shuffle"),
        ({"batch_size": 2, "batch_sampler": [[0]]}, "exclusive with batch_size"),
        ({"batch_size": None, "drop_last": True}, "disables auto-batching"),
        ({"num_workers": -1}, "non-negative"),
        ({"prefetch_factor": 2}, "num_workers > 0"),
    ],
)
def test_options_that_exclude_each_other_raise(options, text):
    with pytest.raises(ValueError, match=text):
        DataLoader(ROWS, **options)


def test_pinning_without_a_device_warns_and_gives_the_batches(monkeypatch):
    monkeypatch.setattr(probe, "why_not", lambda: "there is none")
    loader = DataLoader(TensorDataset(gradkit.arange(4)), 2, pin_memory=True)
    with pytest.warns(UserWarning, match="pin_memory is True, but no CUDA device can be used: there is none"):
        batches = [batch.tolist() for (batch,) in loader]
    assert batches == [[0, 1], [2, 3]]
