"""Masks: which steps a model leaves out, and how its data get on without them.

A recurrent layer that carries its state through masked steps computes what it would compute without them. So the
native network is handed the valid steps alone, as sequences of unequal length, and knows of no mask.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tauten._core import Source
from tauten.layers.core import Embedding, Masking
from tauten.layers.normalization import BatchNormalization

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

    The mask goes from a Masking or Embedding behind an Input to all that read it, and on through layers that support
    masks and layers that merge masked values only. Several may make it if they read one Input and mask the same steps.

    Raises ValueError for a Masking that is not first, for two masks, for an Input that others read too, and where a
    layer needs all steps while another one, or the loss, is without the masked ones.
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
    first = makers[0]
    for other in makers[1:]:
        if other.reads != first.reads or not _alike(first.layer, other.layer):
            raise ValueError(
                f"model {model!r}: layers {first.layer.name!r} and {other.layer.name!r} both make masks; a model may "
                "have one: leave the other's steps in, with a sample_weight of 0 where they do not count"
            )
    number = first.reads[0]
    if len(flat.readers()[number]) > len(makers) or number in flat.outputs:
        raise ValueError(
            f"model {model!r}: layer {first.layer.name!r} masks the input {flat.inputs[number].name!r}, which others "
            "read, too; use an Input of its own for it"
        )
    return _followed(flat, makers, model)


def _alike(one: Layer, other: Layer) -> bool:
    """Do two layers mask the same steps of the same data?"""
    return type(one) is type(other) and getattr(one, "mask_value", None) == getattr(other, "mask_value", None)


def _followed(flat: Flat, makers: Sequence[Call], model: str) -> Plan:
    """The mask's ways, call by call: who is without the masked steps, and who needs them all."""
    first = makers[0].layer
    assert isinstance(first, (Masking, Embedding))
    masked = {number for call in makers for number in call.writes}
    without: Layer | None = None  # the first recurrent layer, or batch statistics, that leaves masked steps out
    needs: Call | None = None  # the first layer that reads them
    for call in flat.calls:
        layer = call.layer
        data = call.reads[: len(call.reads) - call.initial]
        if call in makers or masked.isdisjoint(data):
            continue
        if not (layer.supports_masking or (layer.merges and masked.issuperset(data))):
            needs = needs or call
            continue
        sequences = getattr(layer, "return_sequences", None)  # of recurrent layers and Bidirectional
        if layer.ends_mask or sequences is not None or isinstance(layer, BatchNormalization):
            without = without or layer
        if not layer.ends_mask and sequences is not False:
            masked.update(call.writes[: layer.output_count - len(layer.state_sizes) * _returns_state(layer)])
    reaches_loss = not masked.isdisjoint(flat.outputs)
    if needs is None:
        return Plan(first, makers[0].reads[0], True)
    if without is None and not reaches_loss:
        return Plan(first, makers[0].reads[0], False)
    layer = needs.layer
    kind = type(layer).__name__
    other = "an output has it, too" if without is None else f"{without.name!r} ({type(without).__name__}) reads it, too"
    if layer.merges:
        raise ValueError(
            f"model {model!r}: the mask of {first.name!r} reaches {layer.name!r} ({kind}), which merges it with steps "
            f"that are not masked, but {other}, and takes masked steps out; end the mask before, as a recurrent layer "
            "with return_sequences=False does, or merge what has the same mask"
        )
    raise ValueError(
        f"model {model!r}: layer {layer.name!r} ({kind}) does not support masks, but the mask of {first.name!r} "
        f"reaches it, and {other}; use return_sequences=False in a recurrent layer below, a layer that supports masks "
        "here (Dense, Dropout, activations, GlobalAveragePooling1D), or no mask"
    )


def _returns_state(layer: Layer) -> bool:
    return any(cell.return_state for cell in layer.directions().values())


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
