"""`tauten bench`: processes that take turns, and the networks that they run."""

from __future__ import annotations

import importlib.util
import re
import time
from pathlib import Path

import numpy as np
import pytest

import tauten
from command import Command
from tauten.cli import bench
from tauten.cli.bench_networks import CALLS, WORKLOADS, Workload, tauten_calls

SMALL = {
    "mlp": Workload("", "mlp", 4, (5,), 6),
    "lenet": Workload("", "lenet", 2, (28, 28, 1), 7),
    "lstm": Workload("", "lstm", 2, (3, 4), 5),
    "gru": Workload("", "gru", 2, (3, 4), 5),
}


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(capsys)


def test_alone_on_one_workload(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    said = run("bench", "lstm_b16_h32", "--seconds", "2", "--threads", "1")
    assert f"Tauten {tauten.__version__}; {tauten.config.isa()} kernels, threads: 1" in said
    for kind in ("training step", "forward, one sample"):
        assert float(re.search(rf"lstm_b16_h32 +{kind} +(\S+)\n", said)[1]) > 0
    assert "pip install torch" in said
    assert "no workload 'x'; there are mlp_b128" in run.fails("bench", "x")


def test_it_ends_after_twice_the_time(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    said = run("bench", "lstm_b16_h32", "mlp_b128", "--seconds", "0.01", "--threads", "1")
    assert re.search(r"lstm_b16_h32 +training step", said)
    assert "stopped     after twice the time, 3 of 4 measurements before the end" in said
    assert "mlp_b128 " not in said


def test_a_side_counts_seconds_a_call_and_tells_errors() -> None:
    with bench.Side("Tauten", 1) as side:
        side.start("lstm_b16_h32", 1)
        begin = time.perf_counter()
        one = side.block()
        assert 0 < one < time.perf_counter() - begin
        with pytest.raises(RuntimeError, match="Tauten: KeyError: 'none'"):
            side.start("none", 0)
        side._process.kill()
        with pytest.raises(RuntimeError, match="its process ended with -9"):
            side.block()


def test_a_library_that_cannot_be_imported_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('broken')\n")
    monkeypatch.syspath_prepend(tmp_path)  # which the other process inherits
    with pytest.raises(RuntimeError, match="PyTorch: cannot be imported: broken"):
        bench.Side("PyTorch", 1)


def test_workloads_are_the_public_ones() -> None:
    from benchmarks.workloads import find

    for name, workload in WORKLOADS.items():
        public = find(name)
        assert (workload.batch, workload.shape) == (public.batch, public.shape)


@pytest.mark.parametrize("kind", SMALL)
def test_tautens_networks(kind: str) -> None:
    workload = SMALL[kind]
    assert {one.kind for one in WORKLOADS.values()} == set(SMALL)
    train, forward = tauten_calls(workload, tauten.config.num_threads())
    losses = [train() for _ in range(20)]
    assert losses[-1] < losses[0]
    steps = workload.shape[:1] if kind in ("lstm", "gru") else ()
    assert np.shape(forward()) == (1, *steps, 10)


@pytest.mark.parametrize("kind", SMALL)
def test_torchs_networks_are_the_same(kind: str) -> None:
    pytest.importorskip("torch")
    train, forward = CALLS["PyTorch"](SMALL[kind], 1)
    own_train, own_forward = tauten_calls(SMALL[kind], 1)
    losses = [train() for _ in range(20)]
    assert losses[-1] < losses[0]
    assert losses[0] == pytest.approx(own_train(), rel=0.3)  # other initial weights, the same data and labels
    assert np.shape(forward()) == np.shape(own_forward())
