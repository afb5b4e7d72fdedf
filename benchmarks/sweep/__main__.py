"""Recurrent training steps over a grid: `python -m benchmarks.sweep --cells lstm rnn --quick`."""

from __future__ import annotations

import argparse
import sys
import time
from itertools import groupby
from pathlib import Path
from typing import Any

from benchmarks import environments, report
from benchmarks.native import build
from benchmarks.process import Worker, WorkerError
from benchmarks.sweep.grid import Case, Grid, suspects
from benchmarks.sweep.text import percent, text
from benchmarks.workloads import CELLS


def whole_numbers(text: str) -> list[int]:
    """Ascending whole numbers from 1 on."""
    try:
        values = sorted({int(part) for part in text.split(",")})
    except ValueError:
        values = [0]
    if values[0] < 1:
        raise argparse.ArgumentTypeError(f"expected whole numbers from 1 on with commas between them, got {text!r}")
    return values


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.sweep",
        description="Tauten's training step of one recurrent layer (32 features, dense 10 at every step) over hidden "
        "sizes, batches and numbers of steps: shares of the multiply-add peak, measured between the steps, and the "
        "cases below half of the mean of their neighbours.",
    )
    parser.add_argument("--cells", nargs="+", choices=list(CELLS), default=["lstm"], help="recurrent layers (lstm)")
    sizes: dict[str, Any] = {"type": whole_numbers, "metavar": "N,N,..."}
    parser.add_argument("--units", **sizes, default="16,32,64,128,256,512,1024", help="hidden sizes (%(default)s)")
    parser.add_argument("--batches", **sizes, default="1,4,16,64,256", help="batches (%(default)s)")
    parser.add_argument("--steps", **sizes, default="8,64,1024", help="lengths of the sequences (%(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="threads, and processors (2)")
    parser.add_argument("--seconds", type=float, help="for the blocks of each case (0.5; 0.1 if quick)")
    parser.add_argument("--gflop", type=float, help="cases with more a step are skipped (60; 12 if quick)")
    parser.add_argument("--megabytes", type=float, default=2000, help="cases that keep more are skipped (2000)")
    parser.add_argument("--peak", type=float, metavar="GFLOP/S", help="given; else measured, by a library built for it")
    parser.add_argument("--quick", action="store_true", help="short, and without the largest cases")
    parser.add_argument("--output", type=Path, default=report.RESULTS, help="folder for .json and .md")
    environments.add_arguments(parser)
    arguments = parser.parse_args(argv)
    if arguments.threads < 1:
        parser.error("--threads must be at least 1")
    if arguments.peak is not None and arguments.peak <= 0:
        parser.error("--peak must be above 0")
    arguments.seconds = arguments.seconds or (0.1 if arguments.quick else 0.5)
    arguments.gflop = arguments.gflop or (12 if arguments.quick else 60)
    return arguments


def _result(case: Case, measured: dict[str, list[float]], peak: float | None) -> dict[str, Any]:
    blocks = measured["blocks_ms"]
    gflops = case.workload.flops / min(blocks) / 1e6
    peak = peak or max(measured["peak_gflops"])
    if not peak:
        raise WorkerError("the probe of the multiply-add peak does not run here; see --peak")
    return {
        "blocks_ms": blocks,
        "ms": report.summary(blocks),
        "gflops": gflops,
        "peak_gflops": peak,
        "share": gflops / peak,
    }


def _measure(
    cases: list[Case], python: str, probe: str, seconds: float, options: argparse.Namespace
) -> dict[Case, Any]:
    """A process for each cell and hidden size, its cases one after the other."""
    results = {}
    for (cell, units), group in groupby(cases, lambda case: (case.cell, case.units)):
        task = {"cell": cell, "units": units, "team": options.threads, "peak": probe}
        with Worker("tauten", python, "benchmarks.sweep.cases:Task", options.threads, **task) as worker:
            for case in group:
                measured = worker.ask("measure", steps=case.steps, batch=case.batch, seconds=seconds)
                result = results[case] = _result(case, measured, options.peak)
                print(
                    f"{case.workload.name}  {result['ms']['min']:.3g} ms  {percent(result['share'])} %",
                    file=sys.stderr,
                    flush=True,
                )
    return results


def sweep(grid: Grid, python: str, probe: str, options: argparse.Namespace) -> tuple[dict[Case, Any], dict[Case, str]]:
    """Results, and reasons of the cases that are left out. What stands out is measured once more, for longer."""
    reasons = {case: case.too_large(options.gflop, options.megabytes) for case in grid}
    skipped = {case: reason for case, reason in reasons.items() if reason}
    results = _measure([case for case in grid if case not in skipped], python, probe, options.seconds, options)
    outstanding = {one.case for one in suspects(grid, _shares(results))}
    if outstanding:
        print(f"once more: {len(outstanding)} that stand out", file=sys.stderr, flush=True)
    again = _measure([case for case in grid if case in outstanding], python, probe, 3 * options.seconds, options)
    for case, result in again.items():
        results[case] = max(results[case], result, key=lambda one: one["share"])
    return results, skipped


def _shares(results: dict[Case, Any]) -> dict[Case, float]:
    return {case: result["share"] for case, result in results.items()}


def main(argv: list[str] | None = None) -> int:
    """Measures, prints the tables, writes the files."""
    options = parse(argv)
    grid = Grid(options.cells, options.units, options.steps, options.batches)
    started = time.perf_counter()
    try:
        probe = "" if options.peak else str(build.build(target="tauten_probe").resolve())
        facts = report.machine(options.threads)
        report.warn_if_busy(facts)
        results, skipped = sweep(grid, environments.interpreter("tauten", options), probe, options)
    except (build.BuildError, WorkerError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    work = {}
    for case in grid:
        sizes = {"cell": case.cell, "batch": case.batch, "units": case.units, "steps": case.steps}
        found = {"skipped": skipped[case]} if case in skipped else {"tauten": results[case]}
        work[case.workload.name] = {**sizes, **found}
    settings = {name: getattr(options, name) for name in ("threads", "seconds", "gflop", "megabytes", "peak", "quick")}
    outstanding = [one.as_json() for one in suspects(grid, _shares(results))]
    whole = {"machine": facts, "settings": settings, "work": work, "suspects": outstanding}
    said = text(whole)
    stem = report.write(options.output, "sweep", whole, said)
    print(said)
    print(f"{time.perf_counter() - started:.0f} s; {stem}.json and .md", file=sys.stderr)
    print(f"a picture: python -m benchmarks.plots {options.output}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
