"""What the libraries weigh: installed size, import time over NumPy's, memory, the first step of training."""

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
from benchmarks.process import ROOT
from benchmarks.rivals import RIVALS
from benchmarks.sidebyside import Settings
from benchmarks.workloads import find

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

# The package, and with everything that it requires.
SIZE = """
import importlib.metadata as metadata, json, re, sys
from pip._vendor.packaging.requirements import Requirement
sizes, todo = {{}}, {names!r}
while todo:
    name = re.sub("[-_.]+", "-", todo.pop().lower())
    if name not in sizes:
        files = [file.locate() for file in metadata.files(name) or ()]
        sizes[name] = sum(file.stat().st_size for file in files if file.is_file())
        needs = [Requirement(text) for text in metadata.requires(name) or ()]
        todo += [need.name for need in needs if not need.marker or need.marker.evaluate({{"extra": ""}})]
print(json.dumps([sizes[re.sub("[-_.]+", "-", {names!r}[0].lower())], sum(sizes.values())]))
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


def training(settings: Settings, name: str, python: str, work: str) -> tuple[float, float]:
    """Memory in MB of a process that trains a workload, above that after the import; seconds of its first step."""
    with settings.worker(name, python, work) as scout:
        variants = scout.ask("scout", seconds=0.2)
    with settings.worker(name, python, work) as worker:
        said = worker.ask("setup", variant=next(iter(variants)))
        worker.ask("block", steps=5)
        return worker.peak_mb - worker.imported_mb, said["first_seconds"]


def main(argv: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.footprint", description=__doc__)
    others = [name for name in RIVALS if name != "tauten"]
    parser.add_argument("--rivals", nargs="*", default=others, choices=others, help="libraries beside Tauten")
    parser.add_argument("--work", nargs="+", default=["lenet_b64"], metavar="NAME", help="trained for their memory")
    parser.add_argument("--wheel", type=Path, help="a wheel that is already built")
    parser.add_argument("--times", type=int, default=15, help="fresh interpreters per import time (15)")
    parser.add_argument("--threads", type=int, default=2, help="threads of each library (2)")
    parser.add_argument("--output", type=Path, default=report.RESULTS, help="folder for .json and .md")
    environments.add_arguments(parser)
    arguments = parser.parse_args(argv)
    if arguments.wheel and not arguments.wheel.is_file():
        parser.error(f"--wheel: no file {arguments.wheel}")
    for work in arguments.work:
        try:
            find(work)
        except ValueError as error:
            parser.error(str(error))
    facts = report.machine(arguments.threads)
    report.warn_if_busy(facts)
    settings = Settings("steps", arguments.threads, 1, 1, 0.1, True, None)
    rows, results = [], {}
    for name in ["tauten", *arguments.rivals]:
        python, rival = environments.interpreter(name, arguments), RIVALS[name]
        found: dict[str, Any] = imports(python, rival.imports, arguments.times)
        names = [requirement.split("==")[0] for requirement in rival.requirements] or ["tauten"]
        own, whole = json.loads(_python(python, SIZE.format(names=names)))
        found |= {"installed_mb": own / 1e6, "installed_with_dependencies_mb": whole / 1e6}
        trained = {work: training(settings, name, python, work) for work in arguments.work} if rival.trains else {}
        found["training"] = {work: {"mb": mb, "first_seconds": first} for work, (mb, first) in trained.items()}
        found["wheel_mb"] = wheel_mb(arguments.wheel) if name == "tauten" else None
        results[name] = found
        print(f"{rival.title}: {found}", file=sys.stderr, flush=True)
        rows.append(
            [
                rival.title,
                f"{found['installed_mb']:.1f}",
                f"{found['installed_with_dependencies_mb']:.0f}",
                f"{found['import_ms']:.0f} ({found['numpy_ms']:.0f})",
                f"{found['peak_mb']:.0f}",
                *(f"{trained[work][0]:.0f} ({trained[work][1]:.2f})" if trained else "–" for work in arguments.work),
            ]
        )
    header = ["", "installed, MB", "with dependencies", "import, ms (NumPy's before it)", "peak MB after it"]
    header += [f"training {work}, MB above it (first step, s)" for work in arguments.work]
    text = (
        report.markdown(header, rows)
        + f"\nTauten's wheel: {results['tauten']['wheel_mb']:.2f} MB. Medians of {arguments.times} interpreters; 1 "
        + f"MB = 10^6 bytes on disk, 2^20 in memory. {report.machine_line(facts)}\n"
    )
    stem = report.write(arguments.output, "footprint", {"machine": facts, "libraries": results}, text)
    print(text)
    print(f"{stem}.json and .md", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
