"""docs/command.md: its commands and code run as they stand, from top to bottom, and one sees what it says."""

from __future__ import annotations

import csv
import importlib.util
import re
import shlex
from pathlib import Path

import pytest

import tauten
from command import Command

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "command.md"


def test_guide_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)  # PyTorch takes seconds to load
    tauten.config.set_num_threads(1)  # the same numbers as with more
    run, names = Command(capsys), {}
    said: dict[str, str] = {}
    printed = ""
    blocks = re.findall(r"```(python|sh)\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.S)
    assert [kind for kind, _ in blocks].count("sh") >= 5
    for kind, text in blocks:
        if kind == "python":
            exec(compile(text, str(GUIDE), "exec"), names)
            printed += capsys.readouterr().out
            continue
        for command in text.splitlines():
            program, *arguments = shlex.split(command)
            assert program == "tauten"
            said[command] = run(*arguments)

    def accuracy(command: str) -> float:
        (text,) = [text for one, text in said.items() if one.startswith(command)]
        return float(re.search(r"accuracy +(\S+) %", text)[1])

    assert accuracy("tauten evaluate ink.safetensors") > 60  # of ten classes, from ink alone
    images = accuracy("tauten evaluate cnn.safetensors")
    assert images > 90
    assert float(re.search(r"right: (\S+)", printed)[1]) == pytest.approx(images / 100, abs=1e-4)
    assert "classes: ['0', '1', '2'" in printed
    with open("predictions.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 1797
    assert list(rows[0]) == ["prediction", *"0123456789"]
    assert "R²" in said[next(one for one in said if "row.safetensors" in one)]
    assert len(Path("series.csv").read_text().splitlines()) == 598
