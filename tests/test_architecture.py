"""The shape of the source, read off its syntax trees: who may import whom, and how long a file may grow."""

import ast
import functools
import itertools
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "gradkit"
LONGEST = 400

# From the bottom up: a module imports from its own row and the rows above it here, never from one below.
LAYERS = [
    ["errors", "version"],
    ["backend"],
    ["engine"],
    ["families"],
    ["primitives"],
    ["ops", "creation", "random"],
    ["numpy"],
    ["autograd", "func"],
    ["conversion", "history", "methods", "moving"],
    ["sparse"],
    ["nn", "optim", "data", "distributed"],
    ["linalg", "fft", "special", "cuda", "amp", "profiler", "debug", "utils"],
    ["serialization", "threads", "determinism", "numeric_limits", "tensor_types"],
    ["interop"],
    ["__init__"],
    ["examples"],
    ["__main__"],
]
LAYER = {name: height for height, row in enumerate(LAYERS) for name in row}

NEVER_AT_IMPORT = {"cupy", "cupyx", "matplotlib", "ml_dtypes", "mpi4py", "safetensors", "scipy", "torch", "tqdm"}
# utils and its parts are PyTorch's public names.
VAGUE_NAMES = {"base", "common", "helper", "helpers", "misc", "tools", "util"}


def modules():
    """Every module of the package: its dotted name below gradkit, and its file."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        inside = parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts
        yield ".".join(inside), path


MODULES = dict(modules())


@functools.cache
def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def is_type_checking(node):
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def imports_in(node, deferred=False):
    """Every import below a node, and whether it waits inside a function; those for types alone are left out."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, deferred
        elif is_type_checking(child):
            continue
        else:
            waits = deferred or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from imports_in(child, waits)


def names_of(statement):
    """The absolute dotted names that an import statement asks for; `from a import b` may mean the module a.b."""
    if isinstance(statement, ast.Import):
        return [alias.name for alias in statement.names]
    return [f"{statement.module}.{alias.name}" for alias in statement.names]


def own_module(dotted):
    """The module of ours that a dotted name lies in, or None if it is not ours; the package root is "__init__"."""
    first, *rest = dotted.split(".")
    if first != "gradkit":
        return None
    inside = itertools.accumulate(rest, lambda a, b: f"{a}.{b}")
    return max((name for name in inside if name in MODULES), key=len, default="__init__")


def own_imports(path, *, deferred):
    """Our own modules that a file imports; with deferred=False, only those it imports as it is loaded itself."""
    for statement, waits in imports_in(tree_of(path)):
        if waits and not deferred:
            continue
        yield from (found for dotted in names_of(statement) if (found := own_module(dotted)))


def height(module):
    return LAYER.get(module.split(".")[0], len(LAYERS))


@pytest.mark.parametrize("module", MODULES)
def test_every_module_has_a_layer(module):
    assert module.split(".")[0] in LAYER, "say in LAYERS where it stands, or put it into a folder that has a place"


@pytest.mark.parametrize("module", MODULES)
def test_imports_never_go_up(module):
    upward = [found for found in own_imports(MODULES[module], deferred=True) if height(found) > height(module)]
    assert not upward, f"gradkit.{module} imports {upward}, which stand above it"


def test_no_import_cycles():
    graph = {module: set(own_imports(path, deferred=False)) - {module} for module, path in MODULES.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as cycle:
        pytest.fail("import cycle: " + " <- ".join(cycle.args[1]))


@pytest.mark.parametrize("module", MODULES)
def test_imports_are_absolute(module):
    relative = [
        ast.unparse(s) for s, _ in imports_in(tree_of(MODULES[module])) if isinstance(s, ast.ImportFrom) and s.level
    ]
    assert not relative


@pytest.mark.parametrize("module", MODULES)
def test_nothing_heavy_is_imported_with_the_package(module):
    loaded = [name for s, waits in imports_in(tree_of(MODULES[module])) if not waits for name in names_of(s)]
    heavy = {name.split(".")[0] for name in loaded} & NEVER_AT_IMPORT
    assert not heavy or (module == "backend.cupy" and heavy <= {"cupy", "cupyx"})


def test_one_file_imports_cupy():
    def imports_cupy(path):
        return any(n.split(".")[0] in {"cupy", "cupyx"} for s, _ in imports_in(tree_of(path)) for n in names_of(s))

    assert {module for module, path in MODULES.items() if imports_cupy(path)} <= {"backend.cupy"}


def source_files():
    folders = ("gradkit", "kernels", "tests", "bench", "docs", ".ci")
    found = (path for folder in folders for path in (ROOT / folder).rglob("*"))
    return sorted(p for p in found if p.suffix in {".py", ".cu", ".cuh"} or p == ROOT / ".ci" / "run")


@pytest.mark.parametrize("path", source_files(), ids=lambda p: str(p.relative_to(ROOT)))
def test_file_can_be_read_in_one_sitting(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("path", source_files(), ids=lambda p: str(p.relative_to(ROOT)))
def test_file_is_named_for_what_it_holds(path):
    assert path.stem not in VAGUE_NAMES


def asked_for(tree):
    """The strings that a program compares with, matches, or looks up in the registry: where names decide."""
    for node in ast.walk(tree):
        registered = isinstance(node, ast.Subscript) and "REGISTRY" in ast.unparse(node.value)
        if registered or isinstance(node, ast.Compare | ast.MatchValue):
            yield from (n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str))


@pytest.mark.parametrize("module", [m for m in MODULES if m.split(".")[0] == "engine"])
def test_engine_asks_for_no_primitive_by_name(module):
    import gradkit  # noqa: F401  (the rows enter the registry as they are imported)
    from gradkit.engine.primitive import REGISTRY, STRUCTURES

    # "diagonal" is a primitive and also a structure that a Jacobian may have.
    named = set(asked_for(tree_of(MODULES[module]))) & (set(REGISTRY) - set(STRUCTURES))
    assert REGISTRY
    assert not named


PAGES = sorted(p for p in ROOT.rglob("*.md") if not {".git", ".venv", "venv", "node_modules"} & set(p.parts))


def anchors(page):
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    prose = re.sub(r"```.*?```|`[^`]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        aim = (page.parent / path) if path else page
        assert aim.exists(), f"{target}: no such file"
        assert not anchor or anchor in anchors(aim), f"{target}: no such heading"


def texts():
    tracked = {".py", ".md", ".toml", ".txt", ".cu", ".cuh", ".cfg", ".yml", ".rst"}
    found = (p for p in ROOT.rglob("*") if p.suffix in tracked or p == ROOT / ".ci" / "run")
    return sorted(p for p in found if p.is_file() and not {".git", ".venv", "venv", "__pycache__"} & set(p.parts))


@pytest.mark.parametrize("path", texts(), ids=lambda p: str(p.relative_to(ROOT)))
def test_text_names_no_machine_and_leaves_nothing_to_do(path):
    text = path.read_text(encoding="utf-8")
    marks = "|".join(["TO" + "DO", "FIX" + "ME", "X" * 3])
    assert not re.search(rf"\b({marks})\b", text)
    assert not re.search(r"(?<![\w.])/" + r"(home|root|tmp|Users|work)/\w", text)
