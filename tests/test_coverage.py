"""docs/coverage.md is what `.ci/write_coverage.py` makes of both libraries as they are."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_page_is_current(torch):
    spec = importlib.util.spec_from_file_location("write_coverage", ROOT / ".ci" / "write_coverage.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    page = script.PAGE.read_text(encoding="utf-8")
    assert page == script.page(), "names have come or gone: run python .ci/write_coverage.py"
