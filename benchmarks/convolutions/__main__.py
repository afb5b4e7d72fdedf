"""Convolutions over a grid: `python -m benchmarks.convolutions --quick`."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import asdict, astuple
from pathlib import Path
from typing import Any

from benchmarks import environments, report
from benchmarks.convolutions.grid import PHASES, Case, choose, grid
from benchmarks.convolutions.text import table, text
from benchmarks.native import build
from benchmarks.process import Worker, WorkerError
from benchmarks.sweep.__main__ import whole_numbers

PAUSE = 0.02  # seconds in which the threads of the library before stop spinning
QUICK_CASES = 72


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.convolutions",
        description="2D convolutions (float32, bias, padded by half a kernel) over channels, kernels, sizes, strides "
        "and batches: forward, input gradient and weight gradient by themselves, in Tauten and in oneDNN, as PyTorch "
        "calls it, as shares of the multiply-add peak; and the cases that oneDNN runs faster.",
    )
    axis: dict[str, Any] = {"type": whole_numbers, "metavar": "N,N,..."}
    parser.add_argument("--channels", **axis, default="1,3,16,64,128,256,512", help="channels in (%(default)s)")
    parser.add_argument("--filters", **axis, default="1,3,16,64,128,256,512", help="channels out (%(default)s)")
    parser.add_argument("--kernels", **axis, default="1,3,5,7", help="windows, both ways (%(default)s)")
    parser.add_argument("--sizes", **axis, default="7,14,28,56,112,224", help="inputs, both ways (%(default)s)")
    parser.add_argument("--strides", **axis, default="1,2", help="(%(default)s)")
    parser.add_argument("--batches", **axis, default="1,8,64", help="(%(default)s)")
    parser.add_argument("--cases", type=int, help=f"that many, which meet every extent (all; {QUICK_CASES} if quick)")
    parser.add_argument("--threads", type=int, default=2, help="threads, and processors, of each library (2)")
    parser.add_argument("--rounds", type=int, help="blocks of each library (9; 5 if quick)")
    parser.add_argument("--seconds", type=float, help="of a block of each phase (0.03; 0.015 if quick)")
    parser.add_argument("--gflop", type=float, help="cases with more a phase are left out (20; 2 if quick)")
    parser.add_argument("--megabytes", type=float, help="as are those that keep more (2000; 250 if quick)")
    parser.add_argument("--below", type=float, default=0.8, help="list what is under that share of its speed (0.8)")
    parser.add_argument("--quick", action="store_true", help="few cases, short and small ones")
    parser.add_argument("--probe", type=Path, help="the library tauten_probe, if it is built already")
    parser.add_argument("--output", type=Path, default=report.RESULTS, help="folder for .json, .csv and .md")
    environments.add_arguments(parser)
    arguments = parser.parse_args(argv)
    for name, quick, long in (("rounds", 5, 9), ("seconds", 0.015, 0.03), ("gflop", 2, 20), ("megabytes", 250, 2000)):
        if getattr(arguments, name) is None:
            setattr(arguments, name, quick if arguments.quick else long)
        if getattr(arguments, name) <= 0:
            parser.error(f"--{name} must be above 0")
    if arguments.threads < 1:
        parser.error("--threads must be at least 1")
    if any(kernel % 2 == 0 for kernel in arguments.kernels):
        parser.error("--kernels must be odd: there is no half of an even kernel to pad by")
    if arguments.cases is None and arguments.quick:
        arguments.cases = QUICK_CASES
    if arguments.cases is not None and arguments.cases < 1:
        parser.error("--cases must be at least 1")
    return arguments


class Progress:
    """A bar on a terminal, lines elsewhere."""

    def __init__(self, total: int) -> None:
        self.total, self.done, self.started = total, 0, time.perf_counter()

    def step(self, what: str) -> None:
        """One more is done."""
        self.done += 1
        spent = time.perf_counter() - self.started
        left = spent / self.done * (self.total - self.done)
        if not sys.stderr.isatty():
            print(f"{self.done}/{self.total}  {what}", file=sys.stderr, flush=True)
            return
        full = 24 * self.done // self.total
        bar = f"[{'=' * full}{' ' * (24 - full)}] {self.done}/{self.total}, {left:.0f} s left  {what}"
        print(f"\r\x1b[K{bar[:118]}", end="\n" if self.done == self.total else "", file=sys.stderr, flush=True)


def _agree(ours: list[float], theirs: list[float]) -> bool:
    """To a thousandth of the largest number; what is not a number agrees with nothing."""
    largest = max(map(abs, [*ours, *theirs]))
    return all(abs(a - b) <= 1e-3 * largest for a, b in zip(ours, theirs, strict=True))


def measure(case: Case, workers: dict[str, Worker], careful: bool, options: argparse.Namespace) -> dict[str, Any]:
    """The phases of one case: both libraries by turns, the peak between them. careful: without what may crash."""
    said = {}
    for name, worker in workers.items():
        time.sleep(PAUSE)
        said[name] = worker.ask("setup", case=astuple(case), seconds=options.seconds, careful=careful)
    blocks: dict[str, dict[str, list[float]]] = {name: {phase: [] for phase in PHASES} for name in workers}
    peaks, order = [], list(workers)
    for _ in range(options.rounds):
        for name in order:
            time.sleep(PAUSE)
            if name == "tauten":
                peaks.append(workers[name].ask("peak"))
            for phase, ms in workers[name].ask("block").items():
                blocks[name][phase].append(ms)
        order.reverse()
    if not max(peaks):
        raise WorkerError("the probe of the multiply-add peak does not run here")
    return {f"{case.name} {phase}": _phase(case, blocks, said, phase, max(peaks)) for phase in PHASES}


def _phase(case: Case, blocks: dict[str, Any], said: dict[str, Any], phase: str, peak: float) -> dict[str, Any]:
    agree = _agree(*(said[name][phase]["agreed"] for name in blocks))
    found: dict[str, Any] = {**asdict(case), "phase": phase, "peak_gflops": peak, "agree": agree}
    for name, measured in blocks.items():
        ms = report.summary(measured[phase])
        share = case.flops / ms["median"] / 1e6 / peak
        variant = said[name][phase]["variant"]
        found[name] = {"variant": variant, "blocks_ms": measured[phase], "ms": ms, "share": share}
    if filters := said["tauten"][phase].get("filters_ms"):
        found["tauten"]["filters_ms"] = filters
    pairs = zip(blocks["torch"][phase], blocks["tauten"][phase], strict=True)
    found["ratio"] = report.summary([theirs / ours for theirs, ours in pairs])
    return found


class Pair:
    """The two libraries' processes. One that dies is started anew: PyTorch crashes in some convolutions."""

    def __init__(self, options: argparse.Namespace, probe: Path) -> None:
        self.options = options
        self.pythons = {name: environments.interpreter(name, options) for name in ("tauten", "torch")}
        self.arguments = {"tauten": {"team": options.threads, "probe": str(probe.resolve())}, "torch": {}}
        self.workers: dict[str, Worker] = {}
        self.start()

    def start(self) -> None:
        """In place of what ran before."""
        self.close()
        for name, python in self.pythons.items():
            task = f"benchmarks.convolutions.tasks:{name.capitalize()}"
            self.workers[name] = Worker(name, python, task, self.options.threads, **self.arguments[name])

    def close(self) -> None:
        """Ends the processes."""
        for worker in self.workers.values():
            worker.close()

    def measure(self, case: Case) -> dict[str, Any]:
        """As measure(); after a crash a second time, without what may have crashed."""
        for careful in (False, True):
            try:
                return measure(case, self.workers, careful, self.options)
            except WorkerError:
                self.start()
                if careful:
                    raise
        raise AssertionError


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Everything that the files hold. An interruption keeps what is there."""
    axes = [getattr(options, name) for name in ("channels", "filters", "kernels", "sizes", "strides", "batches")]
    cases = grid(axes)
    chosen = [case for case in cases if not case.too_large(options.gflop, options.megabytes)]
    too_large = len(cases) - len(chosen)
    if not chosen:
        raise WorkerError("no case is within the limits; see --gflop and --megabytes")
    chosen = choose(chosen, options.cases or len(chosen))
    probe = options.probe or build.build(target="tauten_probe")
    facts = report.machine(options.threads)
    report.warn_if_busy(facts)
    names = ("threads", "rounds", "seconds", "gflop", "megabytes", "quick", "cases")
    work: dict[str, Any] = {}
    failed: dict[str, str] = {}
    progress = Progress(len(chosen))
    pair = Pair(options, probe)
    try:
        for case in chosen:
            try:
                found = pair.measure(case)
            except WorkerError as error:
                failed[case.name] = str(error)
                progress.step(f"{case.name}  failed")
                continue
            work.update(found)
            ratios = ", ".join(f"{one['ratio']['median']:.2f}" for one in found.values())
            progress.step(f"{case.name}  {ratios}")
    except KeyboardInterrupt:
        print("\ninterrupted: the files hold the cases so far", file=sys.stderr)
    finally:
        pair.close()
    versions = f"Tauten {pair.workers['tauten'].version}, PyTorch {pair.workers['torch'].version}"
    settings = {name: getattr(options, name) for name in names}
    return {
        "machine": facts,
        "settings": settings,
        "versions": versions,
        "too_large": too_large,
        "failed": failed,
        "work": work,
    }


def main(argv: list[str] | None = None) -> int:
    """Measures, prints the tables, writes the files."""
    options = parse(argv)
    started = time.perf_counter()
    try:
        whole = run(options)
    except (build.BuildError, WorkerError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    said = text(whole, options.below)
    stem = report.write(options.output, "convolutions", whole, said)
    stem.with_suffix(".csv").write_text(table(whole))
    print(said)
    print(f"{time.perf_counter() - started:.0f} s; {stem}.json, .csv and .md", file=sys.stderr)
    print(f"a picture: python -m benchmarks.plots {options.output}", file=sys.stderr)
    return int(bool(whole["failed"]) or not all(one["agree"] for one in whole["work"].values()))


if __name__ == "__main__":
    sys.exit(main())
