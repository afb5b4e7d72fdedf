"""The benchmarks run, their libraries compute the same thing, and their tables say what was measured."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import endtoend, everything, report, scaling, sidebyside, workloads

ROOT = Path(__file__).resolve().parents[2]
SHORT = ["--quick", "--rounds", "2", "--seconds", "0.02"]


def run(module: str, *options: str, code: int = 0) -> str:
    """Standard error of `python -m MODULE OPTIONS`."""
    command = [sys.executable, "-m", module, *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == code, done.stderr
    return done.stderr


def result(folder: Path, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(next(folder.glob(f"{kind}-*.json")).read_text())
    assert next(folder.glob(f"{kind}-*.md")).read_text().startswith("| ")
    return found


def test_overhead_of_calls() -> None:
    command = [sys.executable, "-m", "benchmarks.overhead", "--repeats", "1", "--seconds", "0.001"]
    table = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert table[0] == "| µs a step | least | median |"
    assert [row.split(",")[0] for row in table[2:]] == [
        *("| train_on_batch", "| test_on_batch", "| predict_on_batch", "| train_on_batch", "| fit"),
    ]
    for row in table[2:]:
        least, middle = (float(cell) for cell in row.split("|")[2:4])
        assert 0 < least == middle < 1e6  # one repeat


def test_two_libraries_in_one_process() -> None:
    pytest.importorskip("torch")
    options = ["--work", "lstm_b2_h4_t2", "--rounds", "1", "--steps", "3", "--first", "torch"]
    command = [sys.executable, "-m", "benchmarks.together", *options]
    table = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert [row.split("|")[1:3] for row in table[2:]] == [
        [" PyTorch, lstm_b2_h4_t2 ", " Tauten, lstm_b2_h4_t2 "],
        [" Tauten, lstm_b2_h4_t2 ", " PyTorch, lstm_b2_h4_t2 "],
    ]
    assert all(0 < float(cell) < 1e4 for row in table[2:] for cell in row.split("|")[3:7])


def test_threads_of_small_calls() -> None:
    options = ["--threads", "2", "--rounds", "1", "--seconds", "0.001", "--only", "conv 4, batch 2"]
    command = [sys.executable, "-m", "benchmarks.threads", *options]
    table = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert table[0] == "| µs a call | 1 thread | 2 threads | the plan's choice | over the better one |"
    for row, way in zip(table[2:4], ("predict", "train"), strict=True):
        name, *numbers = (cell.strip() for cell in row.strip("|").split("|"))
        one, every, plan, ratio = map(float, numbers)
        assert name == f"conv 4, batch 2, {way}"
        assert ratio == pytest.approx(plan / min(one, every), abs=0.02)
    assert table[-1].startswith("2 cases: ")
    assert run("benchmarks.threads", "--threads", "1", code=2).endswith("there is nothing to choose\n")


@pytest.mark.parametrize(
    "workload",
    ["mlp_b128", "lenet_b8", "rnn_b64_h128", "gru_b64_h128", "lstm_b16_h32", "cnn1d_b64", "cnn3d_b8", "resnet_b8"],
)
def test_same_losses_as_pytorch(workload: str, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    run("benchmarks", "--work", workload, "--rivals", "torch", *SHORT, "--output", str(tmp_path))
    found = result(tmp_path, "steps")["work"][workload]
    assert found["tauten"]["agreed"] == pytest.approx(found["torch"]["agreed"], rel=1e-4)
    assert "same" in next(tmp_path.glob("steps-*.md")).read_text()


@pytest.mark.parametrize("workload", ["lenet_b64", "lstm_b16_h32"])
def test_same_outputs_as_pytorch(workload: str, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    options = ["--inference", "--work", workload, "--rivals", "torch", *SHORT, "--output", str(tmp_path)]
    run("benchmarks", *options)
    found = result(tmp_path, "inference")["work"][workload]
    assert found["tauten"]["agreed"] == pytest.approx(found["torch"]["agreed"], rel=1e-3, abs=1e-4)


def test_alone_in_two_launches(tmp_path: Path) -> None:
    options = ["--work", "lstm_b4_h8", "--rivals", "--launches", "2", "--threads", "1"]
    run("benchmarks", *options, *SHORT, "--output", str(tmp_path))
    found = result(tmp_path, "steps")
    own = found["work"]["lstm_b4_h8"]["tauten"]
    assert len(own["blocks_ms"]) == 2
    assert own["gflops"] == pytest.approx(workloads.find("lstm_b4_h8").flops / own["ms"]["median"] / 1e6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--work", "lenet_b0"], "no workload 'lenet_b0'; there are mlp_b128"),
        (["--rivals", "onnxruntime"], "onnxruntime cannot train; see --inference"),
        (["--rivals", "--without-tauten"], "leaves nothing to time"),
        (["--threads", "0"], "--threads must be at least 1"),
    ],
)
def test_wrong_options(options: list[str], message: str) -> None:
    assert message in run("benchmarks", *options, code=2)


def test_unequal_lengths_from_files_to_an_accuracy(tmp_path: Path) -> None:
    """Scikit-learn's digits 0 to 8 as sequences of their rows, up to the last one that is not empty."""
    data = pytest.importorskip("sklearn.datasets").load_digits()
    for name, part in (("TRAIN", slice(0, 1200)), ("TEST", slice(1200, None))):
        lines = ["@problemName digits", "@data"]
        for image, label in zip(data.images[part], data.target[part], strict=True):
            if label < 9:
                rows = image[: np.flatnonzero(image.any(1))[-1] + 1] / 16 + 0.01
                features = [",".join(map(str, column)) for column in rows.T]
                lines.append(":".join([*features, str(label + 1)]))
        (tmp_path / f"JapaneseVowels_{name}.ts").write_text("\n".join(lines) + "\n")
    options = ["--data", str(tmp_path), "--rivals", "--turns", "3", "--learning-rate", "0.05"]
    run("benchmarks.japanese_vowels", *options, "--output", str(tmp_path))
    turns = result(tmp_path, "japanese_vowels")["libraries"]["tauten"]["turns"]
    assert turns[-1]["accuracy"] > 0.9
    assert "no file" in run("benchmarks.mnist_lenet", "--data", str(tmp_path), code=2)


def test_names_of_workloads() -> None:
    assert workloads.find("lenet_b64") is workloads.WORKLOADS["lenet_b64"]
    assert workloads.find("rnn_b8_h64").flops == 2 * 8 * 128 * (2 * 32 * 64 + 3 * 64 * 64 + 3 * 64 * 10)
    assert workloads.find("gru_b8_h64").flops == 2 * 8 * 128 * 3 * (2 * 32 * 64 + 3 * 64 * 64 + 64 * 10)
    assert workloads.find("forget_b8_h64_t16").shape == (16, 32)
    assert workloads.find("plain_b8").flops == workloads.find("resnet_b8").flops
    assert workloads.one_sample(["lenet_b64", "lenet_b8", "mlp_b128"]) == ["lenet_b64", "mlp_b128"]
    with pytest.raises(ValueError, match="no workload 'vgg_b64'"):
        workloads.find("vgg_b64")


@pytest.mark.parametrize("cell", ["SimpleRNN", "ForgetGateRNN", "GRU", "LSTM"])
def test_weights_have_the_layers_shapes_and_biases(cell: str) -> None:
    tauten = pytest.importorskip("tauten")
    if not hasattr(tauten.layers, cell):
        pytest.skip(f"no {cell} in this version")
    name = {"SimpleRNN": "rnn", "ForgetGateRNN": "forget"}.get(cell, cell.lower())
    workload = workloads.sequence(name, 2, 5)
    layer = getattr(tauten.layers, cell)(5, return_sequences=True)
    model = tauten.Sequential([tauten.Input(workload.shape), layer, tauten.layers.Dense(10)])
    given, own = workload.weights(), model.get_weights()
    assert [weight.shape for weight in given] == [weight.shape for weight in own]
    for i in (2, 4):
        np.testing.assert_array_equal(given[i], own[i])


def measured(ms: list[float], ours: list[float] | None, agreed: list[float]) -> dict[str, Any]:
    library = {"ms": report.summary(ms), "agreed": agreed, "blocks_ms": ms}
    if ours:
        library["ratio"] = report.summary([a / b for a, b in zip(ms, ours, strict=True)])
    return library


def test_the_table_names_the_fastest_other_and_wrong_answers() -> None:
    own = [2.0, 2.0, 4.0]
    found = {
        "tauten": measured(own, None, [1.0, -2.0]),
        "torch": measured([6.0, 6.0, 6.0], own, [1.0, -2.0]),
        "keras": measured([3.0, 3.0, 6.0], own, [1.0, -2.001]),
    }
    names = ["tauten", "torch", "keras", "jax"]
    row = sidebyside.cells("x", found, names)
    assert row == ["x", "2", "6 · 3.00", "3 · 1.50", "–", "1.50 (1.50–1.50) Keras/TF", "same"]
    found["keras"]["agreed"][1] = -2.01
    assert sidebyside.cells("x", found, names)[-1] == "DIFFERENT"
    assert sidebyside.cells("x", {}, names) == ["x", "–", "–", "–", "–", "–", "same"]  # nobody can run it


def test_the_turn_that_reaches_the_target() -> None:
    losses = {"loss": endtoend.Measure("loss", ".2f", 1.6, higher=False)}
    experiment = endtoend.Experiment("x", "X", (), 3, "one", 0.1, losses)
    turns = [{"seconds": 2.0, "loss": loss} for loss in (2.0, 1.7, 1.55, 1.58)]
    result = {"tauten": {"turns": turns, "version": "1", "peak_mb": 1.0, "variant": "v"}}
    line = endtoend.table(experiment, result).splitlines()[2]
    assert "6.0 s (3)" in line
    assert "| 1.58 | 1.55 |" in line
    result["tauten"]["turns"] = turns[:2]
    assert "not reached" in endtoend.table(experiment, result)


def test_series_of_threads_fit_the_machine() -> None:
    points = scaling.series(2, 6)
    assert [value for value, _, _ in points["mlp_b128, threads"]] == [1, 2, 4, 6]
    assert {threads for _, _, threads in points["LeNet, batch"]} == {2}
    for series in points.values():
        assert all(workloads.find(name).flops > 0 for _, name, _ in series)


def test_the_report_has_the_newest_tables(tmp_path: Path) -> None:
    for name, text in (("steps-1.md", "old"), ("steps-2.md", "new"), ("steps.png", "")):
        (tmp_path / name).write_text(text)
    text = everything.compose(tmp_path).read_text()
    assert "new" in text
    assert "old" not in text
    assert "](steps.png)" in text
