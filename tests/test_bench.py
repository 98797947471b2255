"""The benchmark runner: it runs, refuses wrong results, names what is missing, and compares runs."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bench import report, sampling
from bench.libraries import Library
from bench.outcome import run
from bench.workload import Target, Workload

ROOT = Path(__file__).resolve().parents[1]


def bench(*arguments):
    command = [sys.executable, "-m", "bench", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_list_names_every_suite():
    done = bench("--list", "--large")
    assert done.returncode == 0, done.stderr
    suites = {line.split()[0] for line in done.stdout.splitlines()}
    assert suites == {"overhead", "elementwise", "jvp", "jacobian", "products", "strategy", "training", "import", "gpu"}


def test_gpu_suite_says_plainly_that_there_is_no_gpu():
    hidden = "import sys; sys.modules['cupy'] = None; from bench.__main__ import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", hidden, "--quick", "--suite", "gpu"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("gpu: no GPU here: CuPy") and done.stdout.count("\n") == 1


def test_a_quick_look_at_the_gpu_suite_takes_few_elements(monkeypatch):
    from bench.suites import gpu

    monkeypatch.setattr(gpu, "ELEMENTS", gpu.ELEMENTS)
    monkeypatch.setattr(gpu, "ITEMS", list(gpu.ITEMS))
    assert all("100,000,000 float32" in item.title and item.targets for item in gpu.ITEMS)
    names = [item.name for item in gpu.ITEMS]
    gpu.shorten()
    assert gpu.rows() == (100, 1000) and [item.name for item in gpu.ITEMS] == names
    assert all("100,000 float32" in item.title and not item.targets for item in gpu.ITEMS)


def test_readme_has_the_bytes_that_are_counted():
    from bench.traffic import table

    assert "\n".join(table()) in (ROOT / "bench" / "README.md").read_text(encoding="utf-8")


def test_unknown_suite_is_refused_by_name():
    done = bench("--suite", "overhed")
    assert done.returncode == 2
    assert "no such suite: overhed" in done.stderr


def test_quick_run_writes_what_it_shows_and_can_be_compared(tmp_path):
    file = tmp_path / "results.json"
    done = bench("--quick", "--suite", "overhead", "--only", "small-", "--peers", "torch", "--json", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    document = json.loads(file.read_text(encoding="utf-8"))
    assert {"cpu", "cores", "load_before", "versions", "blas", "threads"} <= set(document["machine"])
    names = [record["name"] for record in document["results"]]
    assert names == ["small-sum", "small-amax", "small-slice", "small-reshape"]
    for record in document["results"]:
        ours = record["contenders"]["gradkit"]
        assert 0 < ours["least"] <= ours["low"] <= ours["median"] <= ours["high"], record
        assert f"{record['name']}: {record['title']}" in done.stdout

    again = bench("--quick", "--suite", "overhead", "--only", "small-sum", "--peers", "", "--against", str(file))
    assert again.returncode == 0, again.stderr
    assert "now/then" in again.stdout and "small-sum  " in again.stdout


def workload(**contenders):
    return Workload("w", "overhead", "a test", contenders, (Target(0.5, 1.0),))


LIBRARIES = {name: Library(name, np) for name in ("gradkit", "torch")}


def returning(**values):
    return lambda _lib: lambda: {name: np.asarray(value) for name, value in values.items()}


@pytest.mark.parametrize(
    ("ours", "theirs", "complaint"),
    [
        ({"y": [1.0, 2.0]}, {"y": [1.0, 2.1]}, "y of torch and of gradkit differ"),
        ({"y": [1.0]}, {"y": [[1.0]]}, "y is"),
        ({"y": [0.0]}, {"y": [0.0]}, "all zeros"),
        ({"y": [np.nan]}, {"y": [np.nan]}, "not finite"),
    ],
)
def test_wrong_result_is_an_error_and_nothing_is_timed(ours, theirs, complaint):
    record = run(workload(gradkit=returning(**ours), torch=returning(**theirs)), LIBRARIES, True, 1)
    assert complaint in record["error"]
    assert not record["contenders"]


def test_missing_feature_is_reported_and_peers_are_still_timed():
    def build(lib):
        return lib.no_such_function

    record = run(workload(gradkit=build, torch=returning(y=[1.0])), LIBRARIES, True, 1)
    assert "no_such_function" in record["contenders"]["gradkit"]["not_available"]
    assert record["contenders"]["torch"]["median"] > 0
    assert any("not available: AttributeError" in line for line in report.table([record]))


def test_failure_is_no_missing_feature():
    def build(_lib):
        raise ValueError("broken")

    record = run(workload(gradkit=build, torch=returning(y=[1.0])), LIBRARIES, True, 1)
    assert record["error"] == "failed: ValueError: broken"


def test_verdict_weighs_the_ratio_of_medians(monkeypatch):
    of = {"gradkit": [3.0, 1.0, 2.0], "torch": [4.0, 4.0, 4.0]}
    monkeypatch.setattr(sampling, "sample", lambda works, *_: {k: sampling.Summary.of(of[k]) for k in works})
    record = run(workload(gradkit=returning(y=[1.0]), torch=returning(y=[1.0])), LIBRARIES, True, 1)
    (ratio,) = record["ratios"]
    assert ratio["by_median"] == 0.5 and ratio["by_least"] == 0.25
    assert ratio["verdict"] == "aim"


@pytest.mark.parametrize(("ratio", "verdict"), [(0.5, "aim"), (0.51, "floor"), (1.0, "floor"), (1.01, "MISS")])
def test_targets_are_reached_up_to_their_edge(ratio, verdict):
    assert Target(aim=0.5, floor=1.0).verdict(ratio) == verdict


def test_target_for_other_threads_does_not_count():
    item = Workload(
        "w",
        "overhead",
        "a test",
        {"gradkit": returning(y=[1.0]), "torch": returning(y=[1.0])},
        (Target(0.5, 1.0, threads=2),),
    )
    (ratio,) = run(item, LIBRARIES, True, 1)["ratios"]
    assert "verdict" not in ratio
    (ratio,) = run(item, LIBRARIES, True, 2)["ratios"]
    assert "verdict" in ratio
