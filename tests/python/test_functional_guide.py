"""docs/functional.md runs as it stands, from top to bottom, and one sees what it says."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "functional.md"


def test_guide_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    text = GUIDE.read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.S)
    assert len(blocks) > 6
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(GUIDE), "exec"), names)
    printed = capsys.readouterr().out
    for language, body in re.findall(r"```(\w*)\n(.*?)```", text, re.S):
        if not language:
            assert body in printed
    assert float(re.search(r"^accuracy on unseen digits: (\S+)$", printed, re.M)[1]) > 0.92
    assert float(re.search(r"nearest neighbour is the same digit: (\S+)$", printed, re.M)[1]) > 0.93
    assert float(re.search(r"^new sums that are right: (\S+)$", printed, re.M)[1]) > 0.85
    assert "(397, 24)" in printed
    assert "(397, 8) True" in printed
    siamese, flat, y = names["siamese"], names["flat"], names["y"]
    left, right = np.arange(1400, 1590), np.arange(1590, 1780)
    pairs = [flat[left], flat[right]], (y[left] == y[right])
    found = siamese.predict(pairs[0], verbose=0)[:, 0]
    assert found[pairs[1]].mean() > found[~pairs[1]].mean() + 0.3
    losses = names["history"].history["loss"]
    assert losses[-1] < 0.5 * losses[0]
