"""docs/gallery.md runs as it stands, and its pictures are there, small enough for a page."""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib as mpl
import pytest

import tauten

mpl.use("Agg")
from matplotlib import pyplot as plt

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "gallery.md"


@pytest.fixture
def one_thread():
    """Which is faster where others compute, too; the bits are the same."""
    before = tauten.config.num_threads()
    tauten.config.set_num_threads(1)
    yield
    tauten.config.set_num_threads(before)


def test_guide_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_thread: None) -> None:
    text = GUIDE.read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", text, re.S):
        exec(compile(block, str(GUIDE), "exec"), names)
    plt.close("all")
    pictures = re.findall(r"images/(\S+\.png)", text)
    assert sorted(pictures) == sorted(path.name for path in tmp_path.iterdir())
    for name in pictures:
        width, height = plt.imread(tmp_path / name).shape[1::-1]
        there = GUIDE.parent / "images" / name
        assert plt.imread(there).shape[1::-1] == pytest.approx(
            (width, height), abs=30
        )  # as drawn by another matplotlib
        assert there.stat().st_size < 60_000
    losses = names["history"].history
    assert losses["val_accuracy"][-1] > 0.9
    assert max(losses["loss"]) > 20 * min(losses["loss"])  # hence the log scale
