"""Masks: which steps a model leaves out, and how its data get on without them.

A recurrent layer that carries its state through masked steps computes what it would compute without them. So the
native network is handed the valid steps alone, as sequences of unequal length, and knows of no mask.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tauten._core import Source
from tauten.layers.core import Embedding, Masking
from tauten.layers.normalization import BatchNormalization
from tauten.layers.recurrent import Recurrent

if TYPE_CHECKING:
    from tauten._data import Raw
    from tauten._wiring import Call, Flat
    from tauten.layers.base import Layer, Shape


@dataclass(frozen=True)
class Plan:
    """What becomes of a model's mask.

    Attributes:
        layer: that makes it.
        input: the number of the input that it reads.
        takes_out: masked steps are taken out, since a recurrent layer or the loss reads the mask. Else a layer that
            does not support masks comes first: it reads all steps, those that a Masking masks as zeros.
    """

    layer: Masking | Embedding
    input: int
    takes_out: bool

    def check(self, shape: Shape) -> None:
        """Raise ValueError unless samples of that shape have steps to mask."""
        if isinstance(self.layer, Embedding):
            rank, wanted = 1, "tokens (steps,)"
        else:
            rank, wanted = 2, "a sequence (steps, features)"
        if len(shape) != rank and (self.takes_out or len(shape) < rank):
            raise ValueError(f"{self.layer.name}: expected {wanted} to mask, got shape {shape}")

    def zeroed(self, raw: Raw) -> Raw:
        """The data with zeros where a Masking masks, for layers that read all steps."""
        layer = self.layer
        if isinstance(layer, Embedding) or layer.mask_value == 0.0:
            return raw
        if isinstance(raw, list):
            return [np.where(layer.valid(array)[..., None], array, 0).astype(array.dtype) for array in raw]
        return np.where(layer.valid(raw)[..., None], raw, 0).astype(raw.dtype)


def plan(flat: Flat, model: str) -> Plan | None:
    """What becomes of the mask of a model; None if no layer makes one.

    The mask goes from a Masking or Embedding behind an Input from layer to layer, as far as these are a chain.

    Raises ValueError for a Masking that is not first, a layer that cannot read what a recurrent layer, or batch
    statistics, made of masked sequences, and for a mask that two layers read, or that meets other sequences.
    """
    writers = flat.written_by()
    makers = []
    for call in flat.calls:
        layer = call.layer
        if isinstance(layer, Masking) and call.reads[0] in writers:
            raise ValueError(
                f"model {model!r}: layer {layer.name!r}: a Masking must be the first layer behind the Input, it stands "
                f"behind {writers[call.reads[0]].layer.name!r}"
            )
        if isinstance(layer, (Masking, Embedding)) and layer.makes_mask:
            makers.append(call)
    if not makers:
        return None
    if len(makers) > 1:
        raise ValueError(
            f"model {model!r}: layers {makers[0].layer.name!r} and {makers[1].layer.name!r} both make masks; a model "
            "may have one"
        )
    return _followed(flat, makers[0], model)


def _followed(flat: Flat, maker: Call, model: str) -> Plan:
    """The mask's way, call by call."""
    readers = flat.readers()
    first, number = maker.layer, maker.reads[0]
    assert isinstance(first, (Masking, Embedding))
    reader: Layer | None = None
    at = maker
    takes_out = None
    if len(readers[number]) > 1 or number in flat.outputs:
        raise ValueError(
            f"model {model!r}: layer {first.name!r} masks the input {flat.inputs[number].name!r}, which others read, "
            "too; use an Input of its own for it"
        )
    while takes_out is None:
        following = readers[at.write]
        if at.write in flat.outputs and not following:
            takes_out = True
        elif reader is None and at.write not in flat.outputs and not any(map(_reads_mask, following)):
            takes_out = False
        elif len(following) != 1 or at.write in flat.outputs:
            raise ValueError(
                f"model {model!r}: {len(following) + flat.outputs.count(at.write)} read what layer {at.layer.name!r} "
                f"writes, to which the mask of {first.name!r} reaches; a mask may go from layer to layer only"
            )
        else:
            at = following[0]
            layer = at.layer
            if layer.merges:
                raise ValueError(
                    f"model {model!r}: the mask of {first.name!r} reaches {layer.name!r} ({type(layer).__name__}), "
                    "which merges; end it before, as a recurrent layer with return_sequences=False does"
                )
            sequences = getattr(layer, "return_sequences", None)  # of recurrent layers and Bidirectional
            if not layer.supports_masking:
                assert reader is not None
                raise ValueError(
                    f"model {model!r}: layer {layer.name!r} ({type(layer).__name__}) does not support masks, but "
                    f"{reader.name!r} ({type(reader).__name__}) below it read that of {first.name!r}; use "
                    f"return_sequences=False in a recurrent layer there, a layer that supports masks here (Dense, "
                    f"Dropout, activations), or no mask"
                )
            if layer.ends_mask or sequences is False:
                takes_out = True
            elif sequences or isinstance(layer, (Recurrent, BatchNormalization)):
                reader = layer
    return Plan(first, number, takes_out)


def _reads_mask(call: Call) -> bool:
    return call.layer.supports_masking or call.layer.merges


@dataclass(frozen=True)
class Mask:
    """The valid steps of some data.

    Attributes:
        shape: (samples, steps) of an array; None for a list of sequences.
        valid: (Σ steps,), all steps, sample by sample.
        steps: (samples,) steps of each sample, masked ones too.
        counts: (samples,) valid steps of each.
    """

    shape: tuple[int, int] | None
    valid: NDArray[np.bool_]
    steps: NDArray[np.int64]
    counts: NDArray[np.int64]

    @staticmethod
    def of(raw: Raw, layer: Masking | Embedding) -> Mask:
        """The mask that `layer` makes of data (samples, steps, ...) or of a list (steps_i, ...); steps_i > 0."""
        if isinstance(raw, list):
            shape = None
            steps = np.array([len(array) for array in raw], dtype=np.int64)
            valid = layer.valid(np.concatenate(raw))
        else:
            shape = raw.shape[0], raw.shape[1]
            steps = np.full(shape[0], shape[1], dtype=np.int64)
            valid = layer.valid(raw).reshape(-1)
        counts = np.add.reduceat(valid, _begins(steps), dtype=np.int64)
        return Mask(shape, valid, steps, counts)

    def rows(self, raw: Raw) -> NDArray[Any]:
        """Data of every step as one array of steps, sample by sample."""
        if isinstance(raw, list):
            return np.concatenate(raw)
        return np.ascontiguousarray(raw).reshape(-1, *raw.shape[2:])

    def taken(self, raw: Raw) -> NDArray[Any]:
        """The valid steps alone, copied."""
        return self.rows(raw)[self.valid]

    def source(self, taken: NDArray[Any]) -> Source:
        """taken() for the native core."""
        return Source(np.ascontiguousarray(taken), _begins(self.counts), self.counts)

    def compact(self, raw: Raw) -> Source:
        """The valid steps for the native core; where those of each sample follow each other they are not copied."""
        begins = _begins(self.steps)
        starts = self.valid.copy()
        starts[1:] &= ~self.valid[:-1]
        starts[begins] = self.valid[begins]
        if (np.add.reduceat(starts, begins, dtype=np.int64) > 1).any():
            return self.source(self.taken(raw))
        begins[self.counts > 0] = np.flatnonzero(starts)
        return Source(self.rows(raw), begins, self.counts)

    def scatter(self, taken: NDArray[Any]) -> NDArray[Any] | list[NDArray[Any]]:
        """Numbers of the valid steps, (Σ counts, ...), for all steps: zeros at those that are masked."""
        full = np.zeros((len(self.valid), *taken.shape[1:]), dtype=taken.dtype)
        full[self.valid] = taken
        return self._as_given(full)

    def expand(self, output: NDArray[Any]) -> NDArray[Any] | list[NDArray[Any]]:
        """Outputs of the valid steps, (Σ counts, ...), for all steps.

        A masked step has the output of the last valid step before it, or zeros if there is none.
        """
        last = np.cumsum(self.valid) - 1
        has_one = last >= np.repeat(_begins(self.counts), self.steps)
        full = np.zeros((len(self.valid), *output.shape[1:]), dtype=output.dtype)
        full[has_one] = output[last[has_one]]
        return self._as_given(full)

    def _as_given(self, full: NDArray[Any]) -> NDArray[Any] | list[NDArray[Any]]:
        """Rows of all steps as the data are held."""
        if self.shape is None:
            return np.split(full, np.cumsum(self.steps)[:-1])
        return full.reshape(*self.shape, *full.shape[1:])


def _begins(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each sample begins, if they lie one after the other."""
    begins: NDArray[np.int64] = np.cumsum(counts) - counts
    return begins
