"""What recurrent layers carry from one native call to the next: the states of stateful layers, and model.step()'s."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tauten._weights import as_array

if TYPE_CHECKING:
    from tauten.layers.base import Layer
    from tauten.layers.recurrent import Recurrent

State = list[NDArray[np.floating[Any]]]


def cells(layers: Iterable[Layer]) -> list[Recurrent]:
    """The recurrent layers in some layers, both directions of a pair."""
    return [direction for layer in layers for direction in layer.directions().values()]


class Carrier:
    """Runs native calls so that stateful layers go on where they ended; does nothing for a model without any.

    Args:
        cells: the model's recurrent layers, in the order of the native network's states.
    """

    def __init__(self, cells: Sequence[Recurrent]) -> None:
        self.cells = cells

    @property
    def stateful(self) -> bool:
        """Whether there is a stateful layer; looked up each time, since the attribute may be set."""
        return bool(self.cells) and any(cell.stateful for cell in self.cells)

    def __call__(self, call: Callable[..., Any], *args: Any, batch: int, **more: Any) -> Any:
        """call(*args, **more)'s result. States change only if it succeeds.

        Raises ValueError for another batch than before.
        """
        if not self.stateful:
            return call(*args, **more)
        result, states = call(*args, initial_states=self.initial(batch), keep_states=True, **more)
        for cell in self.cells:
            own, states = states[: cell.state_count], states[cell.state_count :]
            if cell.stateful:
                cell._states = own
        return result

    def check_batches(self, samples: int, batch_size: int, what: str) -> None:
        """Raise ValueError if a stateful model would meet a last batch of another size."""
        if self.stateful and samples > batch_size and samples % batch_size:
            raise ValueError(
                f"{what}: a stateful layer needs equal batches, got {samples} samples in batches of {batch_size}; "
                f"leave {samples % batch_size} out, or choose a batch_size that divides {samples}"
            )

    def check_validation(self, trained: int, validated: int) -> None:
        """Raise ValueError if a stateful model would validate on batches of another size than it trains on."""
        if self.stateful and validated and trained != validated:
            raise ValueError(
                f"fit: a stateful layer needs equal batches, got batches of {trained} to train on and of {validated} "
                "to validate on"
            )

    def initial(self, batch: int) -> list[NDArray[np.floating[Any]] | None]:
        """What a call begins with; None stands for zeros. Raises ValueError for another batch than before."""
        initial: list[NDArray[np.floating[Any]] | None] = []
        for cell in self.cells:
            states = cell._states if cell.stateful else None
            if states is not None and len(states[0]) != batch:
                raise ValueError(
                    f"layer {cell.name!r}: its states are of a batch of {len(states[0])}, got a batch of {batch}; "
                    "call reset_state() to begin anew"
                )
            initial += [None] * cell.state_count if states is None else states
        return initial


def check_steps(layers: Sequence[Layer], begun: Sequence[Layer], model: str) -> None:
    """Raise ValueError unless a model with these layers, none of them a model, can go one time step at a time.

    begun: those that are called with an initial_state.
    """
    if not cells(layers):
        raise ValueError(f"model {model!r}: step: there is no recurrent layer; use predict()")
    for layer in begun:
        raise ValueError(
            f"model {model!r}: step: layer {layer.name!r} begins every call with its initial_state; make a model of "
            "what comes after it, with the states as inputs and outputs"
        )
    for layer in layers:
        if any(direction.go_backwards for direction in layer.directions().values()):
            raise ValueError(f"model {model!r}: step: layer {layer.name!r} reads from the end, which is not there yet")


def checked(state: Any, cells: Sequence[Recurrent], batch: int, model: str) -> list[Any] | None:
    """step()'s state for the native call.

    Raises ValueError unless it has an array (batch, units) for each, TypeError for what are no numbers.
    """
    if state is None:
        return None
    what = f"model {model!r}: step: state"
    sizes = [size for cell in cells for size in cell.state_size]
    arrays = [as_array(array, what) for array in state] if isinstance(state, (list, tuple)) else None
    shapes = None if arrays is None else [array.shape for array in arrays]
    if arrays is None or shapes != [(batch, size) for size in sizes]:
        wanted = ", ".join(f"({batch}, {size})" for size in sizes)
        got = type(state).__name__ if shapes is None else ", ".join(map(str, shapes))
        raise ValueError(f"model {model!r}: step: expected a state of shapes {wanted}, as step() returns it, got {got}")
    for array in arrays:
        if array.dtype.kind not in "fiub":
            raise TypeError(f"{what}: expected numbers, got dtype {array.dtype}")
    return arrays
