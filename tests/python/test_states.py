"""States that recurrent layers begin with, leave and carry: natively, in stateful layers, and step by step."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

import reference as ref
import tauten
from cases import reset_first
from data import text
from examples import Case
from native import Native
from numerics import TOLERANCE, assert_all_close, assert_close, assert_gradient, numerical_gradient
from reference import GRU, LSTM, Bidirectional, Dense, ForgetGateRNN, GoBackwards, SimpleRNN
from tauten import _core, layers

CELLS = (SimpleRNN, ForgetGateRNN, LSTM, GRU, reset_first)
LENGTHS = (4, 1, 5, 2, 0)  # a sample of no steps ends as it began


def stacks():
    for cell in CELLS:
        for sequences in (True, False):
            name = f"{cell.__name__}-{sequences:d}"
            make = partial(cell, return_sequences=sequences)
            yield name, [make(3), Dense(2)]
            yield f"{name}-stack", [Dense(3, "tanh"), cell(2, return_sequences=True), make(3)]
            yield f"{name}-backwards", [GoBackwards(make(3)), Dense(2)]
            yield f"{name}-both", [Bidirectional(make(3), make(2)), Dense(2)]
            yield f"{name}-mul", [Bidirectional(make(3), make(3), "mul")]
            yield f"{name}-dropping", [make(3).drop(0.3, 0.4, 5), Dense(2)]


STACKS = list(stacks())


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["equal", "unequal"])
@pytest.mark.parametrize("stack", STACKS, ids=[name for name, _ in STACKS])
def test_begin_and_end(stack, lengths, dtype: str) -> None:
    """Outputs, final states, loss and gradients that begin with states, against the reference."""
    name, made = stack
    shape = (4, 3) if lengths is None else (None, 3)
    net, batch = Case(name, shape, made, batch=5, lengths=lengths).build()
    native = Native(net, dtype)
    net.weights, batch = native.weights, batch.cast(dtype)
    wide = batch.cast("float64")
    rng = np.random.default_rng(1)
    widths = [width for _, width in native.core.states]
    assert widths == [cell.units for cell, _ in net.states]
    begin = [rng.normal(size=(5, width)).astype(dtype) for width in widths]
    (x,), y, index = native.sources(batch)
    for training in (False, True):
        net.begin_with([state.astype(float) for state in begin])
        expected = net.predict(wide.x, training)
        (outputs,), final = native.core.predict([x], index, training, begin, True)
        assert_close(outputs, expected, TOLERANCE[dtype], "outputs")
        assert_all_close(final, net.final, dtype, "final state")
        wanted = net.gradients(wide.x, wide.y, training=training)
        result, gradients, (inputs,) = native.core.gradients([x], y, index, None, training, begin)
        assert_close(result.loss, wanted.loss, TOLERANCE[dtype], "loss")
        assert_all_close([*gradients, inputs], [*wanted.gradients, wanted.inputs], dtype, "gradient")
    tested, after_test = native.core.test_step([x], y, index, None, begin, True)
    trained, after = native.core.train_step(
        [x], y, index, None, tauten._core.Update(), initial_states=begin, keep_states=True
    )
    net.begin_with([state.astype(float) for state in begin])
    assert_close(tested.loss, net.gradients(wide.x, wide.y, training=False).loss, TOLERANCE[dtype])
    assert_close(trained.loss, net.gradients(wide.x, wide.y).loss, TOLERANCE[dtype])
    assert_all_close(after_test, final_of(net, wide.x, False), dtype, "state after a test")
    assert_all_close(after, final_of(net, wide.x, True), dtype, "state after a step")


def final_of(net: ref.Network, x, training: bool):
    net.predict(x, training)
    return net.final


@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["equal", "unequal"])
@pytest.mark.parametrize("stack", STACKS, ids=[name for name, _ in STACKS])
def test_gradients_from_states(stack, lengths) -> None:
    """Every element of every weight, numerically, of sequences that begin with states; dropout's masks are frozen."""
    name, made = stack
    net, batch = Case(name, (4, 3) if lengths is None else (None, 3), made, batch=5, lengths=lengths).build()
    native = Native(net)
    rng = np.random.default_rng(2)
    begin = [rng.normal(size=(5, width)) for _, width in native.core.states]
    (x,), y, index = native.sources(batch)

    def result():
        return native.core.gradients([x], y, index, None, True, begin)

    _, gradients, _ = result()
    for number, (weight, gradient) in enumerate(zip(native.weights, gradients, strict=True)):

        def moved(number=number, weight=weight) -> float:
            native.core.set(number, weight)
            return result()[0].loss

        assert_gradient(gradient, numerical_gradient(moved, weight), f"weight {number}")
        native.core.set(number, weight)


@pytest.mark.parametrize("batch", [1, 2, 3, 9])
@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.__name__)
def test_any_team(cell, batch: int) -> None:
    """Few rows, whose units several threads share, and more: the same bits on any number of threads."""
    net = ref.Network((None, 40), [cell(70, return_sequences=True), cell(50)])
    rng = np.random.default_rng(2)
    net.weights = [rng.normal(size=w.shape) / 8 for w in net.weights]
    native = Native(net, "float32")
    x = rng.normal(size=(batch, 30, 40)).astype(np.float32)
    begin = [rng.normal(size=(batch, width)).astype(np.float32) for _, width in native.core.states]
    found, threads = [], _core.num_threads()
    try:
        for count in (1, 2, 3):
            _core.set_num_threads(count)
            (outputs,), final = native.core.predict([_core.Source(x)], np.arange(batch), False, begin, True)
            found.append([outputs, *final])
    finally:
        _core.set_num_threads(threads)
    net.begin_with([state.astype(float) for state in begin])
    assert_close(found[0][0], net.predict(x.astype(float)), TOLERANCE["float32"])
    for other in found[1:]:
        for one, another in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(one, another)


def test_wrong_states() -> None:
    native = Native(ref.Network((None, 2), [LSTM(3)]))
    x, index = _core.Source(np.zeros((2, 4, 2))), np.arange(2)
    with pytest.raises(ValueError, match="expected 2 initial states, got 1"):
        native.core.predict([x], index, False, [None])
    with pytest.raises(ValueError, match=r"lstm_0: expected an initial state of shape \(2, 3\), got \(3, 3\)"):
        native.core.predict([x], index, False, [None, np.zeros((3, 3))])
    (expected,) = native.core.predict([x], index)
    np.testing.assert_array_equal(native.core.predict([x], index, False, [None, np.zeros((2, 3))])[0], expected)


# -- models


def model(*stack: layers.Layer, shape=(None, 3)) -> tauten.Sequential:
    tauten.utils.set_random_seed(1)
    made = tauten.Sequential([tauten.Input(shape), *stack])
    made.compile(tauten.optimizers.SGD(0.05), "mean_squared_error")
    return made


def keras_v1_gru(*arguments, **options) -> layers.GRU:
    return layers.GRU(*arguments, **options, reset_after=False)


KERAS_CELLS = (layers.SimpleRNN, layers.ForgetGateRNN, layers.LSTM, layers.GRU, keras_v1_gru)


@pytest.mark.parametrize("cell", KERAS_CELLS, ids=lambda cell: cell.__name__)
def test_stateful_chunks_are_the_whole(cell) -> None:
    """A long series in chunks gives what it gives at once; reset_state() begins anew."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4, 12, 3)).astype(np.float32)
    whole = model(cell(5, return_sequences=True), cell(4, return_sequences=True), layers.Dense(2))
    parts = model(
        cell(5, return_sequences=True, stateful=True), cell(4, return_sequences=True, stateful=True), layers.Dense(2)
    )
    parts.set_weights(whole.get_weights())
    expected = whole.predict(x)
    for _ in range(2):
        found = [parts.predict(x[:, first : first + 4]) for first in (0, 4, 8)]
        np.testing.assert_array_equal(np.concatenate(found, axis=1), expected)
        states = parts.layers[0].states
        assert [state.shape for state in states] == [(4, 5)] * len(states)
        parts.reset_states()
        assert parts.layers[0].states == [None] * len(states)
    parts.predict(x[:, :4])
    kept = parts.layers[0].states, parts.layers[1].states
    parts.predict(x[:, 4:8])
    for layer, states in zip(parts.layers, kept, strict=False):
        layer.reset_state(states)
    np.testing.assert_array_equal(parts.predict(x[:, 4:8]), expected[:, 4:8])


def test_truncated_backpropagation() -> None:
    """fit over the chunks of parallel series: states run on through an epoch, gradients stop at a chunk's beginning."""
    tokens, characters = text()
    tokens = tokens[: 8 * 20 * 6 + 1]
    streams = tokens[:-1].reshape(8, 6, 20).swapaxes(0, 1).reshape(48, 20)  # batch k: chunk k of each stream
    following = tokens[1:].reshape(8, 6, 20).swapaxes(0, 1).reshape(48, 20)
    tauten.utils.set_random_seed(3)
    net = tauten.Sequential(
        [
            tauten.Input((None,)),
            layers.Embedding(len(characters), 12),
            layers.LSTM(24, return_sequences=True, stateful=True),
            layers.Dense(len(characters), activation="softmax"),
        ]
    )
    net.compile(tauten.optimizers.SGD(1.0), "sparse_categorical_crossentropy")
    twin = tauten.Sequential.from_config(net.get_config())
    assert twin.layers[1].stateful
    twin.compile(tauten.optimizers.SGD(1.0), "sparse_categorical_crossentropy")
    twin.set_weights(net.get_weights())
    losses = net.fit(streams, following, batch_size=8, epochs=1, shuffle=False, verbose=0).history["loss"]
    by_hand = [twin.train_on_batch(streams[i : i + 8], following[i : i + 8]) for i in range(0, 48, 8)]
    assert losses[0] == pytest.approx(np.mean(by_hand), rel=1e-6)
    for one, other in zip(net.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(net.layers[1].states, twin.layers[1].states)
    began = twin.evaluate(streams[:8], following[:8], verbose=0)
    twin.reset_states()
    assert twin.evaluate(streams[:8], following[:8], verbose=0) != began
    for _ in range(15):
        net.reset_states()
        later = net.fit(streams, following, batch_size=8, shuffle=False, verbose=0).history["loss"]
    assert later[0] < 0.85 * losses[0]


def test_stateful_bidirectional() -> None:
    x = np.random.default_rng(0).normal(size=(2, 5, 3))
    net = model(layers.Bidirectional(layers.LSTM(4, stateful=True)), layers.Dense(2))
    pair = net.layers[0]
    assert pair.stateful
    first = net.predict(x)
    assert [state.shape for state in pair.states] == [(2, 4)] * 4
    second = net.predict(x)
    assert np.abs(second - first).max() > 1e-3
    states = pair.states
    pair.reset_state()
    np.testing.assert_array_equal(net.predict(x), first)
    np.testing.assert_array_equal(net.predict(x), second)
    pair.reset_state(states)
    net.predict(x)
    with pytest.raises(ValueError, match="expected a list of 4 states, got 2"):
        pair.reset_state(states[:2])


def test_states_survive_a_failure() -> None:
    """A step that fails leaves states as they were, as it does weights."""
    net = model(layers.LSTM(4, stateful=True), layers.Dense(2))
    x, y = np.ones((2, 3, 3)), np.ones((2, 2))
    net.train_on_batch(x, y)
    states, weights = net.layers[0].states, net.get_weights()
    with pytest.raises(FloatingPointError):
        net.train_on_batch(x, y * 1e30)
    np.testing.assert_array_equal(net.layers[0].states, states)
    for one, other in zip(net.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_stateful_errors() -> None:
    net = model(layers.GRU(4, stateful=True, name="g"), layers.Dense(2))
    x, y = np.zeros((6, 3, 3)), np.zeros((6, 2))
    with pytest.raises(ValueError, match=r"fit: a stateful layer needs equal batches, got 6 samples in batches of 4"):
        net.fit(x, y, batch_size=4, verbose=0)
    net.predict(x)
    with pytest.raises(ValueError, match=r"'g': its states are of a batch of 6, got a batch of 2; call reset_state"):
        net.predict(x[:2])
    layer = net.layers[0]
    with pytest.raises(ValueError, match=r"'g': reset_state: expected states of shapes \(batch, 4\), got \(2, 3\)"):
        layer.reset_state([np.zeros((2, 3))])
    for value in (np.nan, np.inf, 1e300):
        with pytest.raises(ValueError, match="NaN, infinity or numbers beyond float32"):
            layer.reset_state([np.full((2, 4), value)])
    with pytest.raises(TypeError, match="dtype"):
        layer.reset_state([np.array([["a"] * 4])])
    assert layer.states[0].shape == (6, 4)
    with pytest.raises(ValueError, match="make it with stateful=True"):
        layers.LSTM(3).reset_state()


# -- step by step


@pytest.mark.parametrize("sequences", [True, False])
@pytest.mark.parametrize("cell", KERAS_CELLS, ids=lambda cell: cell.__name__)
def test_steps_are_the_sequence(cell, sequences: bool) -> None:
    x = np.random.default_rng(0).normal(size=(3, 7, 3)).astype(np.float32)
    net = model(
        cell(5, return_sequences=True), layers.Dropout(0.5), cell(4, return_sequences=sequences), layers.Dense(2)
    )
    state, count = None, net.layers[0].state_count
    for t in range(7):
        y, state = net.step(x[:, t], state)
        expected = net.predict(x[:, : t + 1])
        np.testing.assert_allclose(y, expected[:, -1] if sequences else expected, rtol=2e-5, atol=1e-6)
    assert [array.shape for array in state] == [(3, 5)] * count + [(3, 4)] * count


def test_steps_of_tokens() -> None:
    net = tauten.Sequential([tauten.Input((None,)), layers.Embedding(9, 4), layers.GRU(5), layers.Dense(9, "softmax")])
    tokens = np.array([3, 1, 4, 1, 5])
    y, state = net.step(tokens[:1])
    for token in tokens[1:]:
        y, state = net.step([token], state)
    np.testing.assert_allclose(y, net.predict(tokens[None]), rtol=1e-5)
    with pytest.raises(ValueError, match="tokens in"):
        net.step([9], state)


@pytest.mark.parametrize("sequences", [True, False])
@pytest.mark.parametrize("cell", KERAS_CELLS, ids=lambda cell: cell.__name__)
def test_steps_of_masked_sequences(cell, sequences: bool) -> None:
    """Samples masked at a step keep their states; their outputs of that step are zeros."""
    x = np.random.default_rng(0).normal(size=(3, 5, 3)).astype(np.float32)
    x[1, 2], x[2, 0] = 0, 0
    net = model(layers.Masking(), cell(5, return_sequences=sequences), layers.Dense(2))
    expected = net.predict(x)
    state = None
    for t in range(5):
        y, state = net.step(x[:, t], state)
        assert y.shape == (3, 2)
        if sequences:
            valid = x[:, t].any(axis=-1)
            np.testing.assert_allclose(y[valid], expected[valid, t], rtol=2e-5, atol=1e-6)
            assert not y[~valid].any()
    if not sequences:
        np.testing.assert_allclose(y, expected, rtol=2e-5, atol=1e-6)


def test_validation_in_other_batches() -> None:
    """States are of one batch size: fit says so before it trains, not at the end of the first epoch."""
    net = model(layers.GRU(4, stateful=True), layers.Dense(2))
    x, y = np.ones((8, 3, 3)), np.ones((8, 2))
    weights = net.get_weights()
    with pytest.raises(ValueError, match="batches of 4 to train on and of 2 to validate on"):
        net.fit(x, y, batch_size=4, validation_data=(x[:2], y[:2]), verbose=0)
    with pytest.raises(ValueError, match="batches of 4 to train on and of 2 to validate on"):
        net.fit(x, y, batch_size=4, validation_data=(x, y), validation_batch_size=2, verbose=0)
    for one, other in zip(net.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(one, other)
    net.fit(x, y, batch_size=4, validation_data=(x[:4], y[:4]), verbose=0)


def test_stateful_set_later() -> None:
    """The attribute counts at the call, not when the model was first used."""
    net = model(layers.LSTM(4), layers.Dense(2))
    x = np.ones((2, 3, 3))
    first = net.predict(x)
    net.layers[0].stateful = True
    np.testing.assert_array_equal(net.predict(x), first)
    assert np.abs(net.predict(x) - first).max() > 1e-3
    net.layers[0].stateful = False
    np.testing.assert_array_equal(net.predict(x), first)


def test_step_errors() -> None:
    net = model(layers.LSTM(4), layers.Dense(2))
    with pytest.raises(ValueError, match=r"shapes \(2, 4\), \(2, 4\), as step\(\) returns it, got \(1, 4\), \(1, 4\)"):
        net.step(np.zeros((2, 3)), net.step(np.zeros((1, 3)))[1])
    with pytest.raises(ValueError, match="as step"):
        net.step(np.zeros((2, 3)), "state")
    for wrong in (np.full((2, 4), "a"), np.full((2, 4), None), np.zeros((2, 4), complex), [[1], [2, 3]]):
        with pytest.raises(TypeError, match="step: state: expected"):
            net.step(np.zeros((2, 3)), [wrong, wrong])
    with pytest.raises(ValueError, match=r"step: x: expected samples of shape \(None, 3\)"):
        net.step(np.zeros((2, 2)))
    with pytest.raises(ValueError, match=r"begin it with Input\(\(None, 3\)\)"):
        model(layers.LSTM(4), shape=(5, 3)).step(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="reads from the end"):
        model(layers.Bidirectional(layers.LSTM(4))).step(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="reads from the end"):
        model(layers.LSTM(4, go_backwards=True)).step(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="no recurrent layer"):
        model(layers.Dense(4), shape=(3,)).step(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="not built"):
        tauten.Sequential([layers.LSTM(4)]).step(np.zeros((2, 3)))


@pytest.mark.parametrize("sequences", [True, False])
def test_steps_of_a_model_that_masks(sequences: bool) -> None:
    """A masked step leaves states as they are; outputs come one row a sample all the same."""
    net = tauten.Sequential(
        [
            tauten.Input((None,)),
            layers.Embedding(9, 4, mask_zero=True),
            layers.LSTM(5, return_sequences=sequences),
            layers.Dense(3),
        ]
    )
    tokens = np.array([[3, 1, 4], [2, 0, 6], [0, 0, 7]])
    states = [None]
    for t in range(3):
        y, state = net.step(tokens[:, t], states[-1])
        assert y.shape == (3, 3)
        masked = tokens[:, t] == 0
        for now, before in zip(state, states[-1] or [np.zeros_like(s) for s in state], strict=True):
            np.testing.assert_array_equal(now[masked], before[masked])
        if sequences:
            np.testing.assert_array_equal(y[masked], 0)
        states.append(state)
    last = net.predict(tokens)
    np.testing.assert_allclose(y, last[:, -1] if sequences else last, rtol=1e-5, atol=1e-6)


def test_masks_go_on_after_loading(tmp_path) -> None:
    """Seeds that were drawn are saved: a loaded model draws the masks that the model would have drawn."""
    x, y = np.random.default_rng(0).normal(size=(4, 5, 3)), np.zeros((4, 2))
    stacks = {
        "lstm": [layers.LSTM(4, dropout=0.3, recurrent_dropout=0.2)],
        "pair": [layers.Bidirectional(layers.GRU(4, recurrent_dropout=0.4))],
        "two": [
            layers.Bidirectional(
                layers.GRU(4, dropout=0.4), backward_layer=layers.LSTM(3, dropout=0.2, go_backwards=True)
            )
        ],
        "each step": [layers.TimeDistributed(layers.Dropout(0.5)), layers.SimpleRNN(3)],
    }
    for name, stack in stacks.items():
        net = model(*stack, layers.Dense(2))
        net.train_on_batch(x, y)
        path = tmp_path / f"{name}.safetensors"
        net.save(path)
        again = tauten.models.load_model(path)
        assert [again.train_on_batch(x, y) for _ in range(2)] == [net.train_on_batch(x, y) for _ in range(2)], name


def test_validation_batches_of_another_size_are_refused_first() -> None:
    net = model(layers.LSTM(4, stateful=True), layers.Dense(2))
    x, y = np.zeros((16, 3, 3)), np.zeros((16, 2))
    before = net.get_weights()
    with pytest.raises(
        ValueError, match=r"fit: a stateful layer needs equal batches, got batches of 8 to train on and of 4"
    ):
        net.fit(x, y, batch_size=8, validation_data=(x[:4], y[:4]), verbose=0)
    for one, other in zip(net.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)


def test_implementation_is_taken_as_keras_takes_it() -> None:
    for value in (1, 2):
        assert layers.LSTM(3, implementation=value).units == 3
    with pytest.raises(ValueError, match="implementation"):
        layers.GRU(3, implementation=7)
