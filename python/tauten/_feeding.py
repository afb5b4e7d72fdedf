"""A user's x, y and sample_weight, checked against a model and made ready for its network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tauten import _data
from tauten._core import Source
from tauten._data import Data, Raw
from tauten._judging import Kept
from tauten._masking import Mask, Plan
from tauten._structure import Structure, by_name
from tauten.losses.crossentropies import smoothed

if TYPE_CHECKING:
    from tauten._compiled import Goal
    from tauten._graph import Entry, Exit, Graph
    from tauten.layers.base import Shape

Predictions = Any  # an array, or a list of arrays; of several outputs a list, tuple or dict of such


class Inputs:
    """What a model's inputs read in one call.

    Args:
        parts: one for each input.
        sources: one for each native input, which may be several for an input.

    Attributes:
        samples: how many, of every input.
    """

    __slots__ = ("parts", "samples", "sources")

    def __init__(self, parts: Sequence[Data], sources: list[Source]) -> None:
        self.parts = parts
        self.sources = sources
        self.samples = parts[0].samples


@dataclass(frozen=True)
class Feed:
    """Inputs, and targets and sample weights of every output, one a sample or one a step, of one call.

    Attributes:
        kept: of each output what Python's losses and metrics read; empty if there are none.
    """

    x: Inputs
    y: list[Source | None]
    weight: list[Source | None] | None
    kept: list[Kept | None] = field(default_factory=list)


class Feeder:
    """Checks data against one model.

    Args:
        model: its name.
        graph: its finished network.
        input_names, output_names: what inputs and outputs are called in dicts.
        outputs: how they are held.

    Attributes:
        plain: the core can read plain arrays as they are, for one input of numbers without a mask and one output.
    """

    def __init__(
        self, model: str, graph: Graph, input_names: Sequence[str], output_names: Sequence[str], outputs: Structure
    ) -> None:
        self.network = graph.network
        self._model = model
        self._graph = graph
        self._input_names = list(input_names)
        self._output_names = list(output_names)
        self._structure = outputs
        masks = graph.masks
        self._inputs = [
            _Input(model, entry, masks if masks is not None and masks.input == number else None, graph.dtype)
            for number, entry in enumerate(graph.entries)
        ]
        self._outputs = [_Output(each, graph.dtype) for each in graph.exits]
        self._single = len(self._inputs) == 1
        self._one_target = len(self._outputs) == 1
        self._one_source = self._single and graph.entries[0].count == 1
        self.plain = self._one_source and self._one_target and self._inputs[0].plain
        self._bare = self.plain and outputs.kind is not dict

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

    def at_once(self, x: Any) -> NDArray[np.floating[Any]] | None:
        """The outputs for an array that the core can read as it is; None for whatever has to be looked at."""
        return self.network.predict_array(x) if self._bare else None

    def inputs(self, x: Any, what: str = "x", finite: bool = False) -> Inputs:
        """x for the network. Raises TypeError or ValueError for wrong shapes, tokens, and, if asked, NaN."""
        if self._single:
            if isinstance(x, Mapping):
                (x,) = by_name(x, self._input_names, what, f"model {self._model!r} has 1 input")
            parts = [self._inputs[0].data(_data.read(x, what), what, finite)]
            if self._one_source:
                return Inputs(parts, [parts[0].source])
        else:
            count = len(self._inputs)
            given = by_name(x, self._input_names, what, f"model {self._model!r} has {count} inputs")
            parts = []
            for name, value, own in zip(self._input_names, given, self._inputs, strict=True):
                place = f"{what} of input {name!r}"
                parts.append(own.data(_data.read(value, place), place, finite))
            self._check_together(parts, what)
        return Inputs(parts, self._graph.sources([part.source for part in parts]))

    def _check_together(self, parts: Sequence[Data], what: str) -> None:
        for name, part in zip(self._input_names, parts, strict=True):
            if part.samples != parts[0].samples:
                raise ValueError(
                    f"{what}: expected as many samples for every input, got {parts[0].samples} for "
                    f"{self._input_names[0]!r} and {part.samples} for {name!r}"
                )
        unequal = [number for number, part in enumerate(parts) if _differ(_steps(part))]
        for one, other in [*self._graph.equal, *((unequal[0], number) for number in unequal[1:])]:
            steps = [_steps(parts[number]) for number in (one, other)]
            if not np.array_equal(steps[0], steps[1]):
                names = [self._input_names[number] for number in (one, other)]
                raise ValueError(
                    f"{what}: every sample must have as many steps in the input {names[0]!r} as in {names[1]!r}: a "
                    "layer merges them, or samples are of unequal length in both"
                )

    def targets(self, y: Any, x: Inputs, goals: Sequence[Goal], what: str = "y") -> list[Source | None]:
        """y for the network, of each output in its shape or, for class numbers, without its last axis.

        None for an output without a loss, or whose loss is computed in Python.

        An output without a loss needs no targets: they may be None, or left out of lists and dicts.

        Raises TypeError or ValueError for wrong numbers, shapes, labels, probabilities and NaN.
        """
        if self._one_target and goals[0].in_core and not isinstance(y, Mapping):
            return [self._outputs[0].targets(y, x.parts, goals[0], what)]
        found: list[Source | None] = []
        for place, value, own, goal in zip(*self._of_outputs(y, what, goals), self._outputs, goals, strict=True):
            found.append(own.targets(value, x.parts, goal, place) if goal.in_core else None)
        return found

    def kept(
        self, y: Any, weight: Any, x: Inputs, goals: Sequence[Goal], what: str = "y", of_weight: str = "sample_weight"
    ) -> list[Kept | None]:
        """y and sample_weight for Python's losses and metrics, of each output that has some; else None.

        Raises TypeError or ValueError as targets() and weights(); targets of a loss in Python may have any shape.
        """
        weights: list[Any] = [weight] * len(goals)
        if isinstance(weight, Mapping) or (len(goals) > 1 and isinstance(weight, (list, tuple))):
            weights = self._of_outputs(weight, of_weight, goals)[1]
        found: list[Kept | None] = []
        for place, value, one, own, goal in zip(
            *self._of_outputs(y, what, goals), weights, self._outputs, goals, strict=True
        ):
            found.append(own.kept(value, one, x.parts, goal, place, of_weight) if goal.in_python else None)
        return found

    def _of_outputs(self, value: Any, what: str, goals: Sequence[Goal]) -> tuple[list[str], list[Any]]:
        """What each output gets, and its name in messages."""
        names = self._output_names
        if len(names) == 1:
            if isinstance(value, Mapping):
                value = by_name(value, names, what, f"model {self._model!r} has 1 output")[0]
            return [what], [value]
        needed = [name for name, goal in zip(names, goals, strict=True) if goal.loss is not None]
        places = [f"{what} of output {name!r}" for name in names]
        of = f"model {self._model!r} has {len(names)} outputs"
        if value is None:
            raise ValueError(f"{what}: {of}, {names}, got no data")
        if isinstance(value, Mapping):
            values = by_name(value, names, what, of, partial=True)
        elif isinstance(value, (list, tuple)) and len(value) == len(needed) < len(names):
            given = dict(zip(needed, value, strict=True))
            values = [given.get(name) for name in names]
        else:
            values = by_name(value, names, what, of)
        return places, values

    def weights(
        self, value: Any, x: Inputs, goals: Sequence[Goal], what: str = "sample_weight"
    ) -> list[Source | None] | None:
        """sample_weight for the network: of each output one number a sample, or, if it has steps, one a step of each.

        An array serves all outputs. Raises TypeError or ValueError for other shapes and numbers that are not finite.
        """
        if value is None:
            return None
        if len(self._outputs) == 1 or (not isinstance(value, (list, tuple, Mapping))):
            if isinstance(value, Mapping):
                (value,) = by_name(value, self._output_names, what, f"model {self._model!r} has 1 output")
            return [
                own.weights(value, x.parts, what) if goal.in_core else None
                for own, goal in zip(self._outputs, goals, strict=True)
            ]
        found: list[Source | None] = []
        for place, one, own, goal in zip(*self._of_outputs(value, what, goals), self._outputs, goals, strict=True):
            found.append(own.weights(one, x.parts, place) if one is not None and goal.in_core else None)
        return found

    def split(self, outputs: Sequence[NDArray[np.floating[Any]]], x: Inputs) -> Predictions:
        """The outputs as the user gets them: masked steps filled in; a list for sequences in a list."""
        found = [own.split(output, x.parts) for own, output in zip(self._outputs, outputs, strict=True)]
        return self._structure.pack(found, unpack=True)

    def joined(self, batches: Sequence[tuple[Sequence[NDArray[np.floating[Any]]], Inputs]]) -> Predictions:
        """The outputs of several batches as the user gets them."""
        first = batches[0][1]
        if all(x is first for _, x in batches):
            each = zip(*(outputs for outputs, _ in batches), strict=True)
            return self.split([parts[0] if len(parts) == 1 else np.concatenate(parts) for parts in each], first)
        found = []
        for number, own in enumerate(self._outputs):
            parts = [own.split(outputs[number], x.parts) for outputs, x in batches]
            arrays = [part for part in parts if isinstance(part, np.ndarray)]
            alike = len(arrays) == len(parts) and len({array.shape[1:] for array in arrays}) == 1
            found.append(np.concatenate(arrays) if alike else [sample for part in parts for sample in part])
        return self._structure.pack(found, unpack=True)

    def step(self, outputs: Sequence[NDArray[np.floating[Any]]], x: Inputs) -> Predictions:
        """The outputs of one time step, without an axis of steps; of all samples, masked ones too."""
        found = []
        for own, output in zip(self._outputs, outputs, strict=True):
            whole = own.split(output, x.parts)
            assert isinstance(whole, np.ndarray)
            found.append(whole[:, 0] if own.per_step else whole)
        return self._structure.pack(found, unpack=True)


class _Input:
    """Checks data against one input."""

    def __init__(self, model: str, entry: Entry, masks: Plan | None, dtype: str) -> None:
        self._model = model
        self._entry = entry
        self._masks = masks
        self._sample = entry.shape
        self.plain = masks is None and not entry.tables and not entry.layer.integers
        self._name = dtype

    def data(self, raw: Raw, what: str, finite: bool) -> Data:
        """x for the network. Raises TypeError or ValueError for wrong shapes, tokens, and, if asked, NaN."""
        if isinstance(raw, list) or not _data.fits(raw.shape[1:], self._sample):
            raw = self._conformed(raw, what)
        for table in self._entry.tables:
            where = f"{what} (layer {table.name!r})"
            raw = _data.whole(raw, where, "tokens")
            _data.check_range(raw, 0, table.input_dim, where, "tokens")
        if not self._entry.tables and self._entry.layer.integers:
            raw = _data.whole(raw, f"{what} (layer {self._entry.layer.name!r})", "values of an integer Input")
        if finite:
            _data.check_finite(raw, what, self._name)
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
        elif (len(spec) > 1 or self._entry.tables) and _only_steps_differ(_data.sample_shape(raw), spec):
            hint = (
                f"; for any number of steps begin the model with Input({(None, *spec[1:])}), which recurrent layers "
                "and Dense take, or give all one length with tauten.utils.pad_sequences"
            )
        expected = f"samples of shape {spec} (model {self._model!r}, layer {self._entry.layer.name!r})"
        return _data.conform(raw, spec, what, expected, hint)


class _Output:
    """Checks data against one output."""

    def __init__(self, exit: Exit, dtype: str) -> None:
        self._layer = exit.layer
        self._output = exit.shape
        self._steps = exit.steps
        self.per_step = exit.steps is not None
        self._dtype = dtype

    def _input(self, parts: Sequence[Data]) -> Data:
        """The input whose steps the output has, or any."""
        return parts[self._steps or 0]

    def targets(self, y: Any, parts: Sequence[Data], goal: Goal, what: str) -> Source:
        """y for the network, in the output's shape or, for class numbers, without its last axis.

        What stands at masked steps is not looked at.

        Raises TypeError or ValueError for wrong numbers, shapes, labels, probabilities and NaN.
        """
        loss = goal.kind
        assert loss is not None
        x = self._input(parts)
        raw = self._read(y, x, loss, what)
        masked = x.mask is not None and self.per_step
        if masked:
            assert x.mask is not None
            raw = x.mask.taken(raw)
        raw = self._checked(raw, loss, what, "valid steps" if masked else "samples")
        if goal.smoothing:
            classes = 2 if loss == "binary_crossentropy" else self._output[-1] or 0
            raw = (
                [self._smoothed(one, goal.smoothing, classes) for one in raw]
                if isinstance(raw, list)
                else (self._smoothed(raw, goal.smoothing, classes))
            )
        if not masked:
            return Data.of(raw).source
        assert x.mask is not None and isinstance(raw, np.ndarray)
        return x.mask.source(raw)

    def _smoothed(self, y: NDArray[Any], share: float, classes: int) -> NDArray[Any]:
        return smoothed(y.astype(self._dtype), share, classes).astype(self._dtype)

    def kept(
        self, y: Any, weight: Any, parts: Sequence[Data], goal: Goal, what: str, of_weight: str = "sample_weight"
    ) -> Kept:
        """y and sample_weight for Python. Raises TypeError or ValueError for what does not go with x."""
        x = self._input(parts)
        assert goal.kind is not None
        raw = self._read(y, x, goal.kind, what)
        given = None if weight is None else self._read_weights(weight, x, of_weight)
        if given is not None and x.mask is None:
            _data.check_finite(given, of_weight, self._dtype)
        loss = None if goal.in_core else goal.loss
        if not self.per_step or (x.steps is None and x.mask is None):
            return Kept(raw, given, None, None, loss, goal.weight)
        if x.mask is None:
            return Kept(raw, given, x.steps, None, loss, goal.weight)
        valid = np.split(x.mask.valid, np.cumsum(x.mask.steps)[:-1])
        return Kept(raw, given, x.mask.counts, valid, loss, goal.weight)

    def _read(self, y: Any, x: Data, loss: str, what: str) -> Raw:
        """y in the output's shape or, for class numbers, without its last axis; for a loss in Python in any shape."""
        raw = _data.read(y, what)
        if len(raw) != x.samples:
            raise ValueError(f"{what}: expected as many samples as x has, {x.samples}, got {len(raw)}")
        if x.steps is not None and self.per_step:
            raw = raw if isinstance(raw, list) else list(raw)
        else:
            raw = _data.stack(raw, what)
        if loss == "outside":
            return self._of_any_shape(raw, x, what)
        sparse = loss == "sparse_categorical_crossentropy"
        spec = self._output[:-1] if sparse else self._output
        if isinstance(raw, list) or not _data.fits(raw.shape[1:], spec):
            expected = f"{self._words(loss)} of shape {spec} a sample"
            raw = _data.conform(raw, spec, what, expected, self._hint(raw, loss))
        if self.per_step:
            self._check_steps(raw, x, what)
        return raw

    def _of_any_shape(self, raw: Raw, x: Data, what: str) -> Raw:
        """Targets with the right steps, where the output has some; a last axis of 1 is added if the output has one."""
        rank = raw[0].ndim if isinstance(raw, list) else raw.ndim - 1
        if self.per_step and (x.steps is not None or x.mask is not None):
            if rank == 0:
                raise ValueError(
                    f"{what}: expected targets for every step, since the output of {self._layer.name!r} has them"
                )
            self._check_steps(raw, x, what)
        if self._output and self._output[-1] == 1 and rank == len(self._output) - 1:
            return [one[..., None] for one in raw] if isinstance(raw, list) else raw[..., None]
        return raw

    def _checked(self, raw: Raw, loss: str, what: str, of: str = "samples") -> Raw:
        """Targets that are class numbers in range, or finite, or probabilities. Raises TypeError or ValueError else."""
        if len(raw) == 0:
            return raw
        last = self._layer.name
        if loss == "sparse_categorical_crossentropy":
            numbers = _data.whole(raw, what, "class numbers")
            classes = self._output[-1] or 0
            _data.check_range(numbers, 0, classes, f"{what} (layer {last!r} has {classes} classes)", "class numbers")
            return numbers
        _data.check_finite(raw, what, self._dtype, of)
        if loss != "mean_squared_error":
            low, high = _data.bounds(raw)
            if low < 0 or high > 1:
                raise ValueError(f"{what}: expected {self._words(loss)} in [0, 1] for {loss}, got {low} to {high}")
        return raw

    def weights(self, value: Any, parts: Sequence[Data], what: str) -> Source:
        """sample_weight for the network: one number a sample, or, if the output has steps, one a step of each.

        Raises TypeError or ValueError for other shapes and numbers that are not finite.
        """
        x = self._input(parts)
        raw = self._read_weights(value, x, what)
        if isinstance(raw, np.ndarray) and raw.ndim == 1:
            _data.check_finite(raw, what, self._dtype)
            return Source(np.ascontiguousarray(raw, dtype=self._dtype))
        if x.mask is None or not self.per_step:
            _data.check_finite(raw, what, self._dtype)
            return Data.of(raw).source
        taken = x.mask.taken(raw)
        if len(taken):
            _data.check_finite(taken, what, self._dtype, "valid steps")
        return x.mask.source(taken)

    def _read_weights(self, value: Any, x: Data, what: str) -> Raw:
        """sample_weight in its shape: (samples,), or weights of every step."""
        raw = _data.read(value, what)
        steps = len(self._output) == 2
        if not steps or (not isinstance(raw, list) and raw.ndim == 1):
            raw = _data.stack(raw, what)
            if raw.shape != (x.samples,):
                or_steps = f", or one a step, shape ({x.samples}, steps)" if steps else ""
                raise ValueError(
                    f"{what}: expected one weight a sample, shape ({x.samples},){or_steps}, got shape {raw.shape}"
                )
            return raw
        if len(raw) != x.samples:
            raise ValueError(f"{what}: expected weights of {x.samples} samples as x has, got {len(raw)}")
        if x.steps is None or not self.per_step:
            raw = _data.stack(raw, what)
        elif not isinstance(raw, list):
            raw = list(raw)
        spec = self._output[:1]
        raw = _data.conform(raw, spec, what, f"one weight a sample, or weights of shape {spec} a sample")
        if self.per_step:
            self._check_steps(raw, x, what)
        return raw

    def split(
        self, output: NDArray[np.floating[Any]], parts: Sequence[Data]
    ) -> NDArray[np.floating[Any]] | list[NDArray[np.floating[Any]]]:
        """The output as the user gets it: masked steps filled in; a list for sequences in a list."""
        if not self.per_step:
            return output
        x = self._input(parts)
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
        return f"; the output is that of layer {self._layer.name!r}"


def _only_steps_differ(shape: Shape, spec: Shape) -> bool:
    return len(shape) == len(spec) >= 1 and shape[1:] == spec[1:] and shape[0] != spec[0] and spec[0] is not None


def _steps(x: Data) -> NDArray[np.int64]:
    """Steps of each sample, as the network sees them."""
    if x.mask is not None:
        return x.mask.counts
    return np.full(x.samples, x.extent or 0, dtype=np.int64) if x.steps is None else x.steps


def _differ(steps: NDArray[np.int64]) -> bool:
    return bool((steps != steps[0]).any())
