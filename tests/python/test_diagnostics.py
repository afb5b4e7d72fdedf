"""tauten.diagnostics: δ and gates of every step against the reference in float64, what stays as it was, and plots."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

import reference as ref
import tauten
from cases import CASES
from data import text
from examples import Batch, Case
from headless import printed
from native import Native
from numerics import TOLERANCE, assert_close
from reference.network import parts
from tauten import diagnostics, layers

mpl.use("Agg")
from matplotlib import pyplot as plt

CELLS = {"rnn": layers.SimpleRNN, "forget": layers.ForgetGateRNN, "lstm": layers.LSTM, "gru": layers.GRU}
REFERENCE = {"rnn": ref.SimpleRNN, "forget": ref.ForgetGateRNN, "lstm": ref.LSTM, "gru": ref.GRU}
GATES = {
    "rnn": ["hidden"],
    "forget": ["forget", "candidate"],
    "lstm": ["input", "forget", "candidate", "output"],
    "gru": ["update", "reset", "candidate"],
}
RECURRENT = (ref.SimpleRNN, ref.ForgetGateRNN, ref.LSTM, ref.GRU, ref.GoBackwards, ref.Bidirectional)


@pytest.fixture(autouse=True)
def no_figures_left():
    yield
    plt.close("all")


# -- the native core against the reference


def read(cell: ref.layer.Layer, deltas: bool, backwards: bool = False) -> np.ndarray:
    """(samples, steps, gates, units) of the last call, steps in the input's order."""
    if deltas:
        steps = [delta.reshape(len(delta), cell.gates, cell.units) for delta in cell.deltas]
    elif cell.gates == 1:
        steps = [h[:, None] for h in cell.h[1:]]
    else:
        steps = [np.stack(values[: cell.gates], axis=1) for values in cell.cells[1:]]
    return ref.recurrent.in_time(steps[::-1] if backwards else steps, np.zeros((len(cell.x), cell.gates, cell.units)))


def read_layer(layer: ref.layer.Layer, deltas: bool) -> list[np.ndarray]:
    if isinstance(layer, ref.GoBackwards):
        return [read(layer.cell, deltas, True)]
    if isinstance(layer, ref.Bidirectional):
        return [read(layer.cells[0], deltas), read(layer.cells[1], deltas, True)]
    return [read(layer, deltas)]


def expected_traces(net: ref.Network, batch: Batch, deltas: bool) -> list[list[np.ndarray]]:
    """For every recurrent layer and direction, one (steps, gates, units) a sample; E a sum over rows."""
    found: dict[int, list[list[np.ndarray]]] = {}
    for part, samples in parts(batch.x):
        weight = None if batch.weight is None else np.stack([batch.weight[i] for i in samples])
        net.gradients(part, np.stack([batch.y[i] for i in samples]), weight, training=False)
        for i, sample in enumerate(samples):
            found[sample] = [
                values[i] for at in net.layers if isinstance(at, RECURRENT) for values in read_layer(at, deltas)
            ]
    return [list(layer) for layer in zip(*(found[i] for i in sorted(found)), strict=True)]


def is_recurrent(case: Case) -> bool:
    return any(isinstance(at, RECURRENT) for at in case.layers)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("case", [case for case in CASES if is_recurrent(case)], ids=str)
def test_traces_are_the_reference_s(case: Case, dtype: str) -> None:
    """δ and gates of each cell, direction, merge and length, in the user's order; nothing else moves."""
    net, batch = case.build()
    batch = batch.cast(dtype)
    native = Native(net, dtype)
    net.weights = native.weights  # rounded to dtype
    exact = batch.cast("float64")
    before = native.bits(), native.core.calls
    result, deltas = native.core.deltas(*native.sources(batch), native.weight(batch))
    gates = native.core.gates(native.sources(batch)[0], np.arange(len(batch)))
    assert (native.bits(), native.core.calls) == before
    assert result.loss == native.test(batch).loss
    for traces, scale, wanted in (
        (deltas, result.rows, expected_traces(net, exact, True)),
        (gates, 1, expected_traces(net, exact, False)),
    ):
        assert len(traces) == len(wanted)
        for (path, steps, values), samples in zip(traces, wanted, strict=True):
            assert path.endswith("recurrent_kernel")
            assert steps.tolist() == [len(sample) for sample in samples]
            assert values.dtype == dtype
            assert_close(values * scale, np.concatenate(samples), TOLERANCE[dtype], path)


@pytest.mark.parametrize("units", [1, 7, 8, 16, 17, 40])
@pytest.mark.parametrize("kind", CELLS)
def test_traces_of_whole_and_broken_vectors(kind: str, units: int) -> None:
    """Units that fill the kernels' panels, and units that do not; more rows than threads, unequal lengths."""
    case = Case("", (None, 3), [REFERENCE[kind](units, return_sequences=True)], lengths=(3, 9, 9, 1, 4, 12, 2))
    net, batch = case.build()
    native = Native(net)
    result, [(_, _, deltas)] = native.core.deltas(*native.sources(batch), None)
    [(_, _, gates)] = native.core.gates(native.sources(batch)[0], np.arange(len(batch)))
    assert_close(deltas * result.rows[0], np.concatenate(expected_traces(net, batch, True)[0]), 1e-12)
    assert_close(gates, np.concatenate(expected_traces(net, batch, False)[0]), 1e-12)


def test_traces_of_picked_samples() -> None:
    """`index` picks, orders and repeats samples."""
    net, batch = next(c for c in CASES if c.name == "unequal-lstm-sequences1-weights1").build()
    native, index = Native(net), np.array([3, 0, 0, 2])
    picked = Batch([batch.x[i] for i in index], [batch.y[i] for i in index], batch.weight[index])
    x, y, _ = native.sources(batch)
    result, [(_, steps, deltas)] = native.core.deltas(x, y, index, [batch.weight])
    assert steps.tolist() == [len(batch.x[i]) for i in index]
    assert_close(deltas * result.rows[0], np.concatenate(expected_traces(net, picked, True)[0]), 1e-12)


def test_gradients_go_through_frozen_layers() -> None:
    """δ of a lower layer does not depend on which weights train."""
    net = ref.Network((5, 2), [ref.LSTM(3, return_sequences=True), ref.SimpleRNN(3), ref.Dense(1)])
    rng = np.random.default_rng(0)
    net.weights = [rng.normal(size=w.shape) for w in net.weights]
    batch = Batch(rng.normal(size=(4, 5, 2)), rng.normal(size=(4, 1)))
    native = Native(net)
    for number in range(len(net.weights)):
        native.core.set_trainable(number, False)
    result, traces = native.core.deltas(*native.sources(batch), None)
    for (path, _, values), samples in zip(traces, expected_traces(net, batch, True), strict=True):
        assert_close(values * result.rows, np.concatenate(samples), 1e-12, path)


# -- gradient_flow


def sequences(count: int = 24, steps: int = 12) -> tuple[np.ndarray, np.ndarray, int]:
    """Windows of Python's documentation, and the character after each."""
    tokens, vocabulary = text()
    x = np.stack([tokens[100 * i : 100 * i + steps] for i in range(count)])
    return x, np.array([tokens[100 * i + steps] for i in range(count)]), len(vocabulary)


def reader(layer: layers.Layer, characters: int, dtype: str = "float64") -> tauten.Sequential:
    """A model that reads characters and guesses the next one."""
    old = tauten.config.floatx()
    tauten.config.set_floatx(dtype)
    try:
        model = tauten.Sequential(
            [
                tauten.Input((None,), dtype="int32"),
                layers.Embedding(characters, 6),
                layer,
                layers.Dense(characters, activation="softmax"),
            ]
        )
    finally:
        tauten.config.set_floatx(old)
    model.compile(tauten.optimizers.SGD(0.1, momentum=0.9), "sparse_categorical_crossentropy")
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(size=w.shape) / 2 for w in model.get_weights()])
    return model


def twin(model: tauten.Sequential, layer: ref.layer.Layer, characters: int) -> ref.Network:
    net = ref.Network(
        (None,),
        [ref.Embedding(characters, 6), layer, ref.Dense(characters, "softmax")],
        "sparse_categorical_crossentropy",
    )
    net.weights = model.get_weights()
    return net


def expected_norms(samples: list[np.ndarray]) -> tuple[list[float], list[int]]:
    """(1/n Σ_i ‖δ_it‖²)^½ over the n samples that have step t, and n."""
    norms, counts = [], []
    for t in range(max(map(len, samples))):
        squares = [float((sample[t] ** 2).sum()) for sample in samples if len(sample) > t]
        norms.append(np.sqrt(sum(squares) / len(squares)))
        counts.append(len(squares))
    return norms, counts


@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize("way", ["forwards", "backwards", "both"])
@pytest.mark.parametrize("kind", CELLS)
def test_gradient_flow(kind: str, way: str, ragged: bool) -> None:
    x, y, characters = sequences()
    weight = np.linspace(0.5, 2, len(x))
    if ragged:
        x = [window[: 1 + (5 * i) % 12] for i, window in enumerate(x)]
    if way == "both":
        layer, other = layers.Bidirectional(CELLS[kind](5), name="pair"), [REFERENCE[kind](5) for _ in range(2)]
        other = ref.Bidirectional(*other)
        names, backwards = ["pair/forward", "pair/backward"], [False, True]
    else:
        layer, other = CELLS[kind](5, go_backwards=way == "backwards", name="one"), REFERENCE[kind](5)
        other = ref.GoBackwards(other) if way == "backwards" else other
        names, backwards = ["one"], [way == "backwards"]
    model = reader(layer, characters)
    net = twin(model, other, characters)
    wanted = expected_traces(net, Batch(x, y, weight), True)
    for batch_size in (None, 5, 100):
        flow = diagnostics.gradient_flow(model, x, y, weight, batch_size)
        assert [at.name for at in flow.layers] == names
        assert [at.backwards for at in flow.layers] == backwards
        for found, samples in zip(flow.layers, wanted, strict=True):
            norms, counts = expected_norms(samples)
            np.testing.assert_allclose(found.norms, norms, rtol=1e-10)
            assert found.samples.tolist() == counts
            assert found.steps == len(norms)
            ends = (norms[-1], norms[0]) if found.backwards else (norms[0], norms[-1])
            assert (found.first, found.last) == pytest.approx(ends)
            assert found.growth == pytest.approx((ends[0] / ends[1]) ** (1 / 11))
    kernels = [w.numpy() for w in layer.weights if w.name.endswith("recurrent_kernel")]
    for found, kernel in zip(flow.layers, kernels, strict=True):
        assert list(found.radii) == GATES[kind]
        for gate, matrix in zip(found.radii, np.hsplit(kernel, len(GATES[kind])), strict=True):
            assert found.radii[gate] == pytest.approx(max(abs(np.roots(np.poly(matrix)))), rel=1e-6)


def test_gradient_flow_of_a_scaled_orthogonal_matrix() -> None:
    """Linear, ‖W_h·v‖ = s·‖v‖: δ shrinks or grows by exactly s a step, far below what squares can hold."""
    steps, x = 100, np.ones((2, 100, 1))
    for scale in (0.01, 0.5, 1.0, 1.5):
        model = tauten.Sequential([tauten.Input((None, 1)), layers.SimpleRNN(4, "linear"), layers.Dense(1)])
        model.compile("sgd", "mse")
        kernel, recurrent, bias, *rest = model.get_weights()
        double = tauten.Sequential.from_config({**model.get_config(), "dtype": "float64"})
        double.compile("sgd", "mse")
        exact = np.linalg.qr(recurrent.astype(np.float64))[0]
        double.set_weights([0 * kernel, scale * exact, bias, *rest])
        flow = diagnostics.gradient_flow(double, x, np.ones((2, 1))).layers[0]
        assert flow.steps == steps
        assert flow.growth == pytest.approx(scale, rel=1e-12)
        np.testing.assert_allclose(flow.norms[:-1] / flow.norms[1:], scale, rtol=1e-10)
        assert flow.ratio == pytest.approx(scale**99, rel=1e-8)
        assert flow.radii["hidden"] == pytest.approx(scale)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nothing_changes(dtype: str) -> None:
    """Weights, momentum, counters and the training that follows are what they are without a look inside."""
    x, y, characters = sequences()
    models = [reader(layers.Bidirectional(layers.LSTM(5), name="pair"), characters, dtype) for _ in range(2)]
    for model in models:
        model.train_on_batch(x, y)
    looked, left = models
    state = [(w.numpy().tobytes(), w.slots[0].tobytes()) for w in looked.weights]
    calls, iterations = looked._network().calls, looked.optimizer.iterations
    predictions = looked.predict(x, verbose=0)
    flows = [diagnostics.gradient_flow(looked, x, y, batch_size=7) for _ in range(2)]
    gates = [diagnostics.gates(looked, x) for _ in range(2)]
    np.testing.assert_array_equal(flows[0].layers[0].norms, flows[1].layers[0].norms)
    np.testing.assert_array_equal(gates[0]["backward input"], gates[1]["backward input"])
    assert state == [(w.numpy().tobytes(), w.slots[0].tobytes()) for w in looked.weights]
    assert (looked._network().calls, looked.optimizer.iterations) == (calls, iterations)
    np.testing.assert_array_equal(looked.predict(x, verbose=0), predictions)
    assert looked.train_on_batch(x, y) == left.train_on_batch(x, y)
    for a, b in zip(looked.get_weights(), left.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_flow_of_two_models() -> None:
    x, y, characters = sequences()
    flows = [
        diagnostics.gradient_flow(reader(cell(3, name=name), characters), x, y)
        for name, cell in (("a", layers.SimpleRNN), ("b", layers.LSTM))
    ]
    both = flows[0] + flows[1]
    assert [layer.name for layer in both.layers] == ["a", "b"]
    assert both["b"] is flows[1].layers[0]
    lines = repr(both).splitlines()
    assert len(lines) == 3
    assert lines[0].split()[:3] == ["layer", "reads", "steps"]
    assert lines[1].split()[:3] == ["a", "->", "12"]
    assert [f"{gate} {radius:.3g}" in lines[2] for gate, radius in both["b"].radii.items()] == [True] * 4
    with pytest.raises(KeyError, match=r"'c'.*'a', 'b'"):
        both["c"]
    with pytest.raises(ValueError, match="'a'"):
        flows[0] + flows[0]


def test_flow_of_one_step() -> None:
    x, y, characters = sequences(steps=1)
    (layer,) = diagnostics.gradient_flow(reader(layers.LSTM(3), characters), x, y).layers
    assert (layer.steps, layer.ratio) == (1, 1.0)
    assert np.isnan(layer.growth)


# -- gates


@pytest.mark.parametrize("kind", CELLS)
def test_gates(kind: str) -> None:
    x, y, characters = sequences()
    model = reader(CELLS[kind](5), characters)
    samples = np.stack(expected_traces(twin(model, REFERENCE[kind](5), characters), Batch(x, y), False)[0])
    found = diagnostics.gates(model, x)
    assert list(found.values) == GATES[kind]
    assert found.directions == (tuple(GATES[kind]),)
    one = diagnostics.gates(model, x[3], model.layers[1].name)
    listed = diagnostics.gates(model, [x[0], x[1][:4], x[2][:7]], model.layers[1])
    for number, gate in enumerate(GATES[kind]):
        assert found[gate].shape == (24, 12, 5)
        assert_close(found[gate], samples[:, :, number], 1e-12)
        np.testing.assert_allclose(one[gate], found[gate][3], rtol=1e-13)
        assert [len(a) for a in listed[gate]] == [12, 4, 7]
        assert_close(listed[gate][1], samples[1, :4, number], 1e-12)  # what comes later does not matter
    assert "(24, 12, 5)" in repr(found)
    with pytest.raises(KeyError, match="nothing"):
        found["nothing"]


def test_gates_of_a_pair_are_in_the_input_s_order() -> None:
    x, y, characters = sequences()
    model = reader(layers.Bidirectional(layers.LSTM(5), name="pair"), characters)
    net = twin(model, ref.Bidirectional(ref.LSTM(5), ref.LSTM(5)), characters)
    wanted = expected_traces(net, Batch(x, y), False)
    found = diagnostics.gates(model, x)
    assert [len(names) for names in found.directions] == [4, 4]
    for direction, samples in zip(("forward", "backward"), wanted, strict=True):
        for number, gate in enumerate(GATES["lstm"]):
            assert_close(found[f"{direction} {gate}"], np.stack(samples)[:, :, number], 1e-12)


def test_gates_need_no_compile_and_mind_no_threads() -> None:
    """One sample alone, which a predict() would cut into parts by units, on any number of threads."""
    x, _, characters = sequences(steps=40)
    model = tauten.Sequential(
        [tauten.Input((None,), dtype="int32"), layers.Embedding(characters, 64), layers.LSTM(128)]
    )
    threads = tauten.config.num_threads()
    found = []
    try:
        for count in (1, 2, 3):
            tauten.config.set_num_threads(count)
            found.append(diagnostics.gates(model, x[0])["output"])
    finally:
        tauten.config.set_num_threads(threads)
    assert found[0].shape == (40, 128)
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])


# -- bad input


@pytest.mark.parametrize("kind", CELLS)
def test_masked_steps(kind: str) -> None:
    """The gates of the steps that are left, at their places; the gradient flow of the sequences without the others."""
    x = np.random.default_rng(0).normal(size=(4, 5, 3))
    valid = np.array([[1, 1, 0, 1, 1], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1], [0, 1, 1, 0, 0]], dtype=bool)
    x[~valid] = 0
    y = np.zeros((4, 2))
    tauten.utils.set_random_seed(1)
    model = tauten.Sequential(
        [tauten.Input((None, 3)), layers.Masking(), CELLS[kind](4, name="cell"), layers.Dense(2, name="out")]
    )
    bare = tauten.Sequential([tauten.Input((None, 3)), CELLS[kind](4, name="cell"), layers.Dense(2, name="out")])
    bare.set_weights(model.get_weights())
    for each in (model, bare):
        each.compile("sgd", "mse")
    some = [0, 2, 3]  # the bare model takes no sample without steps
    left = [x[i][valid[i]] for i in some]
    as_array, as_list, expected = (diagnostics.gates(m, d) for m, d in ((model, x), (model, list(x)), (bare, left)))
    for gate in GATES[kind]:
        assert as_array[gate].shape == (4, 5, 4)
        assert np.isnan(as_array[gate][~valid]).all()
        for i, wanted in zip(some, expected[gate], strict=True):
            np.testing.assert_array_equal(as_array[gate][i][valid[i]], wanted)
        for one, other in zip(as_array[gate], as_list[gate], strict=True):
            np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(diagnostics.gates(model, x[0])[gate], as_array[gate][0])
    for sample in range(4):
        plt.close(as_array.plot(sample, labels="abcde"))
    wanted = diagnostics.gradient_flow(bare, left, y[some])["cell"].norms
    for batch_size in (1, 2, 4):  # a batch may have no steps at all
        found = diagnostics.gradient_flow(model, x, y, batch_size=batch_size)["cell"].norms
        np.testing.assert_allclose(found, wanted, rtol=1e-5)
    with pytest.raises(ValueError, match="every step of it is masked"):
        diagnostics.gradient_flow(model, 0 * x, y)


def test_errors() -> None:
    x, y, characters = sequences()
    model = reader(layers.LSTM(3, name="one"), characters)
    for function in (diagnostics.gradient_flow, diagnostics.gates):
        with pytest.raises(TypeError, match="expected a model"):
            function("model", x, y)
    dense = tauten.Sequential([tauten.Input((3,)), layers.Dense(2, name="flat")], name="plain")
    dense.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"'plain' has no recurrent layer.*'flat'"):
        diagnostics.gradient_flow(dense, np.ones((1, 3)), np.ones((1, 2)))
    with pytest.raises(ValueError, match=r"'plain' has no recurrent layer.*'flat'"):
        diagnostics.gates(dense, np.ones((1, 3)))
    with pytest.raises(RuntimeError, match="compile"):
        diagnostics.gradient_flow(tauten.Sequential([tauten.Input((3, 2)), layers.LSTM(2)]), x, y)
    with pytest.raises(ValueError, match="batch_size"):
        diagnostics.gradient_flow(model, x, y, batch_size=0)
    with pytest.raises(ValueError, match="as many samples"):
        diagnostics.gradient_flow(model, x, y[:-1])
    with pytest.raises(ValueError, match=r"'two'.*'one'"):
        diagnostics.gates(model, x, "two")
    with pytest.raises(ValueError, match=r"no recurrent layer 'dense.*'one'"):
        diagnostics.gates(model, x, model.layers[-1])
    with pytest.raises(TypeError, match="layer"):
        diagnostics.gates(model, x, 1)
    with pytest.raises(ValueError, match="tokens"):
        diagnostics.gates(model, np.full(4, characters))
    stack = tauten.Sequential(
        [tauten.Input((None, 2)), layers.LSTM(2, return_sequences=True, name="a"), layers.SimpleRNN(2, name="b")]
    )
    with pytest.raises(ValueError, match=r"several recurrent layers.*'a', 'b'"):
        diagnostics.gates(stack, np.ones((1, 3, 2)))
    assert list(diagnostics.gates(stack, np.ones((1, 3, 2)), "b").values) == ["hidden"]


def test_a_loss_that_is_not_finite_raises() -> None:
    model = tauten.Sequential([tauten.Input((None, 1)), layers.SimpleRNN(2), layers.Dense(1)], name="mine")
    model.compile("sgd", "mse")
    before = model.get_weights()
    with pytest.raises(FloatingPointError, match=r"'mine', gradient_flow: the loss is not finite"):
        diagnostics.gradient_flow(model, np.ones((2, 3, 1)), np.full((2, 1), 1e30))
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


# -- plots


def test_flow_plot() -> None:
    x, y, characters = sequences()
    model = reader(layers.Bidirectional(layers.LSTM(3), name="pair"), characters)
    flow = diagnostics.gradient_flow(model, x, y)
    lines, bars = flow.plot().axes
    assert lines.get_yscale() == "log"
    assert len(lines.lines) == 2
    for line, layer in zip(lines.lines, flow.layers, strict=True):
        assert line.get_xdata().tolist() == list(range(1, 13))
        np.testing.assert_array_equal(line.get_ydata(), layer.norms)
    assert [label.get_text() for label in lines.get_legend().get_texts()] == [
        "pair/forward", "pair/backward (reads backwards)",
    ]  # fmt: skip
    radii = [radius for layer in flow.layers for radius in layer.radii.values()]
    assert [bar.get_width() for bar in bars.patches] == radii
    assert [line.get_xdata() for line in bars.lines] == [[1, 1]]
    assert bars.get_yticklabels()[1].get_text() == "pair/forward: forget"


def test_flow_plot_of_zeros() -> None:
    """A gradient that is 0 everywhere, which no log scale shows, is no reason to fail."""
    layer = diagnostics.LayerFlow("none", False, np.zeros(4), np.ones(4, dtype=np.int64), {"hidden": float("nan")})
    assert np.isnan(layer.ratio)
    figure = diagnostics.GradientFlow((layer,)).plot()
    figure.canvas.draw()
    assert len(figure.axes) == 2


def test_gates_plot() -> None:
    x, _, characters = sequences()
    gates = diagnostics.gates(reader(layers.LSTM(3), characters), x)
    figure = gates.plot(sample=2, labels="some\n letters"[:12])
    figure.canvas.draw()
    panels, bars = figure.axes[:4], figure.axes[4:]
    assert [panel.get_title(loc="left") for panel in panels] == GATES["lstm"]
    assert len(bars) == 4
    for panel, gate in zip(panels, GATES["lstm"], strict=True):
        np.testing.assert_array_equal(panel.images[0].get_array(), gates[gate][2].T)
    assert panels[0].images[0].get_clim() == (0, 1)
    assert panels[2].images[0].get_clim() == (-1, 1)
    assert [label.get_text() for label in panels[-1].get_xticklabels()] == list("some↵ letter")
    with pytest.raises(ValueError, match=r"sample: expected one below 24, got 24"):
        gates.plot(24)
    with pytest.raises(ValueError, match=r"labels: expected 12, one a step, got 3"):
        gates.plot(labels="abc")


def test_gates_plot_of_a_mixed_pair() -> None:
    """Two columns, the shorter one with empty places; one sample of a list."""
    x, _, characters = sequences()
    pair = layers.Bidirectional(layers.LSTM(3), backward_layer=layers.SimpleRNN(2, go_backwards=True))
    gates = diagnostics.gates(reader(pair, characters), [x[0], x[1][:5]])
    figure = gates.plot(1)
    figure.canvas.draw()
    shown = {panel.get_title(loc="left"): panel.images[0].get_array().shape for panel in figure.axes if panel.images}
    assert {name: shown[name] for names in gates.directions for name in names} == {
        **{f"forward {gate}": (3, 5) for gate in GATES["lstm"]}, "backward hidden": (2, 5),
    }  # fmt: skip


def test_plots_ask_for_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y, characters = sequences(2)
    model = reader(layers.LSTM(2), characters)
    flow, gates = diagnostics.gradient_flow(model, x, y), diagnostics.gates(model, x)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for made in (flow, gates):
        with pytest.raises(ImportError, match=r"pip install 'tauten\[plot\]'"):
            made.plot()


def test_without_a_display() -> None:
    """matplotlib is not loaded before a plot, and a plot needs no display."""
    out = printed(
        "import sys, numpy as np, tauten; from tauten import diagnostics, layers",
        "model = tauten.Sequential([tauten.Input((None, 1)), layers.LSTM(2)])",
        "gates = diagnostics.gates(model, np.ones((1, 3, 1)))",
        "before = 'matplotlib' in sys.modules",
        "print(before, len(gates.plot().axes))",
    )
    assert out == "False 8\n"


def test_guide_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/diagnostics.md, from top to bottom, and what it says that one sees."""
    guide = Path(__file__).resolve().parents[2] / "docs" / "diagnostics.md"
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", guide.read_text(encoding="utf-8"), re.S):
        exec(compile(block, str(guide), "exec"), names)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gates.png", "gradient-flow.png"]
    growths = [layer.growth for layer in names["flow"].layers]
    assert growths == pytest.approx([0.5, 0.988, 1.11, 0.838, 0.991], abs=0.02)
    space, forget = names["space"], names["forget"]
    assert forget[space].mean() < forget[~space].mean() - 0.1
