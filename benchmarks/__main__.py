"""Training steps, side by side: `python -m benchmarks --work lstm_b64_h128 --rivals torch --quick`."""

from __future__ import annotations

import argparse
import math
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import environments, report
from benchmarks.process import Worker, WorkerError
from benchmarks.rivals import RIVALS
from benchmarks.steps import CHECKED_STEPS
from benchmarks.workloads import WORKLOADS


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="One training step (forward, softmax cross-entropy, backward, plain SGD; float32) of each library, "
        "each in a process of its own, in interleaved rounds.",
        epilog="workloads: " + "; ".join(f"{w.name} ({w.text})" for w in WORKLOADS.values()),
    )
    parser.add_argument("--work", nargs="+", default=list(WORKLOADS), metavar="NAME", help="workloads (all)")
    others = [name for name in RIVALS if name != "tauten"]
    parser.add_argument("--rivals", nargs="*", default=others, choices=others, help="libraries beside Tauten")
    parser.add_argument("--without-tauten", action="store_true", help="time the rivals alone")
    parser.add_argument("--threads", type=int, default=2, help="threads of each library (2)")
    parser.add_argument("--rounds", type=int, help="blocks of each library (11; 7 if quick)")
    parser.add_argument("--seconds", type=float, help="length of a block (0.5; 0.2 if quick)")
    parser.add_argument("--quick", action="store_true", help="few and short rounds")
    parser.add_argument("--data", type=Path, help="folder with mnist.npz (else random images)")
    parser.add_argument("--output", type=Path, default=report.RESULTS, help="folder for .json and .md")
    environments.add_arguments(parser)
    arguments = parser.parse_args(argv)
    for name in arguments.work:
        if name not in WORKLOADS:
            parser.error(f"no workload {name!r}; there are {', '.join(WORKLOADS)}")
    if arguments.threads < 1:
        parser.error("--threads must be at least 1")
    if arguments.without_tauten and not arguments.rivals:
        parser.error("--without-tauten leaves nothing to time")
    arguments.rounds = arguments.rounds or (7 if arguments.quick else 11)
    arguments.seconds = arguments.seconds or (0.2 if arguments.quick else 0.5)
    return arguments


def measure(name: str, pythons: dict[str, str], arguments: argparse.Namespace) -> dict[str, Any]:
    """One workload: a worker per library, interleaved rounds, and what they say together."""
    options = {"workload": name, "data": str(arguments.data.resolve()) if arguments.data else None}
    result: dict[str, Any] = {}
    with ExitStack() as stack:
        workers: dict[str, Worker] = {}
        for rival, python in pythons.items():
            worker = Worker(rival, python, "benchmarks.steps:Task", arguments.threads, **options)
            workers[rival] = stack.enter_context(worker)
            result[rival] = {
                "version": worker.version,
                "import_seconds": worker.import_seconds,
                **worker.ask("setup", seconds=0.25 if arguments.quick else 1.0),
                "blocks_ms": [],
            }
        steps = {rival: max(2, math.ceil(arguments.seconds / result[rival]["step_seconds"])) for rival in workers}
        order = list(workers)
        for _ in range(arguments.rounds):
            for rival in order:
                time.sleep(0.02)  # the other library's threads stop spinning
                seconds = workers[rival].ask("block", steps=steps[rival])
                result[rival]["blocks_ms"].append(1e3 * seconds / steps[rival])
            order.append(order.pop(0))
        for rival, worker in workers.items():
            if not worker.ask("finish"):
                raise WorkerError(f"{rival}: the loss of {name} is not a number")
            result[rival]["steps_per_block"] = steps[rival]
            result[rival]["peak_mb"] = worker.peak_mb
            result[rival]["ms"] = report.summary(result[rival]["blocks_ms"])
            result[rival]["gflops"] = WORKLOADS[name].flops / result[rival]["ms"]["median"] / 1e6
    if "tauten" in result:
        own = result["tauten"]["blocks_ms"]
        for rival in (other for other in result if other != "tauten"):
            pairs = zip(result[rival]["blocks_ms"], own, strict=True)
            result[rival]["ratio"] = report.summary([theirs / ours for theirs, ours in pairs])
    return result


def losses_agree(result: dict[str, Any]) -> bool:
    """Whether every library had the same loss after the same steps from the same weights."""
    losses = [library["loss"] for library in result.values()]
    return max(losses) - min(losses) <= 1e-3 * abs(median(losses))


def cells(name: str, result: dict[str, Any], rivals: list[str]) -> list[str]:
    """One line of the table."""
    row = [name]
    for rival in rivals:
        ms = result[rival]["ms"]
        row.append(f"{ms['median']:.3g} ({ms['q1']:.3g}–{ms['q3']:.3g})")
        if "ratio" in result[rival]:
            ratio = result[rival]["ratio"]
            row.append(f"{ratio['median']:.2f} ({ratio['q1']:.2f}–{ratio['q3']:.2f})")
    row.append(f"{result[rivals[0]]['gflops']:.0f}")
    row.append("; ".join(result[rival]["variant"] for rival in rivals if rival != "tauten"))
    row.append("same" if losses_agree(result) else "DIFFERENT")
    return row


def main(argv: list[str] | None = None) -> int:
    """Measures, prints the table, writes the files."""
    arguments = parse(argv)
    names = ([] if arguments.without_tauten else ["tauten"]) + arguments.rivals
    started = time.perf_counter()
    facts = report.machine(arguments.threads)
    report.warn_if_busy(facts)
    header = ["training step, ms"]
    for rival in names:
        header.append(RIVALS[rival].title)
        if rival != "tauten" and "tauten" in names:
            header.append(f"{RIVALS[rival].title} / Tauten")
    header += ["GFLOP/s", "variant chosen", f"loss after {CHECKED_STEPS} steps"]
    rows, results = [], {}
    try:
        pythons = {rival: environments.interpreter(rival, arguments) for rival in names}
        for name in arguments.work:
            results[name] = measure(name, pythons, arguments)
            rows.append(cells(name, results[name], names))
            print("  ".join(rows[-1]), file=sys.stderr, flush=True)
    except WorkerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    versions = ", ".join(f"{RIVALS[rival].title} {results[arguments.work[0]][rival]['version']}" for rival in names)
    text = (
        report.markdown(header, rows)
        + f"\nMedian of {arguments.rounds} interleaved rounds (quartiles); ratios are paired by round, above 1 means "
        + f"that Tauten is faster; GFLOP/s of {RIVALS[names[0]].title}. {versions}. {report.machine_line(facts)}\n"
    )
    settings = {"rounds": arguments.rounds, "block_seconds": arguments.seconds, "quick": arguments.quick}
    stem = report.write(arguments.output, "steps", {"machine": facts, "settings": settings, "work": results}, text)
    print(text)
    print(f"{time.perf_counter() - started:.0f} s; {stem}.json and .md", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
