"""docs/sequences.md runs as it stands, from top to bottom, and one sees what it says."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "sequences.md"


def test_guide_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.S)
    assert len(blocks) > 6
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(GUIDE), "exec"), names)
    printed = capsys.readouterr().out

    assert "columns: 2 to 8" in printed
    assert float(re.search(r"^accuracy: (\S+)$", printed, re.M)[1]) > 0.85
    assert "the same: True" in printed
    agree, right = names["agree"], names["right"]
    assert right.mean() > 0.8
    assert agree[right].mean() > agree[~right].mean() + 0.1
    losses = [float(loss) for loss in re.findall(r"^epoch \d: (\S+) nats", printed, re.M)]
    assert len(losses) == 5
    assert losses[-1] < 1.8

    story, text = names["story"], names["text"]
    assert len(story) == len("The statement ") + 400
    known = set(re.findall(r"[a-z]{3,}", text))
    words = re.findall(r"[a-z]{3,}", story[len("The statement ") :])
    assert len(words) > 10
    assert np.mean([word in known for word in words]) > 0.5

    assert names["warm"] < names["cold"] - 0.05
    assert names["again"] == names["warm"]
    assert abs(names["late_warm"] - names["late_cold"]) < 0.5 * (names["cold"] - names["warm"])
