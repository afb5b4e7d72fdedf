"""docs/sklearn.md runs as it stands, from top to bottom, and one sees what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("sklearn")

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "sklearn.md"


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.usefixtures("one_thread")
def test_guide_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.S)
    assert len(blocks) > 6
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(GUIDE), "exec"), names)
    printed = capsys.readouterr().out

    for what, least in {"MLP": 0.94, "R²": 0.3, "CNN": 0.95, "cut": 0.85, "tagged": 0.75, "streamed": 0.94}.items():
        assert float(re.search(rf"^{what}: (\S+)", printed, re.M)[1]) > least, printed
    assert "X of shape (1297, 8, 8) can be read in several ways: pass layout=" in printed
    assert float(re.search(r"^units: 32 accuracy: (\S+)$", printed, re.M)[1]) > 0.85
    assert printed.count("the same: True") == 2
    assert "losses: 40" in printed
