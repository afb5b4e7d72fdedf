"""How a training step grows with the batch, the hidden size and the threads; every point is measured side by side."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import environments, report, sidebyside
from benchmarks.process import WorkerError
from benchmarks.rivals import RIVALS, TRAINING
from benchmarks.workloads import find

BATCHES = (1, 4, 16, 64, 256)
UNITS = (16, 32, 64, 128, 256, 512)
THREADED = ("mlp_b128", "lenet_b64", "lstm_b64_h128")


def series(threads: int, cores: int) -> dict[str, list[tuple[int, str, int]]]:
    """By name: points (value on the axis, workload, threads)."""
    counts = sorted({1, *(2**i for i in range(1, 8) if 2**i <= cores), cores})
    return {
        "LeNet, batch": [(batch, f"lenet_b{batch}", threads) for batch in BATCHES],
        "LSTM 128, batch": [(batch, f"lstm_b{batch}_h128", threads) for batch in BATCHES],
        "LSTM, batch 64, units": [(units, f"lstm_b64_h{units}", threads) for units in UNITS],
        **{f"{name}, threads": [(count, name, count) for count in counts] for name in THREADED},
    }


def _rate(name: str, ms: float) -> str:
    """Milliseconds and GFLOP/s."""
    return f"{ms:.3g} · {find(name).flops / ms / 1e6:.0f}"


def main(argv: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    others = [name for name in TRAINING if name != "tauten"]
    parser.add_argument("--rivals", nargs="*", default=others, choices=others, help="libraries beside Tauten")
    parser.add_argument("--threads", type=int, default=2, help="threads where they do not vary (2)")
    parser.add_argument("--rounds", type=int, default=5, help="blocks of each library (5)")
    parser.add_argument("--seconds", type=float, default=0.2, help="length of a block (0.2)")
    parser.add_argument("--output", type=Path, default=report.RESULTS, help="folder for .json and .md")
    environments.add_arguments(parser)
    arguments = parser.parse_args(argv)
    names = ["tauten", *arguments.rivals]
    facts = report.machine(arguments.threads)
    report.warn_if_busy(facts)
    started = time.perf_counter()
    results: dict[str, list[dict[str, Any]]] = {}
    text = ""
    try:
        pythons = {rival: environments.interpreter(rival, arguments) for rival in names}
        for title, points in series(arguments.threads, min(facts["cores"], os.cpu_count() or 1)).items():
            results[title] = []
            rows = []
            for value, workload, threads in points:
                settings = sidebyside.Settings("steps", threads, arguments.rounds, 1, arguments.seconds, True, None)
                result = sidebyside.measure(workload, pythons, settings)
                results[title].append({"value": value, "workload": workload, "threads": threads, "libraries": result})
                rows.append([str(value), *(_rate(workload, result[name]["ms"]["median"]) for name in names)])
                print(f"{title} {'  '.join(rows[-1])}", file=sys.stderr, flush=True)
            text += report.markdown([title, *(RIVALS[name].title for name in names)], rows) + "\n"
    except WorkerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    text += (
        f"Training step, ms · GFLOP/s; medians of {arguments.rounds} interleaved rounds; without variants that compile "
        f"for long. {report.machine_line(facts)}\n"
    )
    stem = report.write(arguments.output, "scaling", {"machine": facts, "series": results}, text)
    print(text)
    print(f"{time.perf_counter() - started:.0f} s; {stem}.json and .md", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
