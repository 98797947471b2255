"""The same number of threads for every library."""

import os
from collections.abc import Iterable
from typing import Any

ONE_THREAD_XLA = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"


def restrict(count: int) -> None:
    """Set what libraries read once, as they are loaded: call it before the first import of NumPy."""
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"):
        os.environ[variable] = str(count)
    if count == 1:
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {ONE_THREAD_XLA}".strip()


def tell(modules: Iterable[Any], count: int) -> None:
    """Tell the libraries that listen while they run."""
    for module in modules:
        if hasattr(module, "set_num_threads"):
            module.set_num_threads(count)


def pools() -> list[dict[str, Any]]:
    """The thread pools of BLAS and OpenMP in this process, as threadpoolctl finds them; none if it is not installed."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return []
    wanted = ("user_api", "internal_api", "version", "threading_layer", "architecture", "num_threads")
    return [{key: pool[key] for key in wanted if key in pool} for pool in threadpool_info()]
