"""The cases of a run that oneDNN runs faster: `python -m benchmarks.convolutions.slower [RESULT.json] --below 0.8`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from benchmarks import report
from benchmarks.convolutions.text import slower


def main(argv: list[str] | None = None) -> int:
    """Prints them; the newest run's, if none is named."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.convolutions.slower", description=__doc__)
    parser.add_argument("result", type=Path, nargs="?", help="a .json file of benchmarks.convolutions (the newest)")
    parser.add_argument("--below", type=float, default=0.8, help="share of oneDNN's speed (0.8)")
    options = parser.parse_args(argv)
    path = options.result or max(report.RESULTS.glob("convolutions-*.json"), default=None)
    try:
        if path is None:
            raise OSError(f"no results in {report.RESULTS}")
        said = slower(json.loads(path.read_text()), options.below)
    except (OSError, KeyError, TypeError, ValueError) as error:
        print(f"error: {path or ''} {error}", file=sys.stderr)
        return 2
    print(f"{path}\n\n{said}", end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
