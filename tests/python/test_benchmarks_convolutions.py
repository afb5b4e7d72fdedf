"""Convolutions over a grid: which cases there are, what is printed, and a small run from the command to the picture."""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import asdict
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import benchmark_command
from benchmarks import compare, report
from benchmarks.convolutions import slower
from benchmarks.convolutions.__main__ import QUICK_CASES, parse
from benchmarks.convolutions.grid import KNOWN, PHASES, Case, choose, grid
from benchmarks.convolutions.text import AXES, mean, table, text


def quick_cases() -> list[Case]:
    options = parse(["--quick"])
    names = ("channels", "filters", "kernels", "sizes", "strides", "batches")
    cases = grid([getattr(options, name) for name in names])
    assert len(cases) == len(set(cases)) == 7 * 7 * 4 * 6 * 2 * 3
    return choose([case for case in cases if not case.too_large(options.gflop, options.megabytes)], options.cases)


def test_what_a_case_needs() -> None:
    case = Case(3, 64, 7, 224, 2, 8)
    assert case.output == 112 and Case(3, 64, 7, 7, 2, 8).output == 4
    assert case.flops == 2 * 8 * 112 * 112 * 49 * 3 * 64
    assert case.megabytes == 2 * 4 * 8 * (224 * 224 * 3 + 112 * 112 * 64) / 2**20
    assert case.too_large(2, 100) is None
    assert case.too_large(1.8, 100) == "1.89 GFLOP"
    assert case.too_large(2, 50) == "58 MB"


def test_data_have_the_shapes_and_are_the_same_again() -> None:
    case = Case(3, 4, 5, 7, 2, 2)
    x, w, b, dy = case.data()
    assert (x.shape, w.shape, b.shape, dy.shape) == ((2, 7, 7, 3), (5, 5, 3, 4), (4,), (2, 4, 4, 4))
    assert all(a.dtype == np.float32 and a.std() > 0 for a in (x, w, b, dy))
    assert all((a == b).all() for a, b in zip(case.data(), case.data(), strict=True))


def test_the_quick_choice_meets_every_extent() -> None:
    chosen = quick_cases()
    assert len(chosen) == len(set(chosen)) == QUICK_CASES
    assert chosen == quick_cases()
    for axis in AXES:
        values = [getattr(case, axis) for case in chosen]
        wanted = {"channels": 7, "filters": 7, "kernel": 4, "size": 6, "stride": 2, "batch": 3}[axis]
        assert len(set(values)) == wanted
        assert min(values.count(value) for value in set(values)) >= 5
    met = {(a, b, getattr(case, a), getattr(case, b)) for case in chosen for a, b in combinations(AXES, 2)}
    assert len(met) > 0.9 * (49 + 4 * 7 * 2 + 6 * 7 * 2 + 10 * 7 + 4 * 6 + 10 * 5 + 6)
    assert len(set(KNOWN) & set(chosen)) >= len(KNOWN) - 3


def test_a_choice_of_all() -> None:
    cases = grid([[1, 3], [16], [3], [7, 14], [1], [1]])
    assert choose(cases, 9) == cases
    assert set(choose(cases, 2)) < set(cases)


def whole() -> dict[str, Any]:
    work = {}
    for case, ratio in ((Case(1, 16, 3, 7, 1, 1), 0.5), (Case(3, 16, 3, 14, 1, 1), 2.0)):
        for phase in PHASES:
            ours, theirs = [2.0, 1.0, 3.0], [2 * ratio, ratio, 3 * ratio]
            work[f"{case.name} {phase}"] = {
                **asdict(case),
                "phase": phase,
                "peak_gflops": 100.0,
                "agree": case.size == 7 or phase != "forward",
                "tauten": {"variant": "product", "blocks_ms": ours, "ms": report.summary(ours), "share": 0.2},
                "torch": {"variant": "x", "blocks_ms": theirs, "ms": report.summary(theirs), "share": 0.2 / ratio},
                "ratio": report.summary([ratio, ratio, ratio / 2]),
            }
    settings = {"rounds": 3, "gflop": 1, "megabytes": 10}
    return {
        "machine": report.machine(2),
        "settings": settings,
        "versions": "T 1",
        "too_large": 3,
        "failed": {"c9": "x"},
        "work": work,
    }


def test_tables() -> None:
    said = text(whole(), 0.8)
    assert "| kernel 3 | 2 | 20 | 20 | 1.00 | 20 | 20 | 1.00 | 20 | 20 | 1.00 |" in said
    assert "| size 14 | 1 | 20 | 10 | 2.00 |" in said
    assert "| c1_f16_k3_n7_s1_b1 forward | 2 | 20 | 1 | 40 | 0.50 (0.38–0.50) | product | x |" in said
    assert "3 of 6 phases." in said
    assert "DIFFERENT results: c3_f16_k3_n14_s1_b1 forward.\n" in said
    assert "A library failed in c9;" in said
    assert "3 cases of the grid need more than 1 GFLOP a phase or 10 MB." in said
    assert "No phase of a case falls under 0.4" in text(whole(), 0.4)
    rows = list(csv.DictReader(table(whole()).splitlines()))
    assert [row["phase"] for row in rows] == [*PHASES, *PHASES]
    assert rows[3]["size"] == "14" and float(rows[3]["ratio"]) == 2 and float(rows[3]["onednn_share"]) == 0.1


def test_geometric_mean() -> None:
    assert mean([1, 4]) == pytest.approx(2)
    assert np.isnan(mean([]))


def test_slower_reads_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "convolutions-1.json"
    path.write_text(json.dumps(whole()))
    assert slower.main([str(path)]) == 0
    said = capsys.readouterr().out
    assert said.count("c1_f16_k3_n7_s1_b1") == 3 and "c3_f16" not in said
    assert slower.main([str(path), "--below", "3"]) == 0
    assert "6 of 6 phases" in capsys.readouterr().out
    path.write_text("{}")
    assert slower.main([str(path)]) == 2
    assert "error: " in capsys.readouterr().err


def test_the_picture(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from benchmarks import plots

    (tmp_path / "convolutions-1.json").write_text(json.dumps(whole()))
    assert plots.main([str(tmp_path)]) == 0
    drawn = plots.plt.imread(tmp_path / "convolutions.png")
    assert drawn.shape[0] > 200 and drawn.std() > 0.1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--channels", "16,x"], "expected whole numbers from 1 on"),
        (["--kernels", "2"], "--kernels must be odd"),
        (["--cases", "0"], "--cases must be at least 1"),
        (["--threads", "0"], "--threads must be at least 1"),
        (["--gflop", "-1"], "--gflop must be above 0"),
    ],
)
def test_wrong_options(options: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(options)
    assert message in capsys.readouterr().err


def test_a_run(tmp_path: Path) -> None:
    """Both libraries agree on every phase, with Winograd's way and without, at both strides."""
    pytest.importorskip("torch")
    command = ["convolutions", "--output", str(tmp_path), "--seconds", "0.001"]
    command += ["--channels", "3,16", "--filters", "16", "--kernels", "1,3,5", "--sizes", "7,14", "--strides", "1,2"]
    command += ["--batches", "1,2", "--rounds", "2", "--threads", "1", "--cases", "12"]
    command += ["--tauten-python", sys.executable, "--torch-python", sys.executable]
    done = benchmark_command.run(*command)
    assert done.returncode == 0, done.stderr
    (file,) = tmp_path.glob("convolutions-*.json")
    assert file.with_suffix(".md").read_text() == done.stdout[:-1]
    found = json.loads(file.read_text())
    assert len(found["work"]) == 36 and found["too_large"] == 0
    assert {one["stride"] for one in found["work"].values()} == {1, 2}
    assert any("Winograd" in one["tauten"]["variant"] for one in found["work"].values())
    for name, one in found["work"].items():
        assert one["agree"], name
        assert ("filters_ms" in one["tauten"]) == (one["phase"] == "input gradient")
        assert all(len(one[library]["blocks_ms"]) == 2 for library in ("tauten", "torch"))
    assert compare.main([str(file), str(file), "--fail"]) == 0
