"""The command line, run as a user runs it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import gradkit
from gradkit import __main__ as command

ROOT = Path(__file__).resolve().parents[1]


def run(*arguments, code=0, python=()):
    program = [sys.executable, *(python or ["-W", "error", "-m", "gradkit"])]
    done = subprocess.run([*program, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    return done


def numbers(output, name):
    """What stands behind a name in the lines of the epochs."""
    return [float(text) for text in re.findall(rf"^epoch.*\b{name} +([\d.]+)", output, re.MULTILINE)]


def without_times(output):
    return re.sub(r"[\d.]+ s$", "", output, flags=re.MULTILINE)


# -- train
@pytest.fixture(scope="module")
def short_run():
    return run("train", "--epochs", "4").stdout


def test_cnn_learns(short_run):
    losses, accuracies = numbers(short_run, "loss"), numbers(short_run, "test accuracy")
    assert len(losses) == 4 and losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.2 * losses[0] and accuracies[-1] > 95
    assert "device cpu" in short_run and "1438 digits to train on, 359 to test with" in short_run
    assert re.search(r"^test accuracy 9\d\.\d\d% after 4 epochs, [\d.]+ s$", short_run, re.MULTILINE)


def test_same_seed_gives_the_same_numbers(short_run):
    assert without_times(run("train", "--epochs", "4", "--seed", "0").stdout) == without_times(short_run)


def test_other_seed_gives_other_numbers(short_run):
    assert numbers(run("train", "--epochs", "1", "--seed", "1").stdout, "loss") != numbers(short_run, "loss")[:1]


@pytest.mark.parametrize("model", ["mlp", "cnn"])
def test_training_is_that_of_torch_step_by_step(model, torch):
    from gradkit.examples import digits

    _, history = digits.train(model, epochs=2, seed=3, report=lambda _: None)
    losses = [epoch.loss for epoch in history]
    assert losses == pytest.approx(train_with_torch(torch, model, epochs=2, seed=3), rel=1e-4)


def train_with_torch(torch, model, epochs, seed):
    """The mean losses of the epochs of the same training script, written with torch."""
    from torch.utils.data import DataLoader, TensorDataset, random_split

    from gradkit.data import load_digits

    images, labels = load_digits()
    dataset = TensorDataset(torch.tensor(images).float().unsqueeze(1) / 16, torch.tensor(labels))
    torch.manual_seed(seed)
    training, test = random_split(dataset, [0.8, 0.2], generator=torch.Generator().manual_seed(0))
    nn = torch.nn
    if model == "cnn":
        convolutions = [nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU()]
        network = nn.Sequential(*convolutions, nn.MaxPool2d(2), nn.Flatten(), nn.Linear(512, 10))
    else:
        network = nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
    adam = torch.optim.Adam(network.parameters(), lr=0.01)
    loader = DataLoader(training, 64, shuffle=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(adam, 0.01, epochs=epochs, steps_per_epoch=len(loader))
    losses = []
    for _ in range(epochs):
        total = 0.0
        for x, y in loader:
            loss = nn.functional.cross_entropy(network(x), y)
            adam.zero_grad()
            loss.backward()
            adam.step()
            schedule.step()
            total += loss.item() * len(y)
        losses.append(total / len(training))
        next(iter(DataLoader(test)))  # the script evaluates here, which draws a random number
    return losses


@pytest.mark.slow
def test_cnn_learns_all_but_a_few_digits():
    result = run("train", "--quiet").stdout
    # It is above 98 %, but one digit is 0.3 %, and which are missed hangs on the rounding of another BLAS.
    assert float(re.search(r"test accuracy ([\d.]+)%", result).group(1)) >= 97.5


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_mlp_learns_with_either_optimiser(optimizer):
    options = ["--model", "mlp", "--optimizer", optimizer, "--epochs", "6", "--batch-size", "32", "--quiet"]
    result = run("train", *options).stdout
    assert re.fullmatch(r"test accuracy 9[4-9]\.\d\d% after 6 epochs, [\d.]+ s\n", result)


def test_learning_rate_is_used():
    slow = numbers(run("train", "--model", "mlp", "--epochs", "2", "--lr", "1e-6").stdout, "loss")
    assert slow[0] == pytest.approx(2.3, abs=0.1) and slow[1] == pytest.approx(slow[0], abs=0.01)


def test_nothing_but_results_reaches_a_pipe():
    done = run("train", "--model", "mlp", "--epochs", "1")
    assert done.stderr == "" and "\r" not in done.stdout


def test_picture_is_written(tmp_path):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed: nothing to draw with")
    file = tmp_path / "curve.png"
    done = run("train", "--model", "mlp", "--epochs", "2", "--quiet", "--plot", str(file), python=("-m", "gradkit"))
    assert done.stdout.endswith(f"picture written to {file}\n")
    assert file.read_bytes().startswith(b"\x89PNG") and file.stat().st_size > 10_000


@pytest.mark.parametrize("name", ["nowhere/curve.png", "curve.nothing", "curve"])
def test_picture_that_cannot_be_written_is_refused_at_once(name, tmp_path):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed: nothing to draw with")
    done = run("train", "--plot", str(tmp_path / name), code=2, python=("-m", "gradkit"))
    assert "argument --plot" in done.stderr and done.stdout == ""


def test_missing_matplotlib_says_what_to_install():
    hidden = "import sys; sys.modules['matplotlib'] = None; from gradkit.__main__ import main; sys.exit(main())"
    done = run("train", "--plot", "curve.png", code=1, python=("-c", hidden))
    assert "pip install 'gradkit[viz]'" in done.stderr and done.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["dance"], "invalid choice: 'dance'"),
        (["train", "--epochs", "0"], "--epochs: '0' is not a positive integer"),
        (["train", "--epochs", "1.5"], "'1.5' is not a positive integer"),
        (["train", "--batch-size", "-1"], "--batch-size: '-1' is not a positive integer"),
        (["train", "--seed", str(2**64)], "--seed: '18446744073709551616' is outside"),
        (["train", "--lr", "nan"], "--lr: 'nan' is not a positive number"),
        (["train", "--lr", "inf"], "'inf' is not a positive number"),
        (["train", "--model", "rnn"], "--model: invalid choice: 'rnn'"),
        (["train", "--optimizer", "lion"], "--optimizer: invalid choice: 'lion'"),
        (["train", "--seed", "x"], "--seed: invalid seed value: 'x'"),
        (["train", "--device", "moon"], "argument --device: .*moon"),
        (["train", "--depth", "3"], "unrecognized arguments: --depth 3"),
    ],
)
def test_bad_arguments_exit_with_2(arguments, text, capsys):
    with pytest.raises(SystemExit) as exit:
        command.main(arguments)
    assert exit.value.code == 2
    printed = capsys.readouterr()
    assert re.search(text, printed.err) and printed.out == ""


def test_interruption_leaves_no_traceback(monkeypatch, capsys):
    from gradkit.examples import digits

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(digits, "train", interrupted)
    assert command.main(["train"]) == 130
    assert capsys.readouterr().err.strip() == "interrupted"


# -- the bar
class Terminal(list):
    """Standard error as a terminal."""

    isatty = staticmethod(lambda: True)
    flush = staticmethod(lambda: None)
    write = list.append


@pytest.mark.parametrize("tqdm", [True, False])
def test_bar_is_drawn_on_a_terminal_only(tqdm, monkeypatch):
    from gradkit.examples.progress import progress

    if tqdm:
        pytest.importorskip("tqdm", reason="tqdm is not installed: no bar of its own to try")
    else:
        monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    assert list(progress(range(3), "letters", shown=False)) == [0, 1, 2] and not terminal
    assert list(progress(range(3), "letters", shown=True)) == [0, 1, 2]
    assert any("letters" in text for text in terminal) and any("\r" in text for text in terminal)


# -- info and the rest
def test_info_lists_device_versions_and_threads():
    import numpy

    lines = dict(line.split(maxsplit=1) for line in run("info").stdout.splitlines())
    assert lines["gradkit"].startswith(gradkit.__version__)
    assert lines["device"].startswith("cpu; ") and lines["NumPy"] == numpy.__version__
    assert {"Python", "CuPy", "SciPy", "threads"} <= set(lines)


def test_info_needs_no_threadpoolctl(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    assert command.main(["info"]) == 0
    assert "processors" in capsys.readouterr().out


def test_no_command_prints_help():
    assert {"train", "info"} <= set(run().stdout.split())
    assert run("--help").stdout == run().stdout


@pytest.mark.parametrize("name", ["train", "info"])
def test_commands_have_help(name):
    assert f"gradkit {name}" in run(name, "--help").stdout


def test_version():
    assert run("--version").stdout == f"gradkit {gradkit.__version__}\n"


def test_warmup_without_a_device_says_why():
    hidden = "import sys; sys.modules['cupy'] = None; from gradkit.__main__ import main; sys.exit(main(['warmup']))"
    done = run(python=["-c", hidden], code=1)
    assert "gradkit warmup: no CUDA device can be used" in done.stderr
