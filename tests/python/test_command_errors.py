"""The `tauten` command on wrong options and bad files: one line that says what to do, and the exit code."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import tauten
from command import ONCE, Command, digit_rows, flowers, iris, predictions, run, write_csv, write_series

__all__ = ["iris", "run"]  # fixtures


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--filters", "3"], "--filters goes with --model cnn, not mlp"),
        (["--model", "cnn", "--bidirectional"], "--bidirectional goes with --model rnn or forget or lstm or gru"),
        (["--model", "cnn", "--kernel", "3,3,3"], "--kernel: expected 1 or 2 numbers"),
        (["--units", "3,4", "--layers", "3"], "contradict"),
        (["--elastic-net", "1,0.5", "--l1", "1"], "not together"),
        (["--elastic-net", "1,2"], "expected ALPHA,MIX"),
        (["--momentum", "0.9"], "--momentum goes with --optimizer sgd or rmsprop, not adam"),
        (["--decay", "0.9"], "--decay goes with --schedule exponential or plateau"),
        (["--validation", "iris.csv", "--validation-split", "0.1"], "contradict"),
        (["--validation", "iris.csv", "--validation-target", "y.npy"], "--validation-target goes with"),
        (["--validation-split", "1"], "below 1"),
        (["--learning-rate", "0"], "expected a positive number"),
        (["--learning-rate", "nan"], "expected a number of at least 0"),
        (["--units", "3,x"], "expected a whole number"),
        (["--delimiter", "ab"], "expected one character"),
        (["--class-weight", "a"], "expected 'balanced' or CLASS=WEIGHT"),
        (["--model", "svm"], "invalid choice"),
        (["--unit", "3"], "no option --unit: did you mean --units?"),
        (["--epoch=3"], "no option --epoch: did you mean --epochs?"),
        (["--lr", "0.1"], "no option --lr: did you mean --learning-rate?"),
        (["--no-headers"], "no option --no-headers: did you mean --no-header?"),
        (["--xyz", "1"], "no option --xyz (try"),
        (["-e", "3"], "no option -e: did you mean --epochs?"),
        (["more.csv", "-"], "not expected: more.csv -"),
    ],
)
def test_misuse(run: Command, iris: str, options: list[str], message: str) -> None:
    run("train", iris, *options, code=2)
    assert message in run.err
    assert run.err.startswith("tauten: error: ")
    assert run.err.endswith(" (try: tauten train --help)\n")
    assert run.err.count("\n") == 1
    assert not Path("model.safetensors").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--out", "a.h5"], "end in '.safetensors', got '.h5': save as a.safetensors"),
        (["--out", "."], "expected a file, got a folder"),
        (["--out", "new/a.safetensors"], "new/a.safetensors: no such folder: new; make it first"),
        (["--target", "colour"], "no column 'colour'"),
        (["--task", "regression"], "line 2, 'species': 'setosa' is no number, which a regression needs"),
        (["--class-weight", "rose=2"], "no class 'rose'"),
        (["--target", "sepal width", "--class-weight", "balanced"], "a regression, which has no classes"),
        (["--model", "cnn"], "--shape 8,8,1"),
        (["--model", "lstm"], "--shape 24,1"),
        (["--shape", "5"], "cannot be given the shape 5 (5)"),
        (["--activation", "sharp"], "sharp"),
        (["--optimizer", "sgd", "--learning-rate", "1e30", "--no-standardize"], "a smaller --learning-rate"),
        (["--validation", "none.csv"], "none.csv: no such file"),
    ],
)
def test_failures_in_one_line(run: Command, iris: str, options: list[str], message: str) -> None:
    assert message in run.fails("train", iris, "--quiet", *options)
    assert os.listdir() == [iris]


def test_series_of_unequal_length_need_recurrent_models(run: Command, tmp_path: Path) -> None:
    series, labels = digit_rows(20, unequal=True)
    write_series(tmp_path / "a.ts", [f"@classLabel true {' '.join(sorted(set(labels)))}"], series, labels)
    for model in ("mlp", "cnn"):
        assert f"{model} needs samples of one size" in run.fails("train", "a.ts", "--model", model)
    run("train", "a.ts", "--drop", "a", code=2)
    assert "--drop goes with tables" in run.err
    assert "label of each line" in run.fails("train", "a.ts", "--target", "a")


def test_bad_files_at_prediction(run: Command, iris: str) -> None:
    run("train", iris, *ONCE)
    names, rows = flowers()
    write_csv(Path("rose.csv"), names, [[*rows[0][:4], "rose"]])
    write_csv(Path("less.csv"), names[1:], [row[1:] for row in rows])
    write_csv(Path("hole.csv"), names, [rows[0], ["", *rows[1][1:]]])
    model = "model.safetensors"
    assert "line 2, 'species': the class 'rose' was not there" in run.fails("evaluate", model, "rose.csv")
    assert run("predict", model, "rose.csv") == "prediction\n" + predictions(run.out)[0]["prediction"] + "\n"
    assert "columns missing: 'sepal length'" in run.fails("predict", model, "less.csv")
    assert "hole.csv: line 3, column 'sepal length': the value is missing" in run.fails("predict", model, "hole.csv")
    assert "no such file" in run.fails("predict", "none.safetensors", iris)
    assert "no such folder" in run.fails("predict", model, iris, "--out", "none/p.csv")
    run("evaluate", model, iris, "--target", "species", code=2)
    assert "this model's target is the column 'species'" in run.err
    Path(model).write_bytes(Path(model).read_bytes()[:500])
    assert "not a whole safetensors file" in run.fails("predict", model, iris)


def test_debug_shows_where_an_error_came_from(run: Command) -> None:
    from tauten.cli import main

    assert main(["info", "none.safetensors", "--debug"]) == 1
    assert "Traceback" in run.capsys.readouterr().err


def test_faults_of_our_own_are_said_to_be(run: Command, iris: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise KeyError("x")

    monkeypatch.setattr("tauten.cli.networks.network", broken)
    assert "a fault of Tauten's own (KeyError" in run.fails("train", iris)


def test_interrupt_keeps_the_best_model(tmp_path: Path) -> None:
    write_csv(tmp_path / "iris.csv", *flowers())
    command = [sys.executable, "-m", "tauten", "train", "iris.csv", "--epochs", "1000000", "--quiet"]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=tmp_path, **pipes) as process:
        try:
            end = time.monotonic() + 60
            while not (tmp_path / "model.safetensors").exists() and time.monotonic() < end:
                time.sleep(0.02)
            process.send_signal(signal.SIGINT)
            _, error = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130
    assert re.search(r"^interrupted: the best model so far \(epoch \d+\) is in model.safetensors$", error, re.M)
    assert "Traceback" not in error
    assert tauten.models.load_model(tmp_path / "model.safetensors").metadata["train"]["data"] == "iris.csv"
