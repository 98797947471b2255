"""The command line: `python -m gradkit`, or `gradkit` where the package is installed."""

import argparse
import os
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import metadata
from pathlib import Path
from time import perf_counter
from typing import Any

import gradkit
from gradkit.backend.protocol import backend_named


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status: 0; 1 if it failed, 130 if it was interrupted.

    Arguments that make no sense exit with 2, and a message on standard error.
    """
    parser, train_parser = build_parsers()
    options = parser.parse_args(arguments)
    if options.command == "info":
        print("\n".join(f"{name:<12}{text}" for name, text in info()))
    elif options.command == "warmup":
        return warmup(options.names)
    elif options.command == "train":
        try:
            return train(options, train_parser)
        except KeyboardInterrupt:
            print("\ninterrupted", file=sys.stderr)
            return 130
    else:
        parser.print_help()
    return 0


def build_parsers() -> tuple[argparse.ArgumentParser, argparse.ArgumentParser]:
    """The parser of the command line, and the one of its command `train`, which checks more than syntax."""
    parser = argparse.ArgumentParser(
        prog="gradkit", description="Automatic differentiation for NumPy arrays with PyTorch's semantics and names."
    )
    parser.add_argument("--version", action="version", version=f"gradkit {gradkit.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    about_train = "train a model that recognises handwritten digits, on data that comes with the package"
    train = commands.add_parser("train", help=about_train, description=about_train.capitalize() + ".")
    about_info = "say which device is used and why, and list versions and thread counts"
    commands.add_parser("info", help=about_info, description=about_info.capitalize() + ".")

    about_warmup = "compile the CUDA kernels ahead of their first use, for the current GPU"
    names = commands.add_parser("warmup", help=about_warmup, description=about_warmup.capitalize() + ".")
    names.add_argument("names", nargs="*", metavar="NAME", help="kernel files, such as exp_vjp (default: all)")

    add = train.add_argument
    add("--model", choices=["cnn", "mlp"], default="cnn", help="convolutions or a hidden layer (default: %(default)s)")
    add("--epochs", type=positive(int), default=15, metavar="N", help="passes through the data (default: %(default)s)")
    add("--batch-size", type=positive(int), default=64, metavar="N", help="digits in one step (default: %(default)s)")
    add("--optimizer", choices=["adam", "sgd"], default="adam", help="what makes the steps (default: %(default)s)")
    add("--lr", type=positive(float), metavar="RATE", help="highest learning rate (default: adam 0.01, sgd 0.1)")
    add("--seed", type=seed, default=0, metavar="N", help="the same seed gives the same numbers (default: %(default)s)")
    add("--device", default="cpu", help="where to compute (default: %(default)s)")
    add("--plot", type=Path, metavar="FILE", help="draw the learning curve and some predictions; needs matplotlib")
    add("--no-progress", action="store_true", help="show no progress bar")
    add("--quiet", action="store_true", help="print the result only")
    return parser, train


def seed(text: str) -> int:
    if not -(2**63) <= int(text) < 2**64:
        raise argparse.ArgumentTypeError(f"{text!r} is outside [-2**63, 2**64)")
    return int(text)


def positive(kind: type[int] | type[float]) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = 0
        if not 0 < value < float("inf"):
            raise argparse.ArgumentTypeError(f"{text!r} is not a positive {'integer' if kind is int else 'number'}")
        return value

    return parse


# -- train
def train(options: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from gradkit.examples import digits

    try:
        gradkit.zeros(1, device=options.device)
    except (RuntimeError, ImportError) as reason:
        parser.error(f"argument --device: {reason}")
    if options.plot is not None:
        # Before the training, so that its result is not lost to a name mistyped.
        try:
            check_picture(options.plot, parser, digits.new_figure().canvas.get_supported_filetypes())
        except ImportError as missing:
            print(f"gradkit train: {missing}", file=sys.stderr)
            return 1
    start = perf_counter()
    network, history = digits.train(
        options.model, epochs=options.epochs, batch_size=options.batch_size, optimizer=options.optimizer, lr=options.lr,
        seed=options.seed, device=options.device, show_progress=not (options.no_progress or options.quiet),
        report=ignore if options.quiet else print,
    )
    last = history[-1]
    print(f"test accuracy {last.test_accuracy:.2%} after {last.number} epochs, {perf_counter() - start:.1f} s")
    if options.plot is not None:
        digits.plot(network, history, options.plot, options.device)
        print(f"picture written to {options.plot}")
    return 0


def ignore(_line: str) -> None:
    """Report to nobody."""


def check_picture(file: Path, parser: argparse.ArgumentParser, kinds: dict[str, str]) -> None:
    if not file.resolve().parent.is_dir():
        parser.error(f"argument --plot: there is no folder {file.parent}")
    if file.suffix[1:].lower() not in kinds:
        parser.error(f"argument --plot: {file} should end in one of {', '.join('.' + kind for kind in sorted(kinds))}")


# -- warmup
def warmup(names: Sequence[str]) -> int:
    """Compile kernels; CuPy keeps them on disk."""
    try:
        backend: Any = backend_named("cuda")
    except RuntimeError as reason:
        print(f"gradkit warmup: {reason}", file=sys.stderr)
        return 1
    kernels = backend.kernels
    unknown = sorted(set(names) - set(kernels.names))
    if unknown:
        print(f"gradkit warmup: no such kernel: {', '.join(unknown)}; known are {', '.join(kernels.names)}", file=sys.stderr)
        return 2
    failed = False
    for name in names or kernels.names:
        start = perf_counter()
        count, wanted = kernels.compile(name)
        failed |= count < wanted
        print(f"{name:<24}{count} kernels of {wanted}, {perf_counter() - start:.1f} s", flush=True)
    return int(failed)


# -- info
def info() -> Iterator[tuple[str, str]]:
    yield "gradkit", f"{gradkit.__version__}, {Path(gradkit.__file__).parent}"
    yield "device", device_and_why()
    yield "Python", f"{platform.python_version()}, {platform.platform()}"
    for name, distributions in (("NumPy", ["numpy"]), ("CuPy", CUPY), ("SciPy", ["scipy"])):
        yield name, installed(distributions)
    for pool in thread_pools():
        yield "threads", pool


# CuPy has a distribution for each version of CUDA.
CUPY = ["cupy", "cupy-cuda12x", "cupy-cuda13x"]


def installed(distributions: list[str]) -> str:
    for name in distributions:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return "not installed"


def device_and_why() -> str:
    reason = gradkit.cuda.why_not()
    if reason is not None:
        return f"cpu; {reason}"
    index = gradkit.cuda.current_device()
    major, minor = gradkit.cuda.get_device_capability(index)
    return (
        f"{gradkit.get_default_device()}; cuda:{index} can be used: {gradkit.cuda.get_device_name(index)}, sm_{major}{minor}, "
        f"{gradkit.cuda.mem_get_info(index)[1] / 2**30:.0f} GiB"
    )


def thread_pools() -> Iterator[str]:
    """The libraries that compute in threads, with how many each uses."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        import numpy

        blas = numpy.show_config(mode="dicts")["Build Dependencies"]["blas"]
        yield f"{gradkit.get_num_threads()} in {blas['name']} {blas['version']}; {os.cpu_count()} processors"
        return
    for pool in threadpool_info():
        yield f"{pool['num_threads']} in {pool['internal_api']} {pool['version'] or ''}, {pool.get('architecture', '')}"


if __name__ == "__main__":
    sys.exit(main())
