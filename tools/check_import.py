"""Fails if the import grew too slow: `python tools/check_import.py` where tauten is installed."""

import subprocess
import sys
import tempfile

IMPORT_MS = 60.0
RATIO = 1.0

CODE = """
import time
begin = time.perf_counter()
import numpy
between = time.perf_counter()
import tauten
print(1e3 * (time.perf_counter() - between), 1e3 * (between - begin))
"""


def import_ms(times: int = 9) -> tuple[float, float]:
    """Least milliseconds of `import tauten` after NumPy's, and its least ratio to NumPy's, in fresh interpreters.

    The least, since what a busy machine adds to the others is not Tauten's.
    """
    command = [sys.executable, "-c", CODE]
    folder = tempfile.gettempdir()  # not the repository: the installed package is meant
    runs = [
        [float(word) for word in subprocess.run(command, check=True, capture_output=True, cwd=folder).stdout.split()]
        for _ in range(times)
    ]
    return min(own for own, _ in runs), min(own / numpy for own, numpy in runs)


def main() -> int:
    """Prints the figures with their limits; on a slow or busy machine the import may take as long as NumPy's."""
    own, ratio = import_ms()
    print(f"import: {own:.1f} ms over numpy's, {ratio:.2f} of numpy's  (limit {IMPORT_MS:g} ms or {RATIO:g})")
    return int(own > IMPORT_MS and ratio > RATIO)


if __name__ == "__main__":
    sys.exit(main())
