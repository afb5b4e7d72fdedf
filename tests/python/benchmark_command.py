"""Commands of the benchmarks that compile C++ code, as a user runs them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(name: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """`python -m benchmarks.NAME WORDS`; skips where there is nothing to compile, or not all that it needs."""
    command = [sys.executable, "-m", f"benchmarks.{name}", *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1500)
    for missing, advice in (
        ("google-benchmark is missing", "libbenchmark-dev"),
        ("the C++ sources are missing", "clone"),
    ):
        if missing in done.stderr:
            assert advice in done.stderr
            pytest.skip(missing)
    return done
