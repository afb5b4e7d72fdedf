"""Fails if the wheel or the import grew too heavy: `python tools/check_size.py WHEEL` where tauten is installed."""

import subprocess
import sys
import tempfile
from pathlib import Path

WHEEL_MB = 5.0
IMPORT_MS = 60.0

CODE = """
import time
begin = time.perf_counter()
import numpy
between = time.perf_counter()
import tauten
print(1e3 * (time.perf_counter() - between), 1e3 * (between - begin))
"""


def import_ms(times: int = 9) -> tuple[float, float]:
    """Least milliseconds of `import tauten` after NumPy's import, and of NumPy's, in fresh interpreters.

    The least, since what a busy machine adds to the others is not Tauten's.
    """
    command = [sys.executable, "-c", CODE]
    folder = tempfile.gettempdir()  # not the repository: the installed package is meant
    runs = [
        [float(word) for word in subprocess.run(command, check=True, capture_output=True, cwd=folder).stdout.split()]
        for _ in range(times)
    ]
    return min(run[0] for run in runs), min(run[1] for run in runs)


def main(wheel: str) -> int:
    """Prints the figures with their limits.

    A machine on which NumPy itself needs longer than the limit is a slow one: there NumPy's time is the limit.
    """
    size = Path(wheel).stat().st_size / 1e6
    own, numpy = import_ms()
    limit = max(IMPORT_MS, numpy)
    print(f"wheel   {size:6.2f} MB  (limit {WHEEL_MB:g})")
    print(f"import  {own:6.1f} ms over numpy's {numpy:.1f} ms  (limit {limit:.1f})")
    return int(size > WHEEL_MB or own > limit)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
