"""The sweep: which cases it has, which stand out, what it prints, and a small run from the command to the picture."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

import benchmark_command
from benchmarks import compare, report, workloads
from benchmarks.sweep.__main__ import parse
from benchmarks.sweep.grid import Case, Grid, suspects
from benchmarks.sweep.text import text

GRID = Grid(["lstm"], [16, 32, 64], [8, 64], [1, 4])


def test_cases_are_workloads_that_can_be_found_by_name() -> None:
    names = [case.workload.name for case in GRID]
    assert len(set(names)) == len(names) == 12
    assert names[:2] == ["lstm_b1_h16_t8", "lstm_b4_h16_t8"]
    assert all(workloads.find(case.workload.name) == case.workload for case in GRID)
    assert workloads.find("gru_b64_h128") == Case("gru", 128, 128, 64).workload


def test_limits() -> None:
    case = Case("lstm", 1024, 1024, 256)
    # forward and two gradients of (32 + 1024) x 4096 and of 1024 x 10; none to the features
    multiplications = 3 * (32 + 1024) * 4096 + 3 * 1024 * 10 - 32 * 4096
    assert case.workload.flops == 2 * 1024 * 256 * multiplications
    assert case.too_large(1e9, 1e9) is None
    assert case.too_large(6000, 1e9) == "6751 GFLOP"
    assert case.too_large(1e9, 2000) == f"{case.megabytes:.0f} MB"
    kept = 7 * 1024 * 4  # four gates, state, memory, its gradient; float32
    assert kept * 1024 * 256 / 2**20 < case.megabytes < 1.1 * kept * 1024 * 256 / 2**20


def test_neighbours_lie_one_place_further() -> None:
    middle = GRID.neighbours(Case("lstm", 32, 8, 4))
    assert {(c.units, c.steps, c.batch) for c in middle} == {(16, 8, 4), (64, 8, 4), (32, 64, 4), (32, 8, 1)}
    corner = GRID.neighbours(Case("lstm", 16, 64, 1))
    assert {(c.units, c.steps, c.batch) for c in corner} == {(32, 64, 1), (16, 8, 1), (16, 64, 4)}


def test_suspects_are_below_half_of_their_neighbours_mean() -> None:
    shares = dict.fromkeys(GRID, 0.4)
    assert suspects(GRID, shares) == []
    low, lower = Case("lstm", 32, 8, 4), Case("lstm", 16, 64, 1)
    shares[low], shares[lower] = 0.19, 0.1
    assert [one.case for one in suspects(GRID, shares)] == [lower, low]
    shares[low] = 0.2  # half of it is not below half
    assert [one.case for one in suspects(GRID, shares)] == [lower]
    alone = {case: share for case, share in shares.items() if case not in GRID.neighbours(lower)}
    assert lower not in [one.case for one in suspects(GRID, alone)]  # what was skipped is no neighbour


def result(share: float) -> dict[str, Any]:
    blocks = [2.0, 1.0, 3.0]
    return {
        "blocks_ms": blocks,
        "ms": report.summary(blocks),
        "gflops": 200 * share,
        "peak_gflops": 200.0,
        "share": share,
    }


def whole() -> dict[str, Any]:
    grid = Grid(["lstm"], [16, 32], [8], [1, 4])
    shares = dict(zip(grid, (0.041, 0.5, 0.3), strict=False))
    work: dict[str, Any] = {}
    for case in grid:
        found = {"tauten": result(shares[case])} if case in shares else {"skipped": "99 GFLOP"}
        sizes = {"cell": case.cell, "batch": case.batch, "units": case.units, "steps": case.steps}
        work[case.workload.name] = {**sizes, **found}
    outstanding = [one.as_json() for one in suspects(grid, shares)]
    return {"machine": report.machine(2), "work": work, "suspects": outstanding}


def test_tables() -> None:
    said = text(whole())
    assert "| LSTM, 8 steps: % of the peak | H = 16 | H = 32 |" in said
    assert "| batch 1 | **4.1** | 30 |" in said
    assert "| batch 4 | 50 | – |" in said
    assert "| lstm_b1_h16_t8 | 1 | 4.1 | 40 | lstm_b1_h32_t8 30, lstm_b4_h16_t8 50 |" in said
    assert "Geometric mean of 3 cases: 18.3 %" in said
    assert "Skipped (–) for GFLOP a step or MB: lstm_b4_h32_t8 99 GFLOP." in said


def test_the_picture(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from benchmarks import plots

    (tmp_path / "sweep-1.json").write_text(json.dumps(whole()))
    assert plots.main([str(tmp_path)]) == 0
    drawn = plots.plt.imread(tmp_path / "sweep.png")
    assert drawn.shape[0] > 200 and drawn.std() > 0.1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--units", "16,x"], "expected whole numbers from 1 on"),
        (["--batches", "0"], "expected whole numbers from 1 on"),
        (["--cells", "tanh"], "invalid choice"),
        (["--threads", "0"], "--threads must be at least 1"),
        (["--peak", "0"], "--peak must be above 0"),
    ],
)
def test_wrong_options(options: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(options)
    assert message in capsys.readouterr().err


def sweep(tmp_path: Path, *options: str) -> dict[str, Any]:
    """A run of the command."""
    done = benchmark_command.run(
        "sweep", "--output", tmp_path, "--seconds", "0.02", *options, "--tauten-python", sys.executable
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(next(tmp_path.glob("sweep-*.json")).read_text())
    assert next(tmp_path.glob("sweep-*.md")).read_text() == done.stdout[:-1]
    return found


def test_a_run_with_a_given_peak(tmp_path: Path) -> None:
    # 600 steps of 16 units are above the limit
    sizes = ["--cells", "rnn", "forget", "--units", "16,8", "--batches", "2", "--steps", "4,600"]
    found = sweep(tmp_path, *sizes, "--threads", "1", "--peak", "100", "--gflop", "0.004")
    assert list(found["work"]) == [
        f"{cell}_b2_h{h}_t{t}" for cell in ("rnn", "forget") for h in (8, 16) for t in (4, 600)
    ]
    for name, case in found["work"].items():
        flops = workloads.find(name).flops
        assert ("skipped" in case) == (flops > 4e6)
        if "tauten" in case:
            blocks = case["tauten"]["blocks_ms"]
            assert len(blocks) >= 3
            assert case["tauten"]["share"] == pytest.approx(flops / min(blocks) / 1e6 / 100)
    assert found["work"]["forget_b2_h16_t600"]["skipped"] == "0.0098 GFLOP"
    (file,) = tmp_path.glob("sweep-*.json")
    assert compare.main([str(file), str(file), "--fail"]) == 0


def test_the_peak_is_measured(tmp_path: Path) -> None:
    found = sweep(tmp_path, "--units", "64", "--batches", "8", "--steps", "8", "--threads", "1")
    (case,) = found["work"].values()
    assert 1 < case["tauten"]["peak_gflops"] < 1000  # of one core
    assert 0 < case["tauten"]["share"] < 1
