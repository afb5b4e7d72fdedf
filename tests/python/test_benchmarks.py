"""The benchmark runs, and its libraries compute the same thing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("workload", ["mlp_b128", "lenet_b8", "rnn_b64_h128", "lstm_b16_h32", "cnn1d_b64", "cnn3d_b8"])
def test_same_losses_as_pytorch(workload: str, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    options = ["--work", workload, "--quick", "--rounds", "2", "--seconds", "0.02", "--output", str(tmp_path)]
    command = [sys.executable, "-m", "benchmarks", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    result = json.loads(next(tmp_path.glob("steps-*.json")).read_text())["work"][workload]
    assert result["tauten"]["loss"] == pytest.approx(result["torch"]["loss"], rel=1e-4)
    assert "same" in next(tmp_path.glob("steps-*.md")).read_text()
