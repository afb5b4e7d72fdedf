"""Fails if the wheel or the import grew too heavy: `python tools/check_size.py WHEEL` where tauten is installed."""

import subprocess
import sys
import tempfile
from pathlib import Path

WHEEL_MB = 5.0
IMPORT_MS = 60.0

CODE = """
import numpy, time
begin = time.perf_counter()
import tauten
print(1e3 * (time.perf_counter() - begin))
"""


def import_ms(times: int = 9) -> float:
    """Least milliseconds of `import tauten` after NumPy's import, in fresh interpreters.

    The least, since what a busy machine adds to the others is not Tauten's.
    """
    command = [sys.executable, "-c", CODE]
    folder = tempfile.gettempdir()  # not the repository: the installed package is meant
    runs = [float(subprocess.run(command, check=True, capture_output=True, cwd=folder).stdout) for _ in range(times)]
    return min(runs)


def main(wheel: str) -> int:
    """Prints both figures with their limits."""
    size = Path(wheel).stat().st_size / 1e6
    time = import_ms()
    print(f"wheel   {size:6.2f} MB  (limit {WHEEL_MB:g})")
    print(f"import  {time:6.1f} ms over numpy's  (limit {IMPORT_MS:g})")
    return int(size > WHEEL_MB or time > IMPORT_MS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
