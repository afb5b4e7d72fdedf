"""README's example runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

README = Path(__file__).resolve().parents[2] / "README.md"


def test_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.S)
    assert len(blocks) == 1
    assert len([line for line in blocks[0].splitlines() if line]) <= 12
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(compile(blocks[0], str(README), "exec"), names)
    assert (tmp_path / "digits.safetensors").exists()
    assert names["history"].history["val_accuracy"][-1] > 0.9  # type: ignore[attr-defined]
    assert "[0 1 2 3 4] [0 1 2 3 4]" in capsys.readouterr().out


def test_every_guide_is_linked() -> None:
    linked = re.findall(r"\]\((docs/[^)]+\.md)\)", README.read_text(encoding="utf-8"))
    assert {f"docs/{page.name}" for page in (README.parent / "docs").glob("*.md")} <= set(linked)
