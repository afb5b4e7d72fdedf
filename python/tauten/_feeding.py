"""A user's x, y and sample_weight, checked against a model and made ready for its network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tauten import _data
from tauten._data import Data, Raw
from tauten.layers.core import Embedding, InputLayer

if TYPE_CHECKING:
    from tauten._graph import Graph
    from tauten.layers.base import Layer, Shape


@dataclass(frozen=True)
class Feed:
    """Inputs, targets and sample weights (samples,) of one call."""

    x: Data
    y: Data
    weight: NDArray[np.floating[Any]] | None


class Feeder:
    """Checks data against one model.

    Args:
        model: its name.
        graph: its finished network.
        input_layer: what is known of its input.
        layers: the rest.
    """

    def __init__(self, model: str, graph: Graph, input_layer: InputLayer, layers: Sequence[Layer]) -> None:
        self._model = model
        self._graph = graph
        self._input = input_layer
        self._layers = layers
        self._sample = graph.input_shape
        self._output = graph.output_shape
        self._per_step = bool(self._output) and self._output[0] is None

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

    def inputs(self, raw: Raw, what: str = "x", finite: bool = False) -> Data:
        """x for the network. Raises TypeError or ValueError for wrong shapes, tokens, and, if asked, NaN."""
        spec = self._sample
        listed = isinstance(raw, list) and spec[0] is None
        if isinstance(raw, list) and not listed:
            fitting = len(spec) == raw[0].ndim
            raw = _data.stack(raw, what) if fitting else raw
        hint = ""
        if isinstance(raw, list) and len(raw) == 1 and raw[0].ndim == len(spec) + 1:
            hint = "; pass the array itself: a list is a list of samples"
        elif not isinstance(raw, list) and raw.shape == spec:
            hint = f"; for a single sample use {what}[None]"
        elif _only_steps_differ(_data.sample_shape(raw), spec):
            hint = f"; for any number of steps begin the model with Input({(None, *spec[1:])})"
        expected = f"samples of shape {spec} (model {self._model!r}, layer {self._input.name!r})"
        raw = _data.conform(raw, spec, what, expected, hint)
        first = self._layers[0]
        if isinstance(first, Embedding):
            raw = _data.whole(raw, f"{what} (layer {first.name!r})", "tokens")
            _data.check_range(raw, 0, first.input_dim, f"{what} (layer {first.name!r})", "tokens")
        elif self._input.integers:
            raw = _data.whole(raw, f"{what} (layer {self._input.name!r})", "values of an integer Input")
        if finite:
            _data.check_finite(raw, what, self._graph.dtype)
        return Data.of(raw)

    def targets(self, y: Any, x: Data, loss: str, what: str = "y") -> Data:
        """y for the network, in the output's shape or, for class numbers, without its last axis.

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
        raw = _data.conform(raw, spec, what, f"{self._words(loss)} of shape {spec} a sample", self._hint(raw, loss))
        if self._per_step:
            self._check_steps(raw, x, what)
        last = self._layers[-1].name
        if sparse:
            raw = _data.whole(raw, what, "class numbers")
            classes = self._output[-1] or 0
            _data.check_range(raw, 0, classes, f"{what} (layer {last!r} has {classes} classes)", "class numbers")
            return Data.of(raw)
        _data.check_finite(raw, what, self._graph.dtype)
        if loss != "mean_squared_error":
            low, high = _data.bounds(raw)
            if low < 0 or high > 1:
                raise ValueError(f"{what}: expected {self._words(loss)} in [0, 1] for {loss}, got {low} to {high}")
        return Data.of(raw)

    def weights(self, value: Any, samples: int, what: str = "sample_weight") -> NDArray[np.floating[Any]] | None:
        """sample_weight for the network. Raises TypeError or ValueError unless it is one finite number a sample."""
        if value is None:
            return None
        raw = _data.stack(_data.read(value, what), what)
        if raw.shape != (samples,):
            raise ValueError(f"{what}: expected one weight a sample, shape ({samples},), got shape {raw.shape}")
        _data.check_finite(raw, what, self._graph.dtype)
        return np.ascontiguousarray(raw, dtype=self._graph.dtype)

    def split(
        self, output: NDArray[np.floating[Any]], x: Data
    ) -> NDArray[np.floating[Any]] | list[NDArray[np.floating[Any]]]:
        """The output as the user gets it: a list, one array a sample, for a list of sequences and an output a step."""
        if x.steps is None or not self._per_step:
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
