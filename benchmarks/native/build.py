"""Configures and builds csrc/bench."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from benchmarks.process import ROOT

FOLDER = ROOT / "benchmarks" / ".environments" / "native"
TARGET = "tauten_bench"


class BuildError(RuntimeError):
    """The benchmarks cannot be built; the message says what is missing or what the compiler said."""


def build(folder: Path = FOLDER, target: str = TARGET) -> Path:
    """Builds what changed since the last time; returns the program, or the library with that name."""
    if not (ROOT / "CMakeLists.txt").exists():
        raise BuildError(
            f"the C++ sources are missing in {ROOT}: run this in a clone, or in an unpacked source package"
        )
    path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])
    cmake = shutil.which("cmake", path=path)
    if not cmake:
        raise BuildError("cmake is missing: pip install cmake ninja")
    generator = ["-G", "Ninja"] if shutil.which("ninja", path=path) else []
    print(f"building {target} (minutes, the first time) ...", file=sys.stderr, flush=True)
    options = ["-DTAUTEN_PYTHON=OFF", "-DTAUTEN_BENCHMARKS=ON"]
    _run([cmake, *generator, "-S", str(ROOT), "-B", str(folder), *options], path)
    _run([cmake, "--build", str(folder), "--target", target, "--parallel"], path)
    return next(path for path in (folder / target, folder / f"lib{target}.so") if path.exists())


def _run(command: list[str], path: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PATH": path})
    if done.returncode:
        said = (done.stdout + done.stderr).splitlines()
        missing = [line.strip() for line in said if "google-benchmark is missing" in line]
        raise BuildError(missing[0] if missing else "\n".join([" ".join(command), *said[-30:]]))
