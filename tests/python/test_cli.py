"""The `tauten` command in a process of its own, as a user meets it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tauten
from tauten.cli import main


def run(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tauten", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, stdin=subprocess.DEVNULL, timeout=300)


def test_help_names_the_commands() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert "demo" in done.stdout
    assert "config" in done.stdout
    assert run("demo", "--help").returncode == 0
    alone = run()
    assert (alone.returncode, alone.stdout) == (0, done.stdout)


@pytest.mark.parametrize("command", ["train", "predict", "evaluate", "info", "bench", "demo", "config"])
def test_every_command_has_help_with_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert f"usage: tauten {command}" in said
    assert f"examples:\n  tauten {command}" in said
    assert max(map(len, said.splitlines())) <= 120


def test_version() -> None:
    assert run("--version").stdout.strip() == f"tauten {tauten.__version__}"


def test_config() -> None:
    done = run("config")
    assert done.returncode == 0
    assert tauten.__version__ in done.stdout
    assert "threads" in done.stdout


def test_demo_digits(tmp_path: Path) -> None:
    done = run("demo", "digits", "--epochs", "3", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for word in ("accuracy", "images/s", "load_model"):
        assert word in done.stdout
    model = tauten.models.load_model(tmp_path / "tauten-demo" / "digits.safetensors")
    from tauten.cli.digits import load_digits

    x, y = load_digits()[1]
    assert np.mean(np.asarray(model.predict(x, verbose=0)).argmax(1) == y) > 0.9


def test_demo_text(tmp_path: Path) -> None:
    done = run("demo", "text", "--epochs", "1", "--output", str(tmp_path / "a" / "b"))
    assert done.returncode == 0, done.stderr
    for word in ("bits per character", "characters/s", "writes", "load_model"):
        assert word in done.stdout
    characters = json.loads((tmp_path / "a" / "b" / "text-characters.json").read_text())
    model = tauten.models.load_model(tmp_path / "a" / "b" / "text.safetensors")
    window = np.array([[characters.index(character) for character in "The value"]], np.int32)
    assert np.shape(model.predict(window, verbose=0)) == (1, 9, len(characters))


def test_same_seed_same_result_on_any_threads(tmp_path: Path) -> None:
    lines = []
    for threads in ("1", "2"):
        done = run("demo", "digits", "--epochs", "1", "--threads", threads, "--seed", "5", cwd=tmp_path)
        lines.append([line for line in done.stdout.splitlines() if line.startswith(("read as", "accuracy"))])
    assert len(lines[0]) == 2
    assert lines[0] == lines[1]


@pytest.mark.parametrize(
    "arguments",
    [("fly",), ("demo", "cats"), ("demo", "--epochs", "0"), ("demo", "--threads", "x"), ("demo", "--seed", "-1")],
)
def test_misuse_exits_2_and_says_why(arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert re.fullmatch(r"tauten: error: .+ \(try: tauten( demo)? --help\)\n", done.stderr)


def test_unusable_folder_is_told_before_training(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run("demo", "digits", "--output", str(tmp_path / "file"))
    assert done.returncode == 1
    assert done.stderr.startswith("tauten: error: cannot make the folder")
    assert done.stdout == ""
