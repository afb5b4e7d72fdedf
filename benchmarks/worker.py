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
from typing import Any

from benchmarks.rivals import load


def main(rival: str, task: str, threads: str, options: str) -> None:
    """Serves requests until standard input closes."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(value: Any) -> None:
        print(json.dumps(value), file=answers, flush=True)

    started = time.perf_counter()
    library = load(rival, int(threads))
    imported = time.perf_counter() - started
    module, name = task.split(":")
    worker = getattr(importlib.import_module(module), name)(library, **json.loads(options))
    answer({"version": library.version, "import_seconds": imported})
    for line in sys.stdin:
        request = json.loads(line)
        result = getattr(worker, request["call"])(**request["with"])
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        answer({"result": result, "peak_mb": round(peak, 1)})


if __name__ == "__main__":
    main(*sys.argv[1:])
