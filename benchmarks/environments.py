"""Which interpreter runs which library: the one given, the present one, or an environment made for it."""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

from benchmarks.process import ROOT
from benchmarks.rivals import RIVALS

FOLDER = Path(__file__).resolve().parent / ".environments"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--NAME-python for every library."""
    for name, rival in RIVALS.items():
        parser.add_argument(
            f"--{name}-python",
            metavar="PYTHON",
            help=f"interpreter that has {rival.title} (default: this one if it has it, else one made under "
            "benchmarks/.environments)",
        )


def interpreter(name: str, arguments: argparse.Namespace) -> str:
    """Path of the interpreter for a library; makes its environment where needed."""
    given: str | None = getattr(arguments, f"{name}_python")
    if given:
        return given
    return made(name, RIVALS[name].imports, RIVALS[name].requirements)


def made(name: str, imports: str, requirements: Sequence[str]) -> str:
    """The present interpreter if it can import a module, else that of an environment with these requirements.

    No requirements stand for this repository.
    """
    return sys.executable if importlib.util.find_spec(imports) else str(_make(name, requirements))


def _stamp(requirements: Sequence[str]) -> str:
    """What the environment is made from: the requirements, or this repository's sources."""
    digest = hashlib.sha256("\n".join(requirements).encode())
    if not requirements:
        sources = [ROOT / "pyproject.toml", ROOT / "CMakeLists.txt", *ROOT.glob("csrc/**/*"), *ROOT.glob("python/**/*")]
        for path in sorted(sources):
            if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".so":
                digest.update(path.read_bytes())
    return digest.hexdigest()


def _make(name: str, requirements: Sequence[str]) -> Path:
    folder = FOLDER / name
    python = folder / "bin" / "python"
    stamp, stamp_file = _stamp(requirements), folder / "made-from"
    if stamp_file.exists() and stamp_file.read_text() == stamp:
        return python
    print(f"making an environment for {name} ...", file=sys.stderr, flush=True)
    venv.create(folder, with_pip=True, clear=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", *(requirements or [str(ROOT)])], check=True)
    stamp_file.write_text(stamp)
    return python
