"""Running workloads, and the plain record of what came out: what is written as JSON and shown as a table."""

from collections.abc import Mapping
from typing import Any

from bench.libraries import LACKING, Library
from bench.sampling import QUICK, THOROUGH, Summary, WrongResult, measure
from bench.workload import Measurement, Target, Workload

SUBJECT = "gradkit"


def run(item: Workload | Measurement, libraries: Mapping[str, Library], quick: bool, threads: int) -> dict[str, Any]:
    """Measure one item; whatever goes wrong is written into its record and the run goes on."""
    record: dict[str, Any] = {
        "name": item.name,
        "suite": item.suite,
        "title": item.title,
        "unit": item.unit,
        "contenders": {},
        "ratios": [],
    }
    try:
        if isinstance(item, Workload):
            summaries, out = measure(item, libraries, QUICK if quick else THOROUGH)
        else:
            summaries, out = from_elsewhere(item, libraries, quick)
    except WrongResult as error:
        return record | {"error": f"wrong result: {error}"}
    except Exception as error:
        return record | {"error": f"failed: {type(error).__name__}: {error}"}
    labels = item.contenders if isinstance(item, Workload) else libraries
    figures = {label: summary.as_dict() for label, summary in summaries.items()}
    figures |= {label: {"not_available": reason} for label, reason in out.items()}
    record["contenders"] = {label: figures[label] for label in labels if label in figures}
    record["ratios"] = ratios(summaries, [t for t in item.targets if t.threads in (None, threads)])
    return record


def from_elsewhere(
    item: Measurement, libraries: Mapping[str, Library], quick: bool
) -> tuple[dict[str, Summary], dict[str, str]]:
    """The summaries of a measurement that other processes made."""
    summaries, out = {}, {}
    for label in libraries:
        try:
            samples = item.measure(label, quick)
        except LACKING as error:
            out[label] = f"{type(error).__name__}: {error}"
            continue
        if samples:
            summaries[label] = Summary.of(samples)
    return summaries, out


def ratios(summaries: Mapping[str, Summary], targets: list[Target]) -> list[dict[str, Any]]:
    """Our figure over each other contender's; where a target is absolute, our figure itself."""
    if SUBJECT not in summaries:
        return []
    ours = summaries[SUBJECT]
    by_peer = {target.against: target for target in targets}
    found = [
        ratio(other, ours.median / s.median, ours.least / s.least, by_peer.get(other))
        for other, s in summaries.items()
        if other != SUBJECT
    ]
    if None in by_peer:
        found.append(ratio(None, ours.median, ours.least, by_peer[None]))
    return found


def ratio(against: str | None, median: float, least: float, target: Target | None) -> dict[str, Any]:
    record = {"against": against, "by_median": median, "by_least": least}
    if target:
        record |= {"aim": target.aim, "floor": target.floor, "verdict": target.verdict(median)}
    return record
