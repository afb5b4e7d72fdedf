"""docs/training.md runs as it stands, from top to bottom, and one sees what it says."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pytest

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "training.md"


def test_guide_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.S)
    assert len(blocks) > 8
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(GUIDE), "exec"), names)
    printed = capsys.readouterr().out

    assert names["images"].dtype == np.uint8
    for what in ("mapped", "from a checkpoint", "after an interruption"):
        assert f"{what}, the same bits: True" in printed
    assert "interrupted\n" in printed
    assert "epochs: [0, 1, 2, 3]" in printed
    assert float(re.search(r"^shifted: (\S+)$", printed, re.M)[1]) > 0.8
    epochs, best = re.search(r"^epochs: (\d+) best: (\S+)$", printed, re.M).groups()
    assert 5 < int(epochs) < 30
    assert float(best) < 0.45
    watched, images, labels = names["watched"], names["images"], names["labels"]
    kept = int(len(images) * 0.8)
    assert watched.evaluate(images[kept:], labels[kept:], verbose=0)[0] == pytest.approx(float(best), rel=0.2)
    with open("log.csv", newline="") as file:
        assert len(list(csv.DictReader(file))) == int(epochs)
    assert "Invalid loss, terminating training" in printed
    assert "finite weights: True" in printed
    assert np.isnan(names["ended"].history["loss"][0])
    assert not Path("backup").exists()
    for model in ("model", "endless", "careful"):
        assert names[model].evaluate(images[:1400], labels[:1400], verbose=0)[1] > 0.8
