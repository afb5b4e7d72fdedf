"""docs/images.md runs as it stands, from top to bottom, and one sees what it says."""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")
from matplotlib import pyplot as plt

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "images.md"


def test_guide_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    text = GUIDE.read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.S)
    assert len(blocks) > 7
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(GUIDE), "exec"), names)
    plt.close("all")
    printed = capsys.readouterr().out

    outputs = [body for language, body in re.findall(r"```(\w*)\n(.*?)```", text, re.S) if not language]
    assert "".join(outputs[:2]) in printed  # the operators'; names of layers are numbered on, training differs in bits
    for line in ("(None, 6, 6, 2, 5)    │             95", "(None, 3, 3, 7)       │             16"):
        assert line in outputs[2]
        assert line in printed

    assert float(re.search(r"^accuracy on unseen digits: (\S+)$", printed, re.M)[1]) > 0.93

    y, test, model = (names[name] for name in ("y", "test", "model"))
    assert y[test][18] == 3
    assert model.predict(names["sample"][None]).argmax() == 3
    filters = model.get_layer("strokes").get_weights()[0][:, :, 0]
    size = np.abs(filters).max(axis=(0, 1))
    assert names["dead"] == [9]
    assert size.argmin() == 9
    left, right = filters[:2, :2, 8].mean(), filters[1:, 2, 8].mean()
    assert left > 0 > right
    assert filters[1, 1, 13] == filters[..., 13].max()
    accuracy = names["accuracy"]
    assert accuracy["most salient"] < 0.5 * accuracy["random"]
    assert accuracy["random"] < accuracy["least salient"]
    for name in re.findall(r"images/(\S+\.png)", text):
        assert (tmp_path / name).stat().st_size > 4000
        assert (GUIDE.parent / "images" / name).exists()
