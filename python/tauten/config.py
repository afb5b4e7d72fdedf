"""Settings of the library: the float type of new models, threads, and what it runs on."""

from __future__ import annotations

import os
import platform

import numpy as np

from tauten import _core
from tauten._checks import integer

__all__ = [
    "backend",
    "check_gradients",
    "epsilon",
    "floatx",
    "image_data_format",
    "isa",
    "num_threads",
    "set_check_gradients",
    "set_floatx",
    "set_image_data_format",
    "set_num_threads",
    "set_winograd",
    "show",
    "winograd",
]

FLOAT_TYPES = ("float32", "float64")
DATA_FORMATS = ("channels_last", "channels_first")
_floatx = "float32"
_check_gradients = True
_winograd = True
_image_data_format = "channels_last"


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


def backend() -> str:
    """What computes: "tauten", where Keras names a backend."""
    return "tauten"


def epsilon() -> float:
    """What losses and constraints keep numbers away from 0 by: 1e-7, as is Keras' default."""
    return 1e-7


def image_data_format() -> str:
    """The data_format of layers that are made without one: "channels_last" (the default) or "channels_first"."""
    return _image_data_format


def set_image_data_format(data_format: str) -> None:
    """Set the data_format of layers that are made without one from now on; layers that exist keep theirs.

    Args:
        data_format: "channels_last", (batch, rows, columns, channels), or "channels_first", (batch, channels, rows,
            columns).

    Raises:
        ValueError: for anything else.
    """
    global _image_data_format
    if data_format is None:
        raise ValueError(f"set_image_data_format: expected one of {DATA_FORMATS}, got None")
    _image_data_format = known_data_format(data_format, "set_image_data_format")


def known_data_format(value: str | None, what: str) -> str:
    """One of DATA_FORMATS; None is that of image_data_format(). Raises ValueError that begins with `what`."""
    if value is None:
        return _image_data_format
    if not isinstance(value, str) or value.lower() not in DATA_FORMATS:
        raise ValueError(f"{what}: expected one of {DATA_FORMATS}, got {value!r}")
    return value.lower()


def num_threads() -> int:
    """How many threads a native call uses at most."""
    return _core.num_threads()


def set_num_threads(threads: int) -> None:
    """Set how many threads a native call uses; results do not depend on it, bit for bit.

    The default is TAUTEN_NUM_THREADS, or else the smallest of affinity, container quota (rounded down), physical cores,
    OMP_NUM_THREADS and OMP_THREAD_LIMIT.

    Args:
        threads: from 1 to 1024.

    Raises:
        TypeError, ValueError: unless `threads` is such an integer.
    """
    _core.set_num_threads(integer(threads, "set_num_threads", most=1024))


def check_gradients() -> bool:
    """Whether training looks at all gradients before it changes any weight (the default)."""
    return _check_gradients


def set_check_gradients(check: bool) -> None:
    """Set whether training looks at all gradients before it changes any weight.

    With the check a step whose gradients are not finite raises FloatingPointError and leaves the weights as they were;
    without it weights are updated as their gradients arrive, which saves a pass over them (a few per cent of a
    step of a dense network, less elsewhere). A loss that is not finite is noticed either way; the results are the same
    bits.

    Args:
        check: True or False.

    Raises:
        TypeError: for anything else.
    """
    global _check_gradients
    if not isinstance(check, bool):
        raise TypeError(f"set_check_gradients: expected True or False, got {check!r}")
    _check_gradients = check


def winograd() -> bool:
    """Whether convolutions of models made from now on may use Winograd's minimal filtering (the default)."""
    return _winograd


def set_winograd(use: bool) -> None:
    """Set whether convolutions of models made from now on may use Winograd's minimal filtering; models that exist stay.

    It computes convolutions of stride 1 with filters of 3, 5 or 7 taps a dimension in two to six times fewer
    multiplications, where that is faster. Rounding errors in float32 are at most ten times those of the plain sum,
    forwards and in both gradients (docs/design.md, 2).

    Args:
        use: True or False.

    Raises:
        TypeError: for anything else.
    """
    global _winograd
    if not isinstance(use, bool):
        raise TypeError(f"set_winograd: expected True or False, got {use!r}")
    _winograd = use


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
