"""The one source of randomness on the Python side: initial weights, shuffling and the seeds of dropout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

_generator: np.random.Generator | None = None
_seedings = 0  # calls of set_seed() so far
_instead: ContextVar[np.random.Generator | None] = ContextVar("_instead", default=None)  # of the global one


def generator() -> np.random.Generator:
    """The global generator, from the system's entropy until set_seed() is called; or that of drawing_from()."""
    global _generator
    instead = _instead.get()
    if instead is not None:
        return instead
    if _generator is None:
        import numpy as np

        _generator = np.random.default_rng()
    return _generator


def set_seed(seed: int) -> None:
    """Restart the global generator."""
    global _generator, _seedings
    import numpy as np

    _generator = np.random.default_rng(seed)
    _seedings += 1


def draw_seed() -> int:
    """A seed in [0, 2^31) for an initializer or a dropout layer that was given none."""
    return int(generator().integers(0, 2**31))


def state_of(generator: np.random.Generator) -> dict[str, Any]:
    """Where a generator stands, as JSON can hold it."""
    return dict(generator.bit_generator.state)


def set_state(generator: np.random.Generator, state: Any) -> None:
    """Let a generator go on from state_of(). Raises ValueError for what is no such state; it is then as it was."""
    try:
        generator.bit_generator.state = state
    except (ValueError, TypeError, LookupError, OverflowError, AttributeError) as error:
        raise ValueError(f"no state of the random generator: {error}") from None


@contextmanager
def drawing_from(own: np.random.Generator) -> Iterator[None]:
    """What this thread draws meanwhile comes from `own`; the global generator stays where it stands."""
    token = _instead.set(own)
    try:
        yield
    finally:
        _instead.reset(token)


class Shuffler:
    """The generator that a model's data are shuffled with: the global one, or one that was loaded with the model.

    A loaded model goes on in its own order, without a change to the global generator, until somebody seeds that anew.
    """

    def __init__(self) -> None:
        self._own: np.random.Generator | None = None
        self._seedings = 0

    @property
    def own(self) -> bool:
        """Is it a generator of the model's own?"""
        return self._own is not None and self._seedings == _seedings

    def generator(self) -> np.random.Generator:
        """The generator of the moment."""
        return self._own if self._own is not None and self.own else generator()

    def state(self) -> dict[str, Any]:
        """Where the generator stands, as JSON can hold it."""
        return state_of(self.generator())

    def adopt(self, state: Mapping[str, Any]) -> None:
        """Go on from such a state with a generator of the model's own. Raises ValueError for what is no state."""
        import numpy as np

        fresh = np.random.default_rng(0)
        set_state(fresh, state)
        self._own, self._seedings = fresh, _seedings
