"""A user's x, y and sample_weight, checked against a model and made ready for its network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tauten import _data, _masking
from tauten._core import Source
from tauten._data import Data, Raw
from tauten._masking import Mask
from tauten.layers.core import Embedding, InputLayer

if TYPE_CHECKING:
    from tauten._graph import Graph
    from tauten.layers.base import Layer, Shape


@dataclass(frozen=True)
class Feed:
    """Inputs, targets and sample weights, one a sample or one a step, of one call."""

    x: Data
    y: list[Source | None]
    weight: list[Source | None] | None


class Feeder:
    """Checks data against one model.

    Args:
        model: its name.
        graph: its finished network.
        input_layer: what is known of its input.
        layers: the rest.
    """

    def __init__(self, model: str, graph: Graph, input_layer: InputLayer, layers: Sequence[Layer]) -> None:
        self.network = graph.network
        self._model = model
        self._graph = graph
        self._input = input_layer
        self._layers = layers
        self._sample = graph.input_shape
        self._output = graph.output_shape
        self._per_step = graph.per_step
        self._masks = _masking.plan(layers, model)
        self._plain = self._masks is None and not isinstance(layers[0], Embedding) and not input_layer.integers
        self._dtype = np.dtype(graph.dtype)

    @staticmethod
    def build_shape(raw: Raw, what: str) -> Shape:
        """The sample's shape to build a model for. Raises ValueError for single numbers."""
        shape = _data.sample_shape(raw)
        if not shape:
            raise ValueError(
                f"{what}: expected samples of at least one dimension, got an array of shape {np.shape(raw)}; "
                "for one feature use x.reshape(-1, 1)"
            )
        return shape

    def plain(self, x: Any) -> Data | None:
        """An array that the core can read as it is; None for what inputs() has to look at, for whatever reason."""
        if type(x) is not np.ndarray or not self._plain or x.dtype != self._dtype or x.shape[1:] != self._sample:
            return None
        if not x.flags.c_contiguous or not x.flags.aligned or not x.shape[0]:
            return None
        return Data(Source(x), x.shape[0], None, self._sample[0] if self._sample else None)

    def inputs(self, raw: Raw, what: str = "x", finite: bool = False) -> Data:
        """x for the network. Raises TypeError or ValueError for wrong shapes, tokens, and, if asked, NaN."""
        if isinstance(raw, list) or not _data.fits(raw.shape[1:], self._sample):
            raw = self._conformed(raw, what)
        first = self._layers[0]
        if isinstance(first, Embedding):
            raw = _data.whole(raw, f"{what} (layer {first.name!r})", "tokens")
            _data.check_range(raw, 0, first.input_dim, f"{what} (layer {first.name!r})", "tokens")
        elif self._input.integers:
            raw = _data.whole(raw, f"{what} (layer {self._input.name!r})", "values of an integer Input")
        if finite:
            _data.check_finite(raw, what, self._graph.dtype)
        if self._masks is None:
            return Data.of(raw)
        if not self._masks.takes_out:
            return Data.of(self._masks.zeroed(raw))
        return Data.of(raw, Mask.of(raw, self._masks.layer))

    def _conformed(self, raw: Raw, what: str) -> Raw:
        """x in the input's shape, from a list or an array of another shape. Raises ValueError if it does not fit."""
        spec = self._sample
        if isinstance(raw, list) and spec[0] is not None and len(spec) == raw[0].ndim:
            raw = _data.stack(raw, what)
        hint = ""
        if isinstance(raw, list) and len(raw) == 1 and raw[0].ndim == len(spec) + 1:
            hint = "; pass the array itself: a list is a list of samples"
        elif not isinstance(raw, list) and raw.shape == spec:
            hint = f"; for a single sample use {what}[None]"
        elif _only_steps_differ(_data.sample_shape(raw), spec):
            hint = f"; for any number of steps begin the model with Input({(None, *spec[1:])})"
        expected = f"samples of shape {spec} (model {self._model!r}, layer {self._input.name!r})"
        return _data.conform(raw, spec, what, expected, hint)

    def targets(self, y: Any, x: Data, loss: str, what: str = "y") -> Source:
        """y for the network, in the output's shape or, for class numbers, without its last axis.

        What stands at masked steps is not looked at.

        Raises TypeError or ValueError for wrong numbers, shapes, labels, probabilities and NaN.
        """
        sparse = loss == "sparse_categorical_crossentropy"
        spec = self._output[:-1] if sparse else self._output
        raw = _data.read(y, what)
        if len(raw) != x.samples:
            raise ValueError(f"{what}: expected as many samples as x has, {x.samples}, got {len(raw)}")
        if x.steps is not None and self._per_step:
            raw = raw if isinstance(raw, list) else list(raw)
        else:
            raw = _data.stack(raw, what)
        if isinstance(raw, list) or not _data.fits(raw.shape[1:], spec):
            expected = f"{self._words(loss)} of shape {spec} a sample"
            raw = _data.conform(raw, spec, what, expected, self._hint(raw, loss))
        if self._per_step:
            self._check_steps(raw, x, what)
        if x.mask is None or not self._per_step:
            return Data.of(self._checked(raw, loss, what)).source
        taken = self._checked(x.mask.taken(raw), loss, what, "valid steps")
        assert isinstance(taken, np.ndarray)
        return x.mask.source(taken)

    def _checked(self, raw: Raw, loss: str, what: str, of: str = "samples") -> Raw:
        """Targets that are class numbers in range, or finite, or probabilities. Raises TypeError or ValueError else."""
        if len(raw) == 0:
            return raw
        last = self._layers[-1].name
        if loss == "sparse_categorical_crossentropy":
            numbers = _data.whole(raw, what, "class numbers")
            classes = self._output[-1] or 0
            _data.check_range(numbers, 0, classes, f"{what} (layer {last!r} has {classes} classes)", "class numbers")
            return numbers
        _data.check_finite(raw, what, self._graph.dtype, of)
        if loss != "mean_squared_error":
            low, high = _data.bounds(raw)
            if low < 0 or high > 1:
                raise ValueError(f"{what}: expected {self._words(loss)} in [0, 1] for {loss}, got {low} to {high}")
        return raw

    def weights(self, value: Any, x: Data, what: str = "sample_weight") -> Source | None:
        """sample_weight for the network: one number a sample, or, if the output has steps, one a step of each.

        Raises TypeError or ValueError for other shapes and numbers that are not finite.
        """
        if value is None:
            return None
        raw = _data.read(value, what)
        steps = len(self._output) == 2
        if not steps or (not isinstance(raw, list) and raw.ndim == 1):
            raw = _data.stack(raw, what)
            if raw.shape != (x.samples,):
                or_steps = f", or one a step, shape ({x.samples}, steps)" if steps else ""
                raise ValueError(
                    f"{what}: expected one weight a sample, shape ({x.samples},){or_steps}, got shape {raw.shape}"
                )
            _data.check_finite(raw, what, self._graph.dtype)
            return Source(np.ascontiguousarray(raw, dtype=self._graph.dtype))
        if len(raw) != x.samples:
            raise ValueError(f"{what}: expected weights of {x.samples} samples as x has, got {len(raw)}")
        if x.steps is None or not self._per_step:
            raw = _data.stack(raw, what)
        elif not isinstance(raw, list):
            raw = list(raw)
        spec = self._output[:1]
        raw = _data.conform(raw, spec, what, f"one weight a sample, or weights of shape {spec} a sample")
        if self._per_step:
            self._check_steps(raw, x, what)
        if x.mask is None or not self._per_step:
            _data.check_finite(raw, what, self._graph.dtype)
            return Data.of(raw).source
        taken = x.mask.taken(raw)
        if len(taken):
            _data.check_finite(taken, what, self._graph.dtype, "valid steps")
        return x.mask.source(taken)

    def split(
        self, output: NDArray[np.floating[Any]], x: Data
    ) -> NDArray[np.floating[Any]] | list[NDArray[np.floating[Any]]]:
        """The output as the user gets it: masked steps filled in; a list for sequences in a list."""
        if not self._per_step:
            return output
        if x.mask is not None:
            return x.mask.expand(output)
        if x.steps is None:
            return output
        return np.split(output, np.cumsum(x.steps)[:-1])

    def _check_steps(self, raw: Raw, x: Data, what: str) -> None:
        if not isinstance(raw, list):
            if raw.shape[1] != x.extent:
                raise ValueError(f"{what}: expected {x.extent} steps as x has, got an array of shape {raw.shape}")
            return
        got = np.array([len(sample) for sample in raw], dtype=np.int64)
        wanted = np.asarray(x.steps)
        if not np.array_equal(got, wanted):
            i = int(np.flatnonzero(got != wanted)[0])
            raise ValueError(f"{what}[{i}]: expected {wanted[i]} steps as x[{i}] has, got {got[i]}")

    def _words(self, loss: str) -> str:
        return {
            "sparse_categorical_crossentropy": "class numbers",
            "categorical_crossentropy": "probabilities (one-hot)",
            "binary_crossentropy": "probabilities",
        }.get(loss, "targets")

    def _hint(self, raw: Raw, loss: str) -> str:
        rank = raw[0].ndim
        if loss.startswith("sparse") and rank == len(self._output):
            return "; for one-hot targets use 'categorical_crossentropy'"
        if loss == "categorical_crossentropy" and rank < len(self._output):
            return (
                "; for class numbers use 'sparse_categorical_crossentropy', or "
                f"tauten.utils.to_categorical(y, {self._output[-1]})"
            )
        return f"; the output is that of layer {self._layers[-1].name!r}"


def _only_steps_differ(shape: Shape, spec: Shape) -> bool:
    return len(shape) == len(spec) >= 1 and shape[1:] == spec[1:] and shape[0] != spec[0] and spec[0] is not None
