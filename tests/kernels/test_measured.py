"""`python -m bench --suite gpu` runs where there is a device: every contender, on a few elements."""

import pytest

from bench import sampling
from bench.libraries import Library
from bench.suites import gpu


@pytest.mark.parametrize("item", gpu.ITEMS, ids=lambda item: item.name)
def test_every_contender_computes_the_same(item, monkeypatch):
    monkeypatch.setattr(gpu, "ELEMENTS", 5000)
    import gradkit

    works, out = sampling.build(item, {"gradkit": Library("gradkit", gradkit)})
    assert {"gradkit", "gradkit rule"} <= set(works)
    assert all("cupy.fuse" in reason for reason in out.values()), out
