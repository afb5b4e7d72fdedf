"""Runs a command that must not need a network: `python tools/offline.py [--python] COMMAND ARGUMENT ...`

Where Linux allows it, the command gets a network of its own with nothing in it, not even this machine. Elsewhere, and
with --python, the Python interpreters that it starts refuse to look up names and to connect.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

UNSHARE = (["unshare", "--net"], ["unshare", "--map-current-user", "--net"])  # as root; as anybody
HOOK = Path(__file__).resolve().parent / "no_network"


def own_network() -> list[str]:
    """What runs a command, written behind it, in a network of its own; nothing where that is not allowed."""
    if shutil.which("unshare"):
        for prefix in UNSHARE:
            if subprocess.run([*prefix, "true"], capture_output=True).returncode == 0:
                return prefix
    return []


def main(arguments: list[str]) -> None:
    """Becomes the command."""
    by_python = arguments[:1] == ["--python"]
    prefix = [] if by_python else own_network()
    if not prefix:
        print("no network: for Python alone", flush=True)
        os.environ["PYTHONPATH"] = os.pathsep.join([str(HOOK), *filter(None, [os.environ.get("PYTHONPATH")])])
    os.environ["TAUTEN_OFFLINE"] = "1"  # for tests, which have no network then
    command = [*prefix, *arguments[by_python:]]
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
