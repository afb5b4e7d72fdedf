"""Draws the pictures of a guide anew by running its code: `python tools/make_pictures.py docs/images.md`."""

import os
import re
import sys
from pathlib import Path

import matplotlib as mpl


def main(guide: Path) -> None:
    """Runs every block in docs/images, from top to bottom, so that the pictures are saved there."""
    mpl.use("Agg")
    blocks = re.findall(r"```python\n(.*?)```", guide.read_text(encoding="utf-8"), re.S)
    os.chdir(guide.parent / "images")
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(guide), "exec"), names)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
