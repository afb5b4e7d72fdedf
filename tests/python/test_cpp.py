"""The C++ tests: configured, built and run as a developer would, in a temporary folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
if not (ROOT / "CMakeLists.txt").exists():
    pytest.skip("the sources are not here", allow_module_level=True)
PROGRAMS = [source.stem for source in sorted((ROOT / "tests" / "cpp").glob("*_test.cpp"))]


def run(name: str, *arguments: str | Path, cwd: Path, timeout: int) -> str:
    """Runs the program that the [test] extra installed beside this Python, else the one on PATH; returns its output."""
    path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])
    program = shutil.which(name, path=path)
    assert program is not None, f"{name} is missing: pip install '.[test]'"
    command = [program, *map(str, arguments)]
    result = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
    )
    assert result.returncode == 0, f"{name} failed ({result.returncode}):\n{result.stdout[-20000:]}"
    return result.stdout


@pytest.fixture(scope="module")
def build(tmp_path_factory) -> Path:
    if built := os.environ.get("TAUTEN_CPP_BUILD"):  # a folder where they are built already
        return Path(built)
    folder = tmp_path_factory.mktemp("cpp")
    options = ["-DTAUTEN_PYTHON=OFF", "-DTAUTEN_TESTS=ON", "-DCMAKE_BUILD_TYPE=Release"]
    run("cmake", "-G", "Ninja", "-S", ROOT, "-B", folder, *options, cwd=folder, timeout=120)
    run("cmake", "--build", folder, cwd=folder, timeout=1500)
    return folder


def test_there_are_some() -> None:
    assert PROGRAMS


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name: str, build: Path) -> None:
    run("ctest", "--output-on-failure", "--no-tests=error", "-R", f"^{name}$", cwd=build, timeout=600)
