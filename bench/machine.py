"""What a measurement depends on and should be kept with it: the machine, its load, versions, thread pools."""

import os
import platform
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from bench import threads
from bench.libraries import Library


def cpu_model() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def load_average() -> list[float] | None:
    return [round(load, 2) for load in os.getloadavg()] if hasattr(os, "getloadavg") else None


def blas() -> str:
    """The BLAS that NumPy was built with."""
    build = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return f"{build.get('name', 'unknown')} {build.get('version', '')}".strip()


def describe(libraries: Iterable[Library], count: int) -> dict[str, Any]:
    """Everything that is the same for all the workloads of a run."""
    torch = next((library.module for library in libraries if library.name == "torch"), None)
    return {
        "cpu": cpu_model(),
        "cores": usable_cores(),
        "system": platform.platform(),
        "load_before": load_average(),
        "python": platform.python_version(),
        "versions": {"numpy": np.__version__} | {library.name: library.version for library in libraries},
        "blas": blas(),
        "threads": count,
        "torch_threads": torch.get_num_threads() if torch else None,
        "pools": threads.pools(),
    }
