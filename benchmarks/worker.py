"""The process in which one library works: takes requests as JSON lines, answers with JSON lines.

    python -m benchmarks.worker RIVAL TASK THREADS OPTIONS

TASK is module:Class; it is made once from (library, **OPTIONS), then each request {"call": method, "with": {...}}
calls a method of it. Whatever the library prints goes to standard error.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.rivals import load


def _core(processor: int) -> tuple[str, str]:
    folder = Path(f"/sys/devices/system/cpu/cpu{processor}/topology")
    try:
        return (folder / "physical_package_id").read_text(), (folder / "core_id").read_text()
    except OSError:
        return "", str(processor)


def pin(threads: int) -> None:
    """Leaves the process as many processors as threads, on different cores while there are any."""
    if not hasattr(os, "sched_setaffinity"):
        return
    seen: dict[tuple[str, str], int] = {}
    ranked = []
    for processor in sorted(os.sched_getaffinity(0)):
        core = _core(processor)
        seen[core] = seen.get(core, 0) + 1
        ranked.append((seen[core], processor))
    os.sched_setaffinity(0, [processor for _, processor in sorted(ranked)[:threads]])


def peak_mb() -> float:
    """The most memory that this process has had."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def main(rival: str, task: str, threads: str, options: str) -> None:
    """Serves requests until standard input closes."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(value: Any) -> None:
        print(json.dumps(value), file=answers, flush=True)

    pin(int(threads))
    started = time.perf_counter()
    library = load(rival, int(threads))
    imported = {"import_seconds": time.perf_counter() - started, "imported_mb": peak_mb()}
    module, name = task.split(":")
    worker = getattr(importlib.import_module(module), name)(library, **json.loads(options))
    answer({"version": library.version, **imported})
    for line in sys.stdin:
        request = json.loads(line)
        result = getattr(worker, request["call"])(**request["with"])
        answer({"result": result, "peak_mb": peak_mb()})


if __name__ == "__main__":
    main(*sys.argv[1:])
