"""Write docs/coverage.md: which of PyTorch's public names gradkit has, and which not. Needs torch.

`python .ci/write_coverage.py` writes it; with --check it only says whether it is current, by its exit status.
"""

import importlib
import re
import sys
import textwrap
import types
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[1] / "docs" / "coverage.md"

#: What a section covers: the module or class in torch, and the one here.
SECTIONS = [
    ("torch", "gradkit"), ("torch.Tensor", "gradkit.Tensor"), ("torch.nn", "gradkit.nn"),
    ("torch.nn.functional", "gradkit.nn.functional"), ("torch.nn.init", "gradkit.nn.init"),
    ("torch.nn.utils", "gradkit.nn.utils"), ("torch.nn.utils.rnn", "gradkit.nn.utils.rnn"),
    ("torch.optim", "gradkit.optim"), ("torch.optim.lr_scheduler", "gradkit.optim.lr_scheduler"),
    ("torch.utils.data", "gradkit.utils.data"), ("torch.autograd", "gradkit.autograd"),
    ("torch.autograd.functional", "gradkit.autograd.functional"), ("torch.autograd.graph", "gradkit.autograd.graph"),
    ("torch.utils.checkpoint", "gradkit.utils.checkpoint"), ("torch.func", "gradkit.func"),
    ("torch.linalg", "gradkit.linalg"), ("torch.fft", "gradkit.fft"), ("torch.special", "gradkit.special"),
    ("torch.random", "gradkit.random"),
]  # fmt: skip

#: Modules of which there may be nothing at all.
WHOLE = [
    "torch.amp", "torch.autograd.profiler", "torch.backends", "torch.compiler", "torch.distributed", "torch.distributions",
    "torch.export", "torch.fx", "torch.hub", "torch.jit", "torch.multiprocessing", "torch.nn.parallel", "torch.nn.utils.fusion",
    "torch.nn.utils.parametrizations", "torch.nn.utils.parametrize", "torch.nn.utils.prune", "torch.nn.utils.stateless", "torch.onnx",
    "torch.optim.swa_utils", "torch.overrides", "torch.profiler", "torch.signal", "torch.sparse", "torch.testing",
]  # fmt: skip

#: Modules that show all they import: what they list counts.
LISTED = {"torch.autograd.graph", "torch.utils.checkpoint"}

#: Names that are not counted: other number formats and layouts, compilers and exporters, one vendor's libraries, what
#: PyTorch keeps for itself although it shows, and names it calls deprecated.
APART = {
    "quantised, sparse and nested tensors": r"q(u?int|_|scheme)|quant|int_repr|is_q|sparse|spmm|saddmm|h?smm|coo|csr|csc|bs[rc]|"
    r"coalesce|crow_|ccol_|(row|col)_indices|^(in)?dices|^values|dense|jagged|padded_tensor|nested|SparseAdam|bits?[0-9]|u?int[1-7]$",
    "compilation, export and tracing": r"script|jit|graph|compil|symbol|Sym[A-Z]|^sym_|fork$|^wait$|parse_|import_ir|trac|vmap_|Alias|"
    r"functionalize|while_loop|^cond$|slice_inverse|assert_int|boolean_dispatch|torch_function|is_tensor_like|rearrange|debug_unwrap",
    "one vendor's libraries": r"cudnn|miopen|mkldnn|fbgemm|vulkan|onednn|xnn|mps|xpu|hpu|ipu|xla|mtia|maia|lazy|Lazy|meta",
    "storages, views by name and other insides": r"[Ss]torage|Type$|_copy$|^_|FunctionSchema|^native_|_backward_|batch_norm_|Memo|Logger|"
    r"Future|Block|^(Use|Node|Code|Tag|Value|Capsule|Argument|Generator)|Operator|Python|PyTorchFile|Dispatch|Context|Engine|fake|fused|"
    r"unsafe|_stats|thread|autocast|GradScaler|Profiler|kineto|Event|Stream|Device|Saved|profiler|_enabled|deprecated|common_|Options|"
    r"factory|ParamSpec|TypeVar|Literal|TYPE_CHECKING|__|argument_validation|runtime_validation|DataPipe|datapipe|determinism|deterministic|"
    r"Data[C]hunk|layout|memory_format|_format$|channels_last|hash_tensor|const_data_ptr|dim_order|module_load|as_subclass|names?$|rename|"
    r"align_|refine|typename|classproperty|BenchmarkConfig|Benchmark|Aggregation|ErrorReport|AcceleratorError|FatalError|FileCheck|Throughput|"
    r"has_[a-z]+$|init_num|interop|unify|merge_type|Any|Mapping|Sequence|^(cast|overload|annotations|override|partial|ref|wraps|inf|Self|"
    r"Counter|bisect_right|Supports|Typed|Optimizer|Tensor)",
    "deprecated": r"^(svd_|symeig|eig|lstsq|solve|triangular_solve|range|norm_except_dim|Container|NLLLoss2d|CrossMapLRN2d|volatile"
    r"|upsample|nuclear_norm|frobenius_norm|chain_matmul|lu_unpack|reinforce|resize$|resize_as$|new$|storage_type)|^(clip_grad_norm|constant|dirac|eye"
    r"|kaiming_\w+l|kaiming_uniform|normal|orthogonal|sparse|uniform|xavier_\w+)$",
}  # fmt: skip


def found(path: str) -> Any:
    """The module or class of a dotted name, None if there is none."""
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError:
        parent, _, name = path.rpartition(".")
        return getattr(importlib.import_module(parent), name, None) if parent else None


def public(path: str) -> list[str]:
    """The names that torch shows there, without modules and what is set apart."""
    source = importlib.import_module("torch").Tensor if path == "torch.Tensor" else importlib.import_module(path)
    names = [name for name in (sorted(source.__all__) if path in LISTED else dir(source)) if not name.startswith("_")]
    names = [name for name in names if not isinstance(getattr(source, name, None), types.ModuleType)]
    return [name for name in names if not any([re.search(pattern, name) for pattern in APART.values()])]


def section(theirs: str, ours: str) -> tuple[list[str], list[str]]:
    """The names that are here, and those that are not."""
    names, own = public(theirs), found(ours)
    there = [name for name in names if hasattr(own, name)]
    return there, [name for name in names if name not in there]


def page() -> str:
    results = {theirs: section(theirs, ours) for theirs, ours in SECTIONS}
    lines = [
        "# What is there of PyTorch's names",
        "",
        "Written by `.ci/write_coverage.py`: change that, not this. A name that is there means what it means in PyTorch, or its",
        "documentation says where it does not.",
        "",
        "| in PyTorch | there | missing |",
        "|---|---|---|",
        *[f"| `{path}` | {len(there)} | {len(missing)} |" for path, (there, missing) in results.items()],
        "",
        "Not counted: " + "; ".join(APART) + ".",
        "",
        "## What differs on purpose",
        "",
        "- `gradkit.Tensor(data)` is no constructor: it would cost every operation 3 % to 5 %. Write `gradkit.tensor(data)`, or",
        "  `gradkit.FloatTensor(data)`.",
        "- Slices may run backwards, and arrays with negative strides are shared, as in NumPy; `as_strided` copies.",
        "- Writing where source and target overlap gives what a copy of the source would give; PyTorch raises RuntimeError.",
        "- Any write into an expanded tensor raises RuntimeError; PyTorch lets one number through.",
        "- `x.data` shares the version counter of `x`, as `detach()` does: what would falsify a gradient raises.",
        "- Inside a transform of `func`, plain numbers may be written into what its function closes over, and anything into what it",
        "  reaches through an object, which then keeps the value and no history; PyTorch refuses.",
        "- No function takes `out=`: write `y.copy_(f(x))`. Layouts and memory formats are not chosen: NumPy's strides are.",
        "- dtypes are NumPy's and print so: `dtype('float32')`. Numbers out of range warn as `np.seterr` says.",
        "- What `split`, `chunk` and `unbind` give may be written in place; PyTorch refuses where gradients are recorded.",
        "- Losses know `reduction` by name only: what PyTorch deprecates before it (`size_average`, `reduce`) is gone.",
        "- `np.float64(2) * x` promotes as NumPy does, to float64; `2.0 * x` as PyTorch does.",
        "- `checkpoint(..., use_reentrant=None)` means False; in PyTorch it warns and means True. With True, a second derivative",
        "  raises where PyTorch's has no history. Saved tensors may be read twice in a checkpointed custom function.",
        "- A policy of `create_selective_checkpoint_contexts` is told the names of rows (`\"matmul\"`) for PyTorch's operators.",
        "- Anomaly mode is a thread's own. In the forward pass it warns of an operation that makes a NaN or Inf of finite",
        "  operands; errors name the index and the user's line.",
        "- A custom function that returns one tensor twice has both cotangents; PyTorch gives their sum to the second.",
        "- Forward over reverse refuses node hooks that change a gradient, and such hooks on a tensor that was used before or that",
        "  the derivative of its operation reads (`exp`). What `func.vjp` gives is a node of its tape: a hook on it runs in",
        "  its `vjp_fn` too. `functional_call` raises for a name that the module has not, `strict` or not.",
        "- `functional.jvp` and `hvp` run a function that takes gradients at its inputs, or registers hooks, a second time.",
        '  `jacobian(strategy="auto")` applies such hooks only where it goes backward.',
        "- A leaf that nobody holds any more gets no `grad`, and hooks around the writing of that are not called. A dual level is a",
        "  thread's own: in another, `unpack_dual` and `make_dual` are told `level=`.",
        "- Views that `inference_mode` takes of a tensor that requires grad do not require grad.",
        "- Optimisers refuse `differentiable=True` with NotImplementedError: write such an update with ordinary operations.",
        "- A tangent given to `func.jvp` or `forward_ad.make_dual` takes the dtype of its primal; PyTorch keeps the tangent's, and",
        "  lets it be complex beside a real primal.",
        "- `logdet` and `slogdet` of a singular matrix have nan for a gradient; PyTorch has inf in some elements.",
        "",
        "## Missing",
        "",
        textwrap.fill(
            "Whole modules, and with them `autocast`, `GradScaler` and averages of weights: "
            + ", ".join([f"`{path}`" for path in WHOLE if not found(path.replace("torch", "gradkit", 1))])
            + ". Of what is not counted also `autograd.set_multithreading_enabled` and `func.functionalize`.",
            120, break_on_hyphens=False,
        ),
    ]
    for path, (_, missing) in results.items():
        if missing:
            shown = textwrap.fill(", ".join([f"`{name}`" for name in missing]), 120, break_on_hyphens=False)
            lines += ["", f"`{path}`:", shown]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if "--check" in sys.argv:
        current = PAGE.exists() and PAGE.read_text(encoding="utf-8") == page()
        sys.exit(None if current else f"{PAGE.name} is out of date: run python .ci/write_coverage.py")
    PAGE.write_text(page(), encoding="utf-8")
