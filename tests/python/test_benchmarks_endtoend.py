"""Runs from the files to a result: the learning rate by turn, alike in every library, and what the files say of it."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rates
from benchmarks import endtoend, japanese_vowels, mnist_lenet, report, shakespeare
from benchmarks.process import ROOT, Worker
from benchmarks.rivals import RIVALS, TRAINING
from data import digits

HERE = Path(__file__).parent


def interpreter(name: str) -> str:
    """The one that BENCHMARKS_TORCH_PYTHON (KERAS, JAX) names; else this one if it has the library."""
    if given := os.environ.get(f"BENCHMARKS_{name.upper()}_PYTHON"):
        return given
    if not importlib.util.find_spec(RIVALS[name].imports):
        pytest.skip(f"no {RIVALS[name].imports}, and BENCHMARKS_{name.upper()}_PYTHON names no interpreter that has it")
    return sys.executable


@pytest.mark.parametrize("name", TRAINING)
def test_every_variant_takes_a_new_rate_without_compiling(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images, labels = digits()
    x, y = images.reshape(-1, 64)[:512].astype(np.float32), labels[:512]
    np.savez(tmp_path / "digits.npz", x=x, y=y)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])]))
    asked = [0.5, 0.05, 0.2]
    expected = rates.reference(x.astype(np.float64), y, asked)
    with Worker(name, interpreter(name), "rates:Task", 1, data=str(tmp_path / "digits.npz")) as worker:
        found = worker.ask("losses", rates=asked)
    assert found
    for variant, losses in found.items():
        assert losses == pytest.approx(expected, rel=1e-5), variant
    constant = rates.reference(x.astype(np.float64), y, asked[:1] * 3)
    assert abs(constant[1] / expected[1] - 1) > 0.01  # the comparison would notice


def run(module: str, *options: str, code: int = 0) -> str:
    """Standard error of `python -m MODULE OPTIONS`."""
    command = [sys.executable, "-m", module, *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == code, done.stderr
    return done.stderr


def found(folder: Path, kind: str) -> dict[str, Any]:
    """The only result."""
    (path,) = folder.glob(f"{kind}-*.json")
    whole: dict[str, Any] = json.loads(path.read_text())
    path.unlink()
    return whole


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A folder with digits as a mnist.npz: every pixel three times both ways, within a margin of two."""
    small, labels = digits()
    large = np.pad(np.kron(small, np.ones((3, 3))), ((0, 0), (2, 2), (2, 2)))
    x = np.round(255 * large).astype(np.uint8)
    cut = 1280
    archive = {"x_train": x[:cut], "y_train": labels[:cut], "x_test": x[cut:], "y_test": labels[cut:]}
    np.savez(tmp_path / "mnist.npz", **archive)
    return tmp_path


def test_rates_by_turn_and_seeds(images: Path) -> None:
    """Behind a rate of almost nothing nothing changes; the last rate stays."""

    def turns(*options: str) -> tuple[dict[str, Any], list[dict[str, float]]]:
        fixed = ["--data", str(images), "--rivals", "--threads", "1", "--output", str(images)]
        run("benchmarks.mnist_lenet", *fixed, "--turns", "6", *options)
        text = next(images.glob("mnist_lenet-*.md"))
        whole = found(images, "mnist_lenet") | {"text": text.read_text()}
        text.unlink()
        return whole, whole["libraries"]["tauten"]["turns"]

    whole, frozen = turns("--learning-rate", "0.01", "1e-9")
    assert whole["learning_rates"] == [0.01, 1e-9] and whole["seed"] == 0
    assert "SGD 0.01 1e-09 turn by turn, momentum 0.9; a turn is one epoch" in whole["text"]
    whole, constant = turns("--learning-rate", "0.01")
    assert whole["learning_rates"] == [0.01]
    assert "SGD 0.01, momentum" in whole["text"] and "(seed 0)" in whole["text"]
    assert frozen[0]["loss"] == constant[0]["loss"]
    assert frozen[-1]["loss"] == pytest.approx(frozen[-2]["loss"], rel=1e-3)  # the velocity has died away
    assert constant[-1]["loss"] != pytest.approx(constant[-2]["loss"], rel=1e-2)
    assert constant[-1]["loss"] < frozen[-1]["loss"] / 2 and constant[-1]["accuracy"] > 0.85
    whole, other = turns("--learning-rate", "0.01", "--seed", "1", "--turns", "1")
    assert whole["seed"] == 1 and "(seed 1)" in whole["text"]
    assert other[0]["loss"] != constant[0]["loss"]


def test_same_losses_of_an_lstm_as_pytorch(tmp_path: Path) -> None:
    """Rows of digits as steps; PyTorch has two biases, each at half the rate, at the second rate, too."""
    small, labels = digits()
    for name, part in (("TRAIN", slice(0, 320)), ("TEST", slice(320, 480))):
        lines = ["@problemName digits", "@data"]
        for image, label in zip(small[part], labels[part], strict=True):
            if label < 9:
                rows = image[: np.flatnonzero(image.any(1))[-1] + 1] + 0.01
                lines.append(":".join([*(",".join(map(str, column)) for column in rows.T), str(label + 1)]))
        (tmp_path / f"JapaneseVowels_{name}.ts").write_text("\n".join(lines) + "\n")
    options = ["--data", str(tmp_path), "--rivals", "torch", "--output", str(tmp_path), "--turns", "2"]
    options += ["--torch-python", interpreter("torch"), "--learning-rate", "0.1", "0.01"]
    run("benchmarks.japanese_vowels", *options)
    libraries = found(tmp_path, "japanese_vowels")["libraries"]
    for own, other in zip(libraries["tauten"]["turns"], libraries["torch"]["turns"], strict=True):
        assert own["loss"] == pytest.approx(other["loss"], rel=2e-3)


def test_recipes() -> None:
    assert mnist_lenet.EXPERIMENT.learning_rates == (0.03, 0.03, 0.02, 0.01, 0.002)
    assert mnist_lenet.EXPERIMENT.turns == 5
    assert mnist_lenet.EXPERIMENT.measures["accuracy"].target == 0.992
    assert shakespeare.EXPERIMENT.learning_rates == (1.0,)
    assert japanese_vowels.EXPERIMENT.learning_rates == (0.1,)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--learning-rate", "0.1", "0"], "--learning-rate must be positive, not 0.1 0"),
        (["--learning-rate", "nan"], "--learning-rate must be positive, not nan"),
        (["--seed", "-1"], "--seed must not be negative"),
        (["--turns", "0"], "--turns must be positive"),
    ],
)
def test_wrong_options(options: list[str], message: str, images: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        endtoend.parse(mnist_lenet.EXPERIMENT, ["--data", str(images), *options])
    assert message in capsys.readouterr().err


def result(last: float) -> dict[str, Any]:
    turns = [{"seconds": 1.0, "accuracy": accuracy, "loss": 1 - accuracy} for accuracy in (0.5, last)]
    return {"machine": report.machine(2), "title": "T", "libraries": {"tauten": {"turns": turns}}}


def test_pictures_of_the_present_format_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    from benchmarks import plots

    old = {"machine": report.machine(2), "epochs": {}, "ratios": {}}
    (tmp_path / "mnist_lenet-2.json").write_text(json.dumps(old))
    (tmp_path / "steps-1.json").write_text(json.dumps(old))
    assert plots.main([str(tmp_path)]) == 1
    said = capsys.readouterr().err.splitlines()
    assert said == [
        f"skipped {tmp_path / 'steps-1.json'}: an older format, without 'settings', 'work'",
        f"skipped {tmp_path / 'mnist_lenet-2.json'}: an older format, without 'title', 'libraries'",
        f"error: no results to draw in {tmp_path}",
    ]
    (tmp_path / "mnist_lenet-1.json").write_text(json.dumps(result(0.9)))  # older, but it can be drawn
    assert plots.main([str(tmp_path)]) == 0
    assert "mnist_lenet-2.json: an older format" in capsys.readouterr().err
    assert plots.plt.imread(tmp_path / "mnist_lenet.png").std() > 0.1
