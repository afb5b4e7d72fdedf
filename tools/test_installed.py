"""Tests the installed package away from its sources: `python tools/test_installed.py [--all] [PYTEST ARGUMENTS]`.

The tests run with the interpreter that this runs with, which has `tauten[test]` installed, from copies in a temporary
folder, with no compiler on PATH and no network (tools/offline.py). Those of QUICK take a minute or two; --all runs
every test that needs no sources.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COPIED = ("tests", "docs", "benchmarks", "tools", "README.md", "CHANGELOG.md", "pyproject.toml")
# Import, example, command, files, bits that do not depend on threads, forks, threads, and scikit-learn in one process.
QUICK = (
    "test_readme.py",
    "test_config.py",
    "test_cli.py",
    "test_models.py",
    "test_saving.py",
    "test_determinism.py",
    "test_processes.py",
    "test_training_threads.py",
    "test_model_gradients.py",
    "test_sklearn_training.py",
)


def copy(root: Path, folder: Path) -> None:
    """Copies what tests read, and neither the package nor what it is compiled from."""
    for name in COPIED:
        if (root / name).is_dir():
            shutil.copytree(root / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".*", "results"))
        elif (root / name).exists():
            shutil.copy(root / name, folder / name)


def where(folder: Path) -> Path:
    """The folder of the package that `import tauten` finds from another folder."""
    code = "import tauten; print(tauten.__path__[0])"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=folder)
    return Path(found.stdout.strip())


def main(arguments: list[str]) -> int:
    """pytest's exit status."""
    all_tests = arguments[:1] == ["--all"]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        copy(ROOT, folder)
        package = where(folder)
        print(f"tested: {package}", flush=True)
        if package.parent != Path(sysconfig.get_path("platlib")):
            print("this is not an installed package")
            return 1
        tests = [] if all_tests else [f"tests/python/{name}" for name in QUICK]
        offline = [sys.executable, str(ROOT / "tools" / "offline.py")]
        without_compiler = ["env", f"PATH={sysconfig.get_path('scripts')}"]
        pytest = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *tests, *arguments[all_tests:]]
        return subprocess.run([*offline, *without_compiler, *pytest], cwd=folder).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
