"""`python -m bench`: time gradkit beside other libraries in one process, and show ratios, aims and floors."""

import argparse
import datetime
import json
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from bench import threads

#: Suites in the order they run, and the module that declares each one's workloads.
SUITES = {
    "overhead": "bench.suites.overhead",
    "elementwise": "bench.suites.elementwise",
    "jvp": "bench.suites.jvp",
    "jacobian": "bench.suites.jacobian",
    "products": "bench.suites.products",
    "strategy": "bench.suites.strategy",
    "training": "bench.suites.training",
    "import": "bench.suites.footprint",
    "gpu": "bench.suites.gpu",
}
PEERS = ("torch", "jax", "autograd")


def some_of(known: Any, what: str) -> Any:
    """A parser of comma-separated names."""

    def parse(text: str) -> list[str]:
        names = [name for name in text.split(",") if name]
        unknown = sorted(set(names) - set(known))
        if unknown:
            raise argparse.ArgumentTypeError(f"no such {what}: {', '.join(unknown)}; known are {', '.join(known)}")
        return names

    return parse


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    p.add_argument("--list", action="store_true", help="name the workloads and stop")
    p.add_argument(
        "--suite", type=some_of(SUITES, "suite"), action="extend", help=f"of {', '.join(SUITES)}; default: all"
    )
    p.add_argument("--only", metavar="TEXT", help="only workloads whose name contains this")
    p.add_argument(
        "--peers", type=some_of(PEERS, "peer"), default=list(PEERS), help="default: %(default)s, if installed"
    )
    p.add_argument("--threads", type=int, default=1, metavar="N", help="threads of each library; default: 1")
    p.add_argument("--quick", action="store_true", help="see that everything runs; the figures mean little")
    p.add_argument("--large", action="store_true", help="also what needs several gigabytes")
    p.add_argument("--json", type=Path, metavar="FILE", help="write the results")
    p.add_argument("--against", type=Path, metavar="FILE", help="compare with results written before")
    return p


def chosen(args: argparse.Namespace) -> Iterator[Any]:
    for name in args.suite or SUITES:
        suite = import_module(SUITES[name])
        if args.quick and hasattr(suite, "shorten"):
            suite.shorten()
        for item in suite.ITEMS:
            if (args.large or not item.large) and (not args.only or args.only in item.name):
                yield item


def unable(suites: set[str]) -> Iterator[tuple[str, str]]:
    """The suites that cannot run on this machine, and why."""
    for name in suites:
        reason = getattr(import_module(SUITES[name]), "why_not", lambda: None)()
        if reason:
            yield name, reason


def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)
    threads.restrict(args.threads)  # before anything below imports NumPy
    then = json.loads(args.against.read_text(encoding="utf-8"))["results"] if args.against else None
    items = list(chosen(args))
    if args.list:
        print(*(f"{item.suite:<12} {item.name:<28} {item.title}" for item in items), sep="\n")
        return 0
    if not items:
        print("no such workload; see --list", file=sys.stderr)
        return 2
    for suite, reason in unable({item.suite for item in items}):
        print(f"{suite}: {reason}")
        items = [item for item in items if item.suite != suite]
    if not items:
        return 0

    document = measure(items, args)
    if args.json:
        args.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    if then is not None:
        from bench.report import comparison

        print("", *comparison(document["results"], then), sep="\n")
    return 1 if any("error" in record for record in document["results"]) else 0


def measure(items: list[Any], args: argparse.Namespace) -> dict[str, Any]:
    """Run the items and print the table as it grows; return everything that is worth keeping."""
    from bench import libraries, machine, outcome, report

    found, missing = libraries.load([outcome.SUBJECT, *args.peers])
    threads.tell((library.module for library in found.values()), args.threads)
    about = machine.describe(found.values(), args.threads)
    print(*report.heading(about, missing), sep="\n")

    results: list[dict[str, Any]] = []
    for item in items:
        record = outcome.run(item, found, args.quick, args.threads)
        new_suite = not results or results[-1]["suite"] != record["suite"]
        lines = list(report.table([record]))
        print(*(lines if new_suite else lines[2:]), sep="\n", flush=True)
        results.append(record)
    print("", report.totals(results), sep="\n")
    return {
        "schema": 1,
        "made": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "quick": args.quick,
        "machine": about | {"load_after": machine.load_average()},
        "left_out": missing,
        "results": results,
    }


if __name__ == "__main__":
    sys.exit(main())
