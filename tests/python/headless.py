"""Code in a new interpreter that knows of no display."""

from __future__ import annotations

import os
import subprocess
import sys


def printed(*lines: str) -> str:
    """What the lines print; what they raise, if they do, is told."""
    unset = ("DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND")
    env = {name: value for name, value in os.environ.items() if name not in unset}
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout
