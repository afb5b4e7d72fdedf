"""Looking into models: how the gradient flows back through time, what gates let through, what layers write.

Example::

    flow = tauten.diagnostics.gradient_flow(model, x, y)
    print(flow)
    flow.plot().savefig("flow.png")
    tauten.diagnostics.gates(model, x[0]).plot().savefig("gates.png")
    maps = tauten.diagnostics.activations(model, x[0], "conv2d")  # tauten.plot draws them
    where = tauten.diagnostics.saliency(model, x[0])
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tauten import _plots
from tauten._checks import integer
from tauten._inspection import activations, check_model, one_or_many, saliency
from tauten._judging import Judge
from tauten.layers.base import Layer
from tauten.models import Model

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tauten._graph import Graph
    from tauten._weights import Variable
    from tauten.layers.recurrent import Recurrent

    Floats = NDArray[np.float64]
    Values = NDArray[np.floating[Any]] | list[NDArray[np.floating[Any]]]

__all__ = ["Gates", "GradientFlow", "LayerFlow", "activations", "gates", "gradient_flow", "saliency"]


@dataclass(frozen=True, eq=False)
class LayerFlow:
    """The gradient's way through one recurrent layer, or one direction of a Bidirectional.

    Attributes:
        name: the layer's; "bidirectional/forward" and "bidirectional/backward" for a pair.
        backwards: the layer reads from the last step to the first, and its gradient flows from the first to the last.
        norms: (steps,): ‖δ_t‖, as gradient_flow() defines it; t is the input's step.
        samples: (steps,): how many samples have step t.
        radii: gate -> spectral radius of its recurrent matrix (units, units): the largest |eigenvalue|.
    """

    name: str
    backwards: bool
    norms: Floats
    samples: NDArray[np.int64]
    radii: dict[str, float]

    @property
    def steps(self) -> int:
        """Of the longest sample."""
        return len(self.norms)

    @property
    def first(self) -> float:
        """‖δ‖ at the step that the layer reads first, where the gradient arrives last."""
        return float(self.norms[-1 if self.backwards else 0])

    @property
    def last(self) -> float:
        """‖δ‖ at the step that the layer reads last, where the gradient comes in."""
        return float(self.norms[0 if self.backwards else -1])

    @property
    def ratio(self) -> float:
        """first / last: what is left of the gradient on its way back through all steps."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return float(np.float64(self.first) / self.last)

    @property
    def growth(self) -> float:
        """ratio^(1 / (steps - 1)): the factor a step; NaN for a single step."""
        return self.ratio ** (1 / (self.steps - 1)) if self.steps > 1 else float("nan")


@dataclass(frozen=True, eq=False, repr=False)
class GradientFlow:
    """What gradient_flow() found; as text, a table of its layers.

    Attributes:
        layers: one entry a recurrent layer and direction, in the model's order.
    """

    layers: tuple[LayerFlow, ...]

    def __getitem__(self, name: str) -> LayerFlow:
        """A layer's flow. Raises KeyError with the names that there are."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise KeyError(f"no layer {name!r}; there are {[layer.name for layer in self.layers]}")

    def __add__(self, other: GradientFlow) -> GradientFlow:
        """The layers of both, to compare models in one table and one plot. Raises ValueError for equal names."""
        if not isinstance(other, GradientFlow):
            return NotImplemented
        names = [layer.name for layer in self.layers + other.layers]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"GradientFlow: two layers {name!r}: give the models' layers different names")
        return GradientFlow(self.layers + other.layers)

    def __repr__(self) -> str:
        head = ("layer", "reads", "steps", "first ‖δ‖", "last ‖δ‖", "first/last", "a step", "spectral radius")
        rows: list[tuple[str, ...]] = [head]
        for layer in self.layers:
            numbers = [f"{value:.3g}" for value in (layer.first, layer.last, layer.ratio, layer.growth)]
            only = len(layer.radii) == 1
            radii = ", ".join(f"{value:.3g}" if only else f"{gate} {value:.3g}" for gate, value in layer.radii.items())
            rows.append((layer.name, "<-" if layer.backwards else "->", str(layer.steps), *numbers, radii))
        widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
        left = {0, 1, len(head) - 1}
        return "\n".join(
            "  ".join(
                cell.ljust(width) if i in left else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        )

    def plot(self) -> Figure:
        """‖δ_t‖ of each layer over t on a log scale, and the spectral radii as bars with a line at 1.

        Norms of exactly 0 are left out.

        Raises:
            ImportError: without matplotlib (pip install 'tauten[plot]').
        """
        return _plots.gradient_flow(self.layers)


@dataclass(frozen=True, eq=False)
class Gates:
    """What gates() found.

    Attributes:
        layer: its name.
        values: gate -> values: (steps, units) for one sample, (samples, steps, units) for an array of samples, a list
            of (steps_i, units) for a list. A Bidirectional's gates are "forward input", "backward input", ...
        directions: the gates' names, one tuple for each direction.
    """

    layer: str
    values: dict[str, Values]
    directions: tuple[tuple[str, ...], ...]

    def __getitem__(self, gate: str) -> Values:
        """A gate's values. Raises KeyError with the names that there are."""
        if gate not in self.values:
            raise KeyError(f"no gate {gate!r}; layer {self.layer!r} has {list(self.values)}")
        return self.values[gate]

    def __repr__(self) -> str:
        shapes = (
            f"{name} {f'{len(array)} x (steps, units)' if isinstance(array, list) else array.shape}"
            for name, array in self.values.items()
        )
        return f"<Gates of {self.layer}: {', '.join(shapes)}>"

    def plot(self, sample: int = 0, labels: Sequence[str] | None = None) -> Figure:
        """A heat map of one sample, units x steps: a panel for each gate, a column of panels for each direction.

        Args:
            sample: which one, if there are several; default the first.
            labels: what to write at the steps, such as the text that the model reads; default their numbers.

        Raises:
            ImportError: without matplotlib (pip install 'tauten[plot]').
            TypeError, ValueError: for a sample that there is not, and unless there is one label a step.
        """
        sample = integer(sample, "Gates.plot: sample", 0)
        chosen: dict[str, NDArray[Any]] = {}
        for name, array in self.values.items():
            several = isinstance(array, list) or array.ndim == 3
            count = len(array) if several else 1
            if sample >= count:
                raise ValueError(f"Gates.plot: sample: expected one below {count}, got {sample}")
            chosen[name] = np.asarray(array[sample] if several else array)
        steps = len(next(iter(chosen.values())))
        if labels is not None and len(labels) != steps:
            raise ValueError(f"Gates.plot: labels: expected {steps}, one a step, got {len(labels)}")
        return _plots.gates(self.layer, [{name: chosen[name] for name in names} for names in self.directions], labels)


def gradient_flow(
    model: Model, x: Any, y: Any, sample_weight: Any = None, batch_size: int | None = None
) -> GradientFlow:
    """How large the gradient is at every step of every recurrent layer, and how large the recurrent matrices are.

    Back through time δ_t = ∂f_t ⊙ (... + W_h·δ_{t+1}) (chapter §26.1.2): each step multiplies the gradient by W_h and
    ∂f, so that over many steps it vanishes or explodes, which is what the gates of §26.2 are for. With ∂f = 1 it would
    in the long run shrink or grow by W_h's spectral radius a step; tanh's and sigmoid's ∂f are below 1.

    ‖δ_t‖: δ_t = ∂E/∂net_t, E the loss of one sample, summed over its steps if the output has some (the chapter's
    E_X = Σ_t E_t; times its sample weight), so that neither batch size nor number of samples matter; its L2 norm over
    all units and gates; then the root mean square over the samples that have step t. Steps are counted from the
    beginning of each sample, in the input's order whichever way the layer reads; masked ones are not counted. Dropout
    is off.

    Args:
        model: compiled, with a recurrent layer.
        x, y, sample_weight: as in fit(); lists of unequal length too.
        batch_size: samples a native call; the result is the same for all but rounding; default 32.

    Returns:
        GradientFlow: print it, plot() it, or read its arrays. Nothing in the model changes.

    Raises:
        RuntimeError: before compile().
        TypeError, ValueError: for what is no model, one without recurrent layers, data that do not fit, and if every
            step is masked.
        FloatingPointError: when the loss is not finite.
    """
    check_model(model, "gradient_flow")
    _need_recurrent(model, "gradient_flow")
    goal = model._need_compiled("gradient_flow").goals[0]
    batch_size = integer(32 if batch_size is None else batch_size, "gradient_flow: batch_size")
    feed = model._feed(x, y, sample_weight)
    graph = model._graph_now()
    assert graph is not None
    if len(graph.exits) > 1:
        raise ValueError(f"gradient_flow: expected a model of one output, model {model.name!r} has {len(graph.exits)}")
    network = graph.network
    index = np.arange(feed.x.samples, dtype=np.int64)
    sums: dict[str, tuple[Floats, NDArray[np.int64]]] = {}
    for begin in range(0, len(index), batch_size):
        try:
            part = index[begin : begin + batch_size]
            more = Judge(feed.kept, part, True).arguments if not goal.in_core else {}
            result, traces = network.deltas(feed.x.sources, feed.y, part, feed.weight, **more)
        except FloatingPointError as error:
            raise FloatingPointError(f"model {model.name!r}, gradient_flow: {error}") from error
        for path, steps, deltas in traces:
            found = _norms(deltas, steps)
            norms, samples = found[0] * result.rows[0], found[1]  # the batch's loss is a mean over its rows
            if path in sums:
                norms, samples = _longer(np.hypot, norms, sums[path][0]), _longer(np.add, samples, sums[path][1])
            sums[path] = norms, samples
    if not any(len(samples) for _, samples in sums.values()):
        raise ValueError("gradient_flow: x: every step of it is masked")
    layers = []
    for path, (norms, samples) in sums.items():
        name, cell = _find(graph, path)
        radii = _radii(graph.named()[path], cell)
        layers.append(LayerFlow(name, cell.go_backwards, norms / np.sqrt(samples), samples, radii))
    return GradientFlow(tuple(layers))


def gates(model: Model, x: Any, layer: str | Layer | None = None) -> Gates:
    """What the gates of a recurrent layer let through at every step, with dropout off.

    Gates: input, forget, candidate, output for LSTM; update, reset, candidate for GRU; forget, candidate for
    ForgetGateRNN; hidden, which is h, for SimpleRNN. Steps are the input's, whichever way the layer reads; masked ones,
    which it leaves out, have NaN.

    Args:
        model: with a recurrent layer; it need not be compiled.
        x: as in predict(), or a single sample without the axis of samples.
        layer: a recurrent layer or its name; default the only one that there is.

    Returns:
        Gates: values by the gate's name, and plot().

    Raises:
        TypeError, ValueError: for what is no model, one without recurrent layers or with several if none is named, for
            a layer that is none of them, and data that do not fit.
    """
    check_model(model, "gates")
    chosen = _choose(model, layer)
    inputs, single = one_or_many(model, x)
    graph = model._graph_now()
    assert graph is not None
    (call,) = (call for call in graph.flat.calls if call.layer is chosen)
    data = inputs.parts[graph.steps.get(call.reads[0], 0)]
    values: dict[str, Values] = {}
    directions = []
    for path, _, kept in graph.network.gates(inputs.sources, np.arange(inputs.samples, dtype=np.int64)):
        if path.rsplit("/", 1)[0] != call.name:
            continue
        prefix = _prefix(path)
        named = [(f"{prefix} {gate}".strip(), gate) for gate in _gate_names(chosen.directions()[prefix], kept.shape[1])]
        directions.append(tuple(name for name, _ in named))
        for number, (name, _) in enumerate(named):
            gate = kept[:, number].copy()
            if data.mask is not None:
                gate = np.full((len(data.mask.valid), gate.shape[1]), np.nan, dtype=gate.dtype)
                gate[data.mask.valid] = kept[:, number]
            if data.steps is not None:
                values[name] = np.split(gate, np.cumsum(data.steps)[:-1])
            else:
                values[name] = gate if single else gate.reshape(data.samples, -1, gate.shape[-1])
    return Gates(chosen.name, values, tuple(directions))


# -- inside


def _need_recurrent(model: Model, what: str) -> list[Layer]:
    leaves = model._leaves()
    found = [layer for layer in leaves if layer.directions()]
    if not found:
        names = [layer.name for layer in leaves]
        raise ValueError(f"{what}: model {model.name!r} has no recurrent layer; its layers are {names}")
    graph = model._graph
    called = [] if graph is None else graph.called
    for layer in found:
        if called.count(layer) > 1:
            raise ValueError(
                f"{what}: model {model.name!r} calls layer {layer.name!r} {called.count(layer)} times; expected "
                "recurrent layers that are called once"
            )
    return found


def _choose(model: Model, layer: str | Layer | None) -> Layer:
    found = _need_recurrent(model, "gates")
    names = [one.name for one in found]
    if layer is None:
        if len(found) > 1:
            raise ValueError(f"gates: model {model.name!r} has several recurrent layers: name one of {names}")
        return found[0]
    if not isinstance(layer, (str, Layer)):
        raise TypeError(f"gates: layer: expected a layer or its name, got {layer!r}")
    for one in found:
        if one is layer or one.name == layer:
            return one
    wanted = layer if isinstance(layer, str) else layer.name
    raise ValueError(f"gates: model {model.name!r} has no recurrent layer {wanted!r}; there are {names}")


def _prefix(path: str) -> str:
    """The direction in the name of a recurrent kernel: "forward" in "pair/forward_recurrent_kernel"."""
    return path.rsplit("/", 1)[1].removesuffix("recurrent_kernel").rstrip("_")


def _find(graph: Graph, path: str) -> tuple[str, Recurrent]:
    """The layer that a recurrent kernel belongs to, and its name here."""
    name, prefix = path.rsplit("/", 1)[0], _prefix(path)
    return f"{name}/{prefix}" if prefix else name, graph.layers[name].directions()[prefix]


def _gate_names(cell: Recurrent, count: int) -> tuple[str, ...]:
    names = cell.gate_names
    assert len(names) == count, f"{type(cell).__name__} names the gates {names}, its network has {count}"
    return names


def _norms(deltas: NDArray[Any], steps: NDArray[np.int64]) -> tuple[Floats, NDArray[np.int64]]:
    """(Σ over samples of ‖δ_t‖²)^½ and the number of samples for every t; δ (Σ steps_i, gates, units).

    Everything is divided by its largest before it is squared: what has vanished may be below 1e-154.
    """
    rows = deltas.astype(np.float64).reshape(len(deltas), deltas.shape[1] * deltas.shape[2])
    largest = _divisor(np.abs(rows).max(axis=1))
    lengths = largest * np.sqrt(np.square(rows / largest[:, None]).sum(axis=1))
    t = np.arange(len(rows)) - np.repeat(np.cumsum(steps) - steps, steps)
    longest = np.zeros(steps.max())
    np.maximum.at(longest, t, lengths)
    longest = _divisor(longest)
    return longest * np.sqrt(np.bincount(t, np.square(lengths / longest[t]))), np.bincount(t)


def _divisor(array: Floats) -> Floats:
    return np.where(np.isfinite(array) & (array > 0), array, 1.0)


def _longer(f: np.ufunc, a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """f(a, b) of two batches' steps, where the shorter one has zeros at the end."""
    size = max(len(a), len(b))
    return np.asarray(f(np.pad(a, (0, size - len(a))), np.pad(b, (0, size - len(b)))))


def _radii(weight: Variable, cell: Recurrent) -> dict[str, float]:
    matrices = np.split(weight.numpy().astype(np.float64), weight.shape[1] // cell.units, axis=1)
    names = _gate_names(cell, len(matrices))
    return {name: _radius(matrix) for name, matrix in zip(names, matrices, strict=True)}


def _radius(matrix: Floats) -> float:
    return float(np.abs(np.linalg.eigvals(matrix)).max()) if np.isfinite(matrix).all() else float("nan")
