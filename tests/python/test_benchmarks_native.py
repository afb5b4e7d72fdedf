"""The C++ benchmarks: what is read from a run, what is said of it, and two runs beside each other."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

import benchmark_command
from benchmarks import compare
from benchmarks.native import build, results, summary
from benchmarks.native.networks import describe
from benchmarks.workloads import WORKLOADS


def recorded(name: str, times: list[float], **counters: float | str) -> list[dict[str, Any]]:
    """google-benchmark's entries for one benchmark: a repetition each, then an aggregate."""
    full = f"{name}/iterations:1/manual_time"
    common = {"family_index": 0, "run_name": full, "time_unit": "us", "iterations": 1, **counters}
    entries = [{**common, "name": full, "run_type": "iteration", "real_time": time} for time in times]
    return [*entries, {**common, "name": f"{full}_mean", "run_type": "aggregate", "real_time": 1e9}]


def run_of(*benchmarks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return results.clean({"benchmarks": [one for entries in benchmarks for one in entries]})


def test_entries_hold_the_repetitions_only() -> None:
    entry, other = results.entries(
        run_of(
            recorded("layer/avx512/float/lenet_b8/1_conv/forward", [3, 1, 2], **{"GFLOP/s": 50.0, "peak%": 80.0}),
            recorded("gemm/avx512/float/lenet_b8/1_conv/forward", [4], label="gemm 28x32x25, taps 5"),
        )
    )
    assert (entry.family, entry.level, entry.type, entry.name) == (
        "layer",
        "avx512",
        "float",
        "lenet_b8/1_conv/forward",
    )
    assert entry.us == [3, 1, 2]
    assert entry.share == 0.8
    assert entry.lost_us == pytest.approx(0.4)
    assert other.label == "gemm 28x32x25, taps 5"
    assert other.share is None


def test_units_are_converted() -> None:
    (one,) = run_of(recorded("step/avx2/float/a/threads:1", [2]))
    assert results.entries([{**one, "time_unit": "ms"}])[0].us == [2000]


def test_a_benchmark_that_failed_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"layer/a.*out of memory"):
        run_of(recorded("layer/a/b/c", [1], error_occurred=True, error_message="out of memory"))


def test_summary() -> None:
    text = summary.text(
        results.entries(
            run_of(
                recorded("maths/avx2/float/exp", [0.5], **{"ns/element": 0.25, "ULP": 0.88}),
                recorded("gemm_grid/avx2/float/forward/8x32x64", [1], **{"peak%": 90.0}),
                recorded("gemm_grid/avx2/float/forward/14x32x64", [1], **{"peak%": 40.0}),
                recorded("layer/avx2/float/mlp/1_dense/forward", [100], **{"GFLOP/s": 90.0, "peak%": 90.0}),
                recorded("layer/avx2/float/mlp/1_dense/gradients", [50], **{"GFLOP/s": 20.0, "peak%": 20.0}),
                recorded("step/avx2/float/mlp/threads:1", [200], **{"GFLOP/s": 70.0, "peak%": 70.0}),
            )
        ),
        worst=1,
    )
    assert "| exp | 0.5 (0.5–0.5) | 0.25 | 0.88 |" in text
    assert "| forward, N = 32, K = 64 | 90.0 | 40.0 |" in text
    assert "over K >= 64: 60.0 %" in text
    assert "| mlp, avx2, float | 200 | 100 | 0 | 50 | 0 | 0 | 50 | 1.33 |" in text
    assert "| layer/avx2/float/mlp/1_dense/gradients | 40 | 50 | 20 % | 20.0 % |" in text
    assert text.count("1_dense/forward |") == 1  # in its family's table, not among the worst


def test_workloads_as_networks() -> None:
    assert describe(WORKLOADS["lenet_b8"]) == (
        "lenet_b8 8 28x28x1 conv/32/5 max_pool/2 conv/64/5 max_pool/2 flatten dense/128/relu dense/10/linear"
    )
    assert str(describe(WORKLOADS["bilstm_b32_h256"])).endswith("bilstm/256 dense/20/linear")
    assert describe(WORKLOADS["gru_b64_h128"]) == "gru_b64_h128 64 128x32 gru/128 dense/10/linear"
    assert describe(WORKLOADS["lstm_b16_h32"]) == "lstm_b16_h32 16 64x8 lstm/32 dense/4/linear"


def native_file(path: Path, **times: list[float]) -> Path:
    benchmarks = run_of(*(recorded(f"layer/avx2/float/{name}", values) for name, values in times.items()))
    path.write_text(json.dumps({"machine": {"processor": "X"}, "benchmarks": benchmarks}))
    return path


def test_compare_native_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = native_file(tmp_path / "old.json", same=[100, 101, 102], noisy=[50, 100, 150], slow=[10, 10, 10], gone=[1])
    new = native_file(tmp_path / "new.json", same=[102, 101, 103], noisy=[75, 150, 225], slow=[12, 12, 12], come=[1])
    assert compare.main([str(old), str(new)]) == 0
    text = capsys.readouterr().out
    assert "| layer/avx2/float/slow | 10 | 12 | 1.200 | 5 % | slower |" in text
    assert "float/same |" not in text and "float/noisy |" not in text
    assert "3 entries: 1 slower, 0 faster, 2 within the noise" in text
    assert "Only in the old run: layer/avx2/float/gone." in text
    assert "Only in the new run: layer/avx2/float/come." in text
    assert compare.main([str(old), str(new), "--fail"]) == 1
    assert compare.main([str(new), str(old), "--fail", "--all"]) == 0
    assert "| layer/avx2/float/slow | 12 | 10 | 0.833 | 5 % | faster |" in capsys.readouterr().out
    assert compare.main([str(old), str(new), "--fail", "--floor", "0.25"]) == 0


def steps_file(path: Path, tauten: float, torch: float) -> Path:
    blocks = {"tauten": {"blocks_ms": [tauten] * 5}, "torch": {"blocks_ms": [torch] * 5}, "jax": {"version": "0"}}
    path.write_text(json.dumps({"work": {"mlp_b128": blocks, "note": {}}}))
    return path


def test_compare_training_steps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = steps_file(tmp_path / "old.json", 2, 3)
    assert compare.main([str(old), str(steps_file(tmp_path / "slow.json", 2.5, 3)), "--fail"]) == 1
    assert "| mlp_b128/tauten | 2000 | 2500 | 1.250 | 5 % | slower |" in capsys.readouterr().out
    # a rival that got slower is listed, but no reason to fail
    assert compare.main([str(old), str(steps_file(tmp_path / "rival.json", 2, 4)), "--fail"]) == 0
    assert "mlp_b128/torch" in capsys.readouterr().out


@pytest.mark.parametrize("content", [None, "no JSON", "[]", "{}", '{"work": 1}', '{"benchmarks": [{}]}'])
def test_compare_wrong_file(content: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = native_file(tmp_path / "old.json", a=[1]), tmp_path / "new.json"
    if content is not None:
        new.write_text(content)
    assert compare.main([str(old), str(new)]) == 2
    assert "new.json" in capsys.readouterr().err


def test_compare_runs_of_different_kinds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = native_file(tmp_path / "old.json", a=[1]), steps_file(tmp_path / "new.json", 1, 1)
    assert compare.main([str(old), str(new)]) == 2
    assert "no entry in common" in capsys.readouterr().err


def native(tmp_path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return benchmark_command.run("native", "--quick", "--output", tmp_path, *words)


def test_without_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "ROOT", tmp_path)
    with pytest.raises(build.BuildError, match=r"sources are missing in .*: run this in a clone"):
        build.build(tmp_path / "build")
    assert not (tmp_path / "build").exists()


def test_the_command(tmp_path: Path) -> None:
    layers = "(text_b32/1|lenet_b8/[13])"
    which = f"maths/.*/double/exp|gemm/.*/float/lstm_b16_h32/1_lstm|layer/.*/float/{layers}|step/.*/float/lstm_b16"
    done = native(tmp_path, "--filter", which)
    assert done.returncode == 0, done.stderr
    (file,) = tmp_path.glob("native-*.json")
    found = results.entries(json.loads(file.read_text())["benchmarks"])
    assert {entry.family for entry in found} == {"maths", "gemm", "layer", "step"}
    named = {f"{entry.family}/{entry.type}/{entry.name}": entry for entry in found}
    assert named["maths/double/exp"].counters["ULP"][0] < 1.3
    assert named["gemm/float/lstm_b16_h32/1_lstm/forward"].label == "lstm_forward 16x128x40, taps 2"
    assert all(len(entry.us) == 3 and min(entry.us) > 0 for entry in found)
    for part in ("forward", "backward", "gradients", "update", "refresh"):
        assert (named[f"layer/float/lenet_b8/3_conv/{part}"].share or 0) > 0
    assert "layer/float/lenet_b8/1_conv/backward" not in named  # nothing below learns
    assert compare.main([str(file), str(file), "--fail"]) == 0


def test_a_filter_that_fits_nothing(tmp_path: Path) -> None:
    done = native(tmp_path, "--filter", "nosuchthing")
    assert done.returncode == 1
    assert "nosuchthing" in done.stderr
    assert not list(tmp_path.iterdir())
