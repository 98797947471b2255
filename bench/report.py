"""Results for people: the table of a run, and the comparison of two runs."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

SCALES = {
    "s": [(1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns")],
    "B": [(1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B")],
}
Record = dict[str, Any]


def quantity(value: float, unit: str) -> str:
    """A figure with three significant digits and the unit that suits it."""
    scale, name = next(((s, n) for s, n in SCALES[unit] if abs(value) >= s), SCALES[unit][-1])
    return f"{value / scale:.3g} {name}"


def heading(machine: Record, missing: dict[str, str]) -> Iterator[str]:
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    yield f"{machine['cpu']}, {machine['cores']} cores, load {machine['load_before']}; {machine['threads']} thread(s)"
    yield f"Python {machine['python']}, {versions}; BLAS of NumPy: {machine['blas']}"
    for name, reason in missing.items():
        yield f"{name}: left out, {reason}"
    yield ""
    yield "ratio: gradkit's time over the other's, by medians and by minima; aim and floor are for the first"


def table(results: list[Record]) -> Iterator[str]:
    for suite, records in groupby(results, key=lambda record: record["suite"]):
        yield ""
        columns = f"{'median':>9} {'quartiles':>19} {'least':>9} {'ratio':>8} {'by min':>7} {'aim':>7} {'floor':>7}"
        yield f"{suite:<34}{columns}"
        for record in records:
            yield from lines_of(record)


def lines_of(record: Record) -> Iterator[str]:
    yield f"{record['name']}: {record['title']}"
    if "error" in record:
        yield f"    {record['error']}"
    by_peer = {ratio["against"]: ratio for ratio in record["ratios"]}
    for label, figures in record["contenders"].items():
        if "not_available" in figures:
            yield f"    {label:<30}not available: {figures['not_available']}"
            continue
        # A target against nothing stands beside our own figure.
        ratio = by_peer.get(None if label == "gradkit" else label)
        yield f"    {label:<28}{figures_of(figures, record['unit'])}{ratio_of(ratio, record['unit'])}".rstrip()


def figures_of(figures: Record, unit: str) -> str:
    quartiles = f"{quantity(figures['low'], unit)} - {quantity(figures['high'], unit)}"
    return f"{quantity(figures['median'], unit):>11} {quartiles:>19} {quantity(figures['least'], unit):>9} "


def ratio_of(ratio: Record | None, unit: str) -> str:
    if ratio is None:
        return ""
    absolute = ratio["against"] is None
    shown = f"{'':>16} " if absolute else f"{ratio['by_median']:>8.3g} {ratio['by_least']:>7.3g} "
    if "aim" not in ratio:
        return shown
    aim, floor = (quantity(ratio[k], unit) if absolute else f"{ratio[k]:g}" for k in ("aim", "floor"))
    return f"{shown}{aim:>7} {floor:>7}  {ratio['verdict']}"


def totals(results: list[Record]) -> str:
    """How many targets were met, and what could not be measured."""
    verdicts = [ratio["verdict"] for record in results for ratio in record["ratios"] if "verdict" in ratio]
    failed = sum("error" in record for record in results)
    lacking = sum("not_available" in record["contenders"].get("gradkit", {}) for record in results)
    counts = ", ".join(
        f"{verdicts.count(kind)} {text}"
        for kind, text in [("aim", "reach the aim"), ("floor", "hold the floor"), ("MISS", "miss it")]
    )
    return f"{len(verdicts)} targets: {counts}. {lacking} workloads not available, {failed} failed."


def comparison(now: list[Record], then: list[Record]) -> Iterator[str]:
    """Every figure of ours that stands in both runs, now over then, and its ratios: those travel between machines."""
    earlier = {record["name"]: record for record in then}
    yield f"{'':<28}{'now':>10} {'then':>10} {'now/then':>9}   ratio to a peer, now (then)"
    for record in now:
        ours, theirs = (r.get("contenders", {}).get("gradkit", {}) for r in (record, earlier.get(record["name"], {})))
        if "median" not in ours or "median" not in theirs:
            continue
        a, b = ours["median"], theirs["median"]
        before = {ratio["against"]: ratio["by_median"] for ratio in earlier[record["name"]]["ratios"]}
        peers = ", ".join(
            f"{ratio['against']} {ratio['by_median']:.3g} ({before[ratio['against']]:.3g})"
            for ratio in record["ratios"]
            if "aim" in ratio and ratio["against"] in before
        )
        figures = f"{quantity(a, record['unit']):>10} {quantity(b, record['unit']):>10} {a / b:>9.3g}"
        yield f"{record['name']:<28}{figures}   {peers}".rstrip()
