"""`tauten` and `python -m tauten`."""

from __future__ import annotations

import sys

from tauten.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
