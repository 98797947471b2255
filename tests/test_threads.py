"""The threads of NumPy's BLAS."""

import pytest

import gradkit
from gradkit import threads


def test_the_number_of_threads_is_set():
    if threads._functions() is None and not threads._controller():
        with pytest.raises(RuntimeError, match="OMP_NUM_THREADS"):
            gradkit.set_num_threads(1)
        return
    before = gradkit.get_num_threads()
    try:
        for count in (2, 1):
            gradkit.set_num_threads(count)
            assert gradkit.get_num_threads() == count
    finally:
        gradkit.set_num_threads(before)


def test_a_blas_without_such_functions_says_what_to_do(monkeypatch):
    monkeypatch.setattr(threads, "_functions", lambda: None)
    monkeypatch.setattr(threads, "_controller", lambda: None)
    assert gradkit.get_num_threads() == 1
    with pytest.raises(RuntimeError, match="OMP_NUM_THREADS"):
        gradkit.set_num_threads(2)


@pytest.mark.parametrize("count", [0, -1, 1.5, "2"])
def test_what_is_no_number_of_threads_raises(count, torch):
    for library in (gradkit, torch):
        with pytest.raises(RuntimeError):
            library.set_num_threads(count)
