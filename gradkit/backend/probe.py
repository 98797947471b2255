"""Whether a GPU can be used, and if not, why, and what to install. Asked at the first use of one, and then remembered."""

from functools import cache

from gradkit.backend.protocol import Backend, backends, enter

INSTALL = "pip install 'gradkit[cuda13]', or 'gradkit[cuda12]' for an older driver"


@cache
def why_not() -> str | None:
    """One line that says why no GPU can be used and what to do about it; None if one can."""
    try:
        from gradkit.backend import cupy
    except ModuleNotFoundError as missing:
        if missing.name != "cupy":
            return f"CuPy cannot be imported ({_line(missing)}): {INSTALL}"
        return f"CuPy, which a GPU needs, is not installed: {INSTALL}"
    except Exception as reason:  # a broken installation raises what it likes
        return f"CuPy cannot be imported ({_line(reason)}): {INSTALL}"
    return cupy.trouble()


def opened() -> Backend:
    reason = why_not()
    if reason is not None:
        raise RuntimeError(f"no CUDA device can be used: {reason}; or leave the tensor on the CPU")
    from gradkit.backend.cupy import CupyBackend

    return backends.get("cuda") or enter(CupyBackend())


def _line(error: BaseException) -> str:
    text = str(error).strip()
    return f"{type(error).__name__}: {text.splitlines()[0]}" if text else type(error).__name__
