"""What Tauten weighs: wheel, installed size, import time over NumPy's, peak memory; beside PyTorch."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import environments, report
from benchmarks.process import ROOT, Worker
from benchmarks.rivals import RIVALS

# Both imports in one process, so that what the machine is doing meanwhile meets both.
IMPORTS = """
import time
a = time.perf_counter()
import numpy
b = time.perf_counter()
import {module}
c = time.perf_counter()
import json, resource
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps([1e3 * (b - a), 1e3 * (c - b), peak]))
"""

SIZE = """
import importlib.metadata as metadata
print(sum(file.locate().stat().st_size for file in metadata.files({module!r}) if file.locate().exists()))
"""


def _python(python: str, code: str) -> str:
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, cwd=tempfile.gettempdir())
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    return done.stdout


def imports(python: str, module: str, times: int) -> dict[str, float]:
    """Milliseconds of `import numpy`, then of `import MODULE` on top of it, and peak memory after both; medians."""
    code = IMPORTS.format(module=module)
    _python(python, code)  # files in the cache, byte code written
    runs = [json.loads(_python(python, code)) for _ in range(times)]
    numpy_ms, module_ms, peak = (median(run[column] for run in runs) for column in range(3))
    return {"numpy_ms": numpy_ms, "import_ms": module_ms, "peak_mb": peak}


def wheel_mb(given: Path | None) -> float:
    """Size of the wheel in MB (10^6 bytes); builds it when none is given."""
    if given:
        return given.stat().st_size / 1e6
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, str(ROOT)]
        subprocess.run(command, check=True)
        return next(Path(folder).glob("*.whl")).stat().st_size / 1e6


def training_peak(name: str, python: str, threads: int) -> float:
    """Peak memory in MB of a process that trains lenet_b64 a few steps."""
    options: dict[str, Any] = {"workload": "lenet_b64", "data": None}
    with Worker(name, python, "benchmarks.steps:Task", threads, **options) as worker:
        worker.ask("setup", seconds=0.1)
        worker.ask("block", steps=5)
        return worker.peak_mb


def main(argv: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.footprint", description=__doc__)
    others = [name for name in RIVALS if name != "tauten"]
    parser.add_argument("--rivals", nargs="*", default=others, choices=others, help="libraries beside Tauten")
    parser.add_argument("--wheel", type=Path, help="a wheel that is already built")
    parser.add_argument("--times", type=int, default=15, help="fresh interpreters per import time (15)")
    parser.add_argument("--threads", type=int, default=2, help="threads of each library (2)")
    parser.add_argument("--output", type=Path, default=report.RESULTS, help="folder for .json and .md")
    environments.add_arguments(parser)
    arguments = parser.parse_args(argv)
    if arguments.wheel and not arguments.wheel.is_file():
        parser.error(f"--wheel: no file {arguments.wheel}")
    facts = report.machine(arguments.threads)
    report.warn_if_busy(facts)
    rows, results = [], {}
    for name in ["tauten", *arguments.rivals]:
        python, module = environments.interpreter(name, arguments), RIVALS[name].imports
        found: dict[str, Any] = imports(python, module, arguments.times)
        found["installed_mb"] = int(_python(python, SIZE.format(module=module))) / 1e6
        found["training_peak_mb"] = training_peak(name, python, arguments.threads)
        found["wheel_mb"] = wheel_mb(arguments.wheel) if name == "tauten" else None
        results[name] = found
        rows.append(
            [
                RIVALS[name].title,
                f"{found['wheel_mb']:.2f}" if found["wheel_mb"] else "",
                f"{found['installed_mb']:.1f}",
                f"{found['import_ms']:.0f} ({found['numpy_ms']:.0f})",
                f"{found['peak_mb']:.0f}",
                f"{found['training_peak_mb']:.0f}",
            ]
        )
    header = ["", "wheel, MB", "installed, MB", "import, ms (NumPy's before it)", "peak MB after it", "training LeNet"]
    text = (
        report.markdown(header, rows)
        + f"\nMedians of {arguments.times} fresh interpreters; the package itself without its dependencies. "
        + f"{report.machine_line(facts)}\n"
    )
    report.write(arguments.output, "footprint", {"machine": facts, "libraries": results}, text)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
