"""Settings of the library: the float type of new models, threads, and what it runs on."""

from __future__ import annotations

import os
import platform

import numpy as np

from tauten import _core
from tauten._checks import integer

__all__ = ["floatx", "isa", "num_threads", "set_floatx", "set_num_threads", "show"]

FLOAT_TYPES = ("float32", "float64")
_floatx = "float32"


def floatx() -> str:
    """The float type of models made from now on: "float32" (the default) or "float64"."""
    return _floatx


def set_floatx(value: str) -> None:
    """Set the float type of models made from now on; models that exist keep theirs.

    Args:
        value: "float32" or "float64".

    Raises:
        ValueError: for any other type.
    """
    global _floatx
    if value not in FLOAT_TYPES:
        raise ValueError(f"set_floatx: expected one of {FLOAT_TYPES}, got {value!r}")
    _floatx = str(value)


def num_threads() -> int:
    """How many threads a native call uses at most."""
    return _core.num_threads()


def set_num_threads(threads: int) -> None:
    """Set how many threads a native call uses; results do not depend on it, bit for bit.

    The default is TAUTEN_NUM_THREADS, or else the smallest of affinity, container quota and physical cores.

    Args:
        threads: at least 1.

    Raises:
        TypeError, ValueError: unless `threads` is a positive integer.
    """
    _core.set_num_threads(integer(threads, "set_num_threads"))


def isa() -> str:
    """The kernels' instruction-set level: "baseline", "avx2" or "avx512". TAUTEN_ISA forces a lower one."""
    return _core.isa()


def show() -> None:
    """Print versions, instruction-set level, threads and float type: what a bug report needs."""
    levels = ", ".join(_core.isa_levels())
    print(f"tauten       {_core.__version__}")
    print(f"python       {platform.python_version()} on {platform.system()} {platform.machine()}")
    print(f"numpy        {np.__version__}")
    print(f"kernels      {isa()} (this machine and build have: {levels})")
    print(f"threads      {num_threads()} (default {_core.default_num_threads()}, {os.cpu_count()} logical processors)")
    print(f"float type   {floatx()}")
