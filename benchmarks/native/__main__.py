"""The C++ benchmarks: `python -m benchmarks.native --filter 'layer/.*lstm' --quick`."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.native import build, results, summary
from benchmarks.native.networks import describe
from benchmarks.workloads import WORKLOADS

LEVELS = ("baseline", "avx2", "avx512")
# Everything of one type but the grid of products, which is for work on the building block.
USUAL = "^(maths|elementwise|pooling|losses|updates|gemm|layer|step|predict)/[^/]*/float/"


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.native",
        description="Builds csrc/bench and runs it on the public workloads; names are FAMILY/LEVEL/TYPE/NAME.",
    )
    parser.add_argument("--filter", metavar="REGEX", help="which (all of float except gemm_grid)")
    parser.add_argument("--level", nargs="+", choices=LEVELS, help="instruction sets (the highest, or TAUTEN_ISA)")
    parser.add_argument("--all", action="store_true", help="every level of this machine, float and double, gemm_grid")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter repetitions")
    parser.add_argument("--repetitions", type=int, help="of each benchmark, in random order (5; 3 if quick)")
    parser.add_argument(
        "--worst", type=int, default=15, metavar="N", help="distances to the limits that are listed (15)"
    )
    parser.add_argument("--output", type=Path, default=report.RESULTS, help="folder for .json and .md")
    parser.add_argument("--build", type=Path, default=build.FOLDER, help="build folder")
    arguments = parser.parse_args(argv)
    arguments.filter = arguments.filter or ("." if arguments.all else USUAL)
    arguments.repetitions = arguments.repetitions or (3 if arguments.quick else 5)
    arguments.seconds = 0.005 if arguments.quick else 0.02
    return arguments


def call(program: Path, level: str | None, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs the program with the kernels of one level (None: of the environment's choice)."""
    environment = {**os.environ, **({"TAUTEN_ISA": level} if level else {})}
    return subprocess.run([program, *words], capture_output=True, text=True, env=environment)


def measure(program: Path, level: str | None, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """One level's entries."""
    networks = [f"--network={text}" for text in map(describe, WORKLOADS.values()) if text]
    words = [*networks, f"--benchmark_filter={arguments.filter}"]
    listed = call(program, level, *words, "--benchmark_list_tests")
    count = len(listed.stdout.splitlines())
    if listed.returncode:
        raise RuntimeError(f"{program.name} ended with {listed.returncode}\n{listed.stderr.strip()}")
    if not count:
        raise RuntimeError(f"no benchmark's name fits {arguments.filter!r}")
    print(f"{count} benchmarks, {arguments.repetitions} repetitions each ...", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "out.json"
        words += [f"--seconds={arguments.seconds}", f"--benchmark_repetitions={arguments.repetitions}"]
        words += ["--benchmark_enable_random_interleaving=true", f"--benchmark_out={file}"]
        done = call(program, level, *words)
        if done.returncode:
            raise RuntimeError(f"{program.name} ended with {done.returncode}\n{done.stderr.strip()}")
        return results.clean(json.loads(file.read_text()))


def main(argv: list[str] | None = None) -> int:
    """Builds, measures, prints the tables, writes the files."""
    arguments = parse(argv)
    started = time.perf_counter()
    try:
        program = build.build(arguments.build)
        facts = report.machine(min(2, len(os.sched_getaffinity(0))))
        report.warn_if_busy(facts)
        levels: list[str | None] = arguments.level or [None]
        if arguments.all and not arguments.level:
            levels = [level for level in LEVELS if not call(program, level, "--benchmark_list_tests").returncode]
        benchmarks = [one for level in levels for one in measure(program, level, arguments)]
    except RuntimeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    settings = {"repetitions": arguments.repetitions, "seconds": arguments.seconds, "filter": arguments.filter}
    text = (
        summary.text(results.entries(benchmarks), arguments.worst)
        + f"\nMedian of {arguments.repetitions} repetitions (quartiles), each the fastest of its rounds; peak and "
        + f"bandwidth measured in between. {report.machine_line(facts)}\n"
    )
    run = {"machine": facts, "settings": settings, "benchmarks": benchmarks}
    stem = report.write(arguments.output, "native", run, text)
    print(text)
    print(f"{time.perf_counter() - started:.0f} s; {stem}.json and .md", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
