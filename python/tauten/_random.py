"""The one source of randomness on the Python side: initial weights, shuffling and the seeds of dropout."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

_generator: np.random.Generator | None = None


def generator() -> np.random.Generator:
    """The global generator; from the system's entropy until set_seed() is called."""
    global _generator
    if _generator is None:
        import numpy as np

        _generator = np.random.default_rng()
    return _generator


def set_seed(seed: int) -> None:
    """Restart the global generator."""
    global _generator
    import numpy as np

    _generator = np.random.default_rng(seed)


def draw_seed() -> int:
    """A seed in [0, 2^31) for an initializer or a dropout layer that was given none."""
    return int(generator().integers(0, 2**31))
