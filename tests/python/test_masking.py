"""Masking and mask_zero: Keras' semantics, though the native network sees valid steps only."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest

import reference as ref
import tauten
from data import digits, text
from numerics import assert_close, assert_gradient, numerical_gradient
from reference.masked import run_masked
from tauten import _core, layers

STEPS, VALUE = 5, -1.5


@pytest.fixture(autouse=True)
def float64():
    dtype, threads = tauten.config.floatx(), _core.num_threads()
    tauten.config.set_floatx("float64")
    yield
    tauten.config.set_floatx(dtype)
    _core.set_num_threads(threads)


def rows(*texts: str) -> np.ndarray:
    return np.array([[c == "x" for c in line] for line in texts])


MASKS = {
    "none": rows("xxxxx", "xxxxx", "xxxxx"),
    "post": rows("xxx--", "xxxxx", "x----"),
    "pre": rows("--xxx", "xxxxx", "----x"),
    "both": rows("-xx--", "---x-", "--xxx"),
    "holes": rows("x-x-x", "-x-xx", "xx--x"),
    "empty": rows("x-xx-", "-----", "---xx", "-----"),
}


def directions(cell: type, sequences: bool) -> list:
    return [cell(2, return_sequences=sequences) for _ in range(2)]


STACKS = {
    "dense": ([layers.Dense(2)], [ref.Dense(2)]),
    "rnn": ([layers.SimpleRNN(3)], [ref.SimpleRNN(3)]),
    "rnn-sequences": (
        [layers.SimpleRNN(3, return_sequences=True), layers.TimeDistributed(layers.Dense(2))],
        [ref.SimpleRNN(3, return_sequences=True), ref.Dense(2)],
    ),
    "forget-gate": (
        [layers.Dense(3, "tanh"), layers.ForgetGateRNN(3), layers.Dense(2)],
        [ref.Dense(3, "tanh"), ref.ForgetGateRNN(3), ref.Dense(2)],
    ),
    "lstm-lstm": (
        [layers.LSTM(3, return_sequences=True), layers.Activation("sigmoid"), layers.LSTM(2)],
        [ref.LSTM(3, return_sequences=True), ref.Activation("sigmoid"), ref.LSTM(2)],
    ),
    "lstm-lstm-sequences": (
        [layers.LSTM(3, return_sequences=True), layers.LSTM(2, return_sequences=True), layers.Dense(2, "tanh")],
        [ref.LSTM(3, return_sequences=True), ref.LSTM(2, return_sequences=True), ref.Dense(2, "tanh")],
    ),
    "gru": (
        [layers.GRU(3, return_sequences=True), layers.GRU(2, return_sequences=True)],
        [ref.GRU(3, return_sequences=True), ref.GRU(2, return_sequences=True)],
    ),
    "activations": (
        [
            layers.Dense(3, "gelu"),
            layers.PReLU(shared_axes=[1]),
            layers.LSTM(2, return_sequences=True),
            layers.ELU(0.5),
        ],
        [ref.Dense(3, "gelu"), ref.PReLU((1,)), ref.LSTM(2, return_sequences=True), ref.ELU(0.5)],
    ),
    "average": (
        [layers.Dense(3, "tanh"), layers.GlobalAveragePooling1D(), layers.Dense(2)],
        [ref.Dense(3, "tanh"), ref.GlobalPool("average"), ref.Dense(2)],
    ),
    "rnn-average": (
        [layers.SimpleRNN(3, return_sequences=True), layers.GlobalAveragePooling1D(), layers.Dense(2)],
        [ref.SimpleRNN(3, return_sequences=True), ref.GlobalPool("average"), ref.Dense(2)],
    ),
    "backwards": ([layers.LSTM(3, go_backwards=True)], [ref.GoBackwards(ref.LSTM(3))]),
    "bidirectional": (
        [layers.Bidirectional(layers.LSTM(2), merge_mode="sum"), layers.Dense(2)],
        [ref.Bidirectional(*directions(ref.LSTM, False), "sum"), ref.Dense(2)],
    ),
    "bidirectional-sequences": (
        [layers.Bidirectional(layers.SimpleRNN(2, return_sequences=True)), layers.LSTM(2, return_sequences=True)],
        [ref.Bidirectional(*directions(ref.SimpleRNN, True)), ref.LSTM(2, return_sequences=True)],
    ),
}


def fresh(stack) -> list[layers.Layer]:
    return [layers.deserialize(layers.serialize(layer)) for layer in stack]


def literal(stack, shape, weights) -> ref.Network:
    net = ref.Network(shape, deepcopy(stack))
    net.weights = weights
    return net


def carried_on(y: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Outputs as predict() gives them: a masked step has what the valid one before it has, or zeros."""
    full = np.zeros_like(y)
    for sample, t in np.ndindex(mask.shape):
        full[sample, t] = y[sample, t] if mask[sample, t] else full[sample, t - 1] if t else 0.0
    return full


@pytest.mark.parametrize("steps", [STEPS, None])
@pytest.mark.parametrize("masked", MASKS)
@pytest.mark.parametrize("name", STACKS)
def test_masked_steps_carry_the_state(name: str, masked: str, steps: int | None) -> None:
    """Outputs, loss and every gradient are those of a network that runs all steps and carries the state."""
    stack, twin = STACKS[name]
    mask, rng = MASKS[masked], np.random.default_rng(3)
    tauten.utils.set_random_seed(8)
    model = tauten.Sequential([tauten.Input((steps, 2)), layers.Masking(VALUE), *fresh(stack)])
    model.set_weights([rng.normal(size=w.shape) * 0.6 for w in model.get_weights()])
    model.compile(tauten.optimizers.SGD(1.0), "mse", metrics=["mae"])
    x = np.where(mask[..., None], rng.normal(size=(*mask.shape, 2)), VALUE)
    net = literal(twin, (STEPS, 2), model.get_weights())
    per_step = len(model.output_shape) == 3
    assert model.output_shape[1] == (steps if per_step else 2 if name != "rnn" and name != "backwards" else 3)
    y = rng.normal(size=run_masked(net.layers, x, mask).shape)

    def errors() -> np.ndarray:
        error = run_masked(net.layers, x, mask) - y
        return error[mask] if per_step else error

    out = run_masked(net.layers, x, mask)
    assert_close(model.predict(x, verbose=0), carried_on(out, mask) if per_step else out, 1e-12)
    loss, metric = model.test_on_batch(x, y)
    assert loss == pytest.approx((errors() ** 2).mean(), rel=1e-12)
    assert metric == pytest.approx(np.abs(errors()).mean(), rel=1e-12)
    before = model.get_weights()
    assert model.train_on_batch(x, y)[0] == loss
    moved = [a - b for a, b in zip(before, model.get_weights(), strict=True)]
    for layer in net.layers:
        for w in layer.weights:
            expected = numerical_gradient(lambda: float((errors() ** 2).mean()), w)
            assert_gradient(moved.pop(0), expected, f"{type(layer).__name__} {w.shape}")


def words(samples: int = 60, steps: int = 12) -> tuple[np.ndarray, list[np.ndarray], np.ndarray]:
    """Lines of text of 1 to `steps` characters as tokens from 1 on, padded with 0; the lines; a class for each."""
    tokens, vocabulary = text()
    split = "".join(vocabulary[t] for t in tokens).split()
    lines = [np.array([1 + vocabulary.index(c) for c in word]) for word in split if len(word) <= steps][:samples]
    padded = np.stack([np.pad(line, (0, steps - len(line))) for line in lines])
    return padded, lines, np.array([len(line) % 3 for line in lines])


def text_model(sequences: bool, mask_zero: bool, steps: int | None) -> tauten.Sequential:
    tauten.utils.set_random_seed(4)
    model = tauten.Sequential([
        tauten.Input((steps,)), layers.Embedding(200, 4, mask_zero=mask_zero),
        layers.Bidirectional(layers.LSTM(5, return_sequences=True)), layers.Dropout(0.3, seed=1),
        layers.LSTM(6, return_sequences=sequences), layers.Dense(3, activation="softmax"),
    ])  # fmt: skip
    sgd = tauten.optimizers.SGD(0.5, momentum=0.9)
    model.compile(sgd, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


@pytest.mark.parametrize("sequences", [False, True])
def test_text_with_padding_is_text_of_unequal_lengths(sequences: bool) -> None:
    """fit, evaluate and predict, bit by bit: padded before or behind, as lists with padding, and without any."""
    padded, lines, classes = words()
    steps = padded.shape[1]
    ahead = np.stack([np.roll(row, steps - len(line)) for row, line in zip(padded, lines, strict=True)])
    targets = [np.minimum(line % 3, 2) for line in lines]
    results = []
    for x, fixed in ((lines, None), (padded, steps), (padded, None), (ahead, steps), (list(ahead), None)):
        model = text_model(sequences, x is not lines, fixed)
        y, weight = classes, np.linspace(0, 2, len(lines))
        if sequences and x is lines:
            y, weight = targets, [np.linspace(0, 2, len(line)) for line in lines]
        elif sequences:
            y, weight = np.full(padded.shape, -7), np.full(padded.shape, np.nan)  # nobody looks at masked steps
            for i, target in enumerate(targets):
                y[i, np.asarray(x)[i] != 0] = target
                weight[i, np.asarray(x)[i] != 0] = np.linspace(0, 2, len(target))
        y, weight = (list(y), list(weight)) if isinstance(x, list) and sequences else (y, weight)
        history = model.fit(x, y, 16, 3, verbose=0, validation_split=0.2, sample_weight=weight).history
        scores = model.evaluate(x, y, 7, verbose=0, sample_weight=weight)
        out = model.predict(x, 9, verbose=0)
        if sequences and x is not lines:
            assert isinstance(out, list) == isinstance(x, list)
            out = [o[row != 0] for o, row in zip(out, x, strict=True)]
        bits = b"".join(np.ascontiguousarray(a).tobytes() for a in [*model.get_weights(), *out])
        results.append((history, scores, bits))
    for result in results[1:]:
        assert result == results[0]


def test_digits_in_columns() -> None:
    """The margins of handwritten digits are empty columns, which say nothing: Masking takes them away."""
    images, labels = (part[:200] for part in digits())
    columns = images.swapaxes(1, 2)
    valid = columns.any(axis=2)
    assert 0.02 < 1 - valid.mean() < 0.5
    results = []
    for x, mask in ((columns, [layers.Masking()]), ([c[v] for c, v in zip(columns, valid, strict=True)], [])):
        tauten.utils.set_random_seed(1)
        model = tauten.Sequential([
            tauten.Input((8 if mask else None, 8)), *mask, layers.LSTM(16), layers.Dense(10, activation="softmax")
        ])  # fmt: skip
        model.compile(tauten.optimizers.SGD(0.5), "sparse_categorical_crossentropy", metrics=["accuracy"])
        history = model.fit(x, labels, epochs=8, verbose=0).history
        results.append((history, model.predict(x, verbose=0).tobytes()))
    assert results[0] == results[1]
    assert results[0][0]["loss"][-1] < results[0][0]["loss"][0]


def test_padding_gets_no_gradient() -> None:
    padded, _, classes = words()
    model = text_model(False, True, padded.shape[1])
    before = model.layers[0].get_weights()[0]
    model.fit(padded, classes, epochs=2, verbose=0)
    after = model.layers[0].get_weights()[0]
    np.testing.assert_array_equal(after[0], before[0])
    assert not np.array_equal(after[padded[0, 0]], before[padded[0, 0]])


def test_threads() -> None:
    """Bit-identical on 1 to 4 threads, samples without a valid step and predictions of one sample included."""
    padded, _, classes = words(30)
    padded[[3, 11, 29]] = 0
    results = set()
    for threads in (1, 2, 3, 4):
        _core.set_num_threads(threads)
        for sequences in (False, True):
            model = text_model(sequences, True, None)
            y = padded % 3 if sequences else classes
            losses = [model.train_on_batch(padded, y)[0] for _ in range(3)]
            outs = [model.predict_on_batch(padded), *(model.predict_on_batch(padded[[i]]) for i in (2, 3))]
            results.add((sequences, b"".join(a.tobytes() for a in [*model.get_weights(), *outs, np.array(losses)])))
    assert len(results) == 2


@pytest.mark.parametrize("cell", [layers.SimpleRNN, layers.ForgetGateRNN, layers.LSTM, layers.GRU])
@pytest.mark.parametrize("threads", [1, 3])
def test_nothing_but_masked_steps(cell: type, threads: int) -> None:
    """The zero state, whatever other batches left in memory; no loss, and no step, for outputs of every step."""
    _core.set_num_threads(threads)
    rng = np.random.default_rng(0)
    x, nothing = rng.normal(size=(9, 6, 3)), np.zeros((4, 6, 3))
    for wrap in (lambda layer: layer, layers.Bidirectional, lambda layer: layers.Bidirectional(layer, "ave")):
        model = tauten.Sequential([layers.Masking(), wrap(cell(40))])
        assert model.predict(x, verbose=0).all()
        for batch in (nothing, nothing[:1]):
            np.testing.assert_array_equal(
                model.predict(batch, verbose=0), np.zeros((len(batch), model.output_shape[1]))
            )
        mixed = np.concatenate([x, nothing])
        np.testing.assert_array_equal(model.predict_on_batch(mixed)[9:], 0)
    model = tauten.Sequential([layers.Masking(), cell(4, return_sequences=True), layers.Dense(2)])
    model.compile("sgd", "mse", metrics=["mae"])
    assert model.train_on_batch(nothing, np.ones((4, 6, 2))) == [0.0, 0.0]
    before = model.get_weights()
    model.train_on_batch(nothing, np.ones((4, 6, 2)))
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(model.predict(nothing, verbose=0), np.zeros((4, 6, 2)))


def test_shapes_are_as_declared() -> None:
    model = tauten.Sequential([
        tauten.Input((7, 3)), layers.Masking(), layers.LSTM(4, return_sequences=True), layers.Dense(2)
    ])  # fmt: skip
    assert model.input_shape == (None, 7, 3)
    assert model.output_shape == (None, 7, 2)
    assert [layer.output_shape for layer in model.layers] == [(None, 7, 3), (None, 7, 4), (None, 7, 2)]
    lines: list[str] = []
    model.summary(print_fn=lines.append)
    assert any("(Masking)" in line and "(None, 7, 3)" in line for line in lines)
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"x: expected samples of shape \(7, 3\)"):
        model.predict(np.ones((2, 6, 3)))
    with pytest.raises(ValueError, match=r"y: expected targets of shape \(7, 2\) a sample"):
        model.train_on_batch(np.ones((2, 7, 3)), np.ones((2, 6, 2)))
    assert model.predict([np.ones((7, 3))] * 2, verbose=0).shape == (2, 7, 2)


def test_layers_without_masks_read_all_steps() -> None:
    """Keras drops the mask there: masked steps are zeros for them, or the row of token 0."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(4, STEPS, 2))
    mask = MASKS["empty"]
    for value in (0.0, VALUE):
        for tail in ([layers.Conv1D(3, 2), layers.LSTM(2)], [layers.Dense(3, "tanh"), layers.Flatten()]):
            model = tauten.Sequential([tauten.Input((STEPS, 2)), layers.Masking(value), *fresh(tail)])
            plain = tauten.Sequential([tauten.Input((STEPS, 2)), *fresh(tail)])
            plain.set_weights(model.get_weights())
            out = model.predict(np.where(mask[..., None], x, value), verbose=0)
            np.testing.assert_array_equal(out, plain.predict(np.where(mask[..., None], x, 0.0), verbose=0))
    tokens = np.array([[1, 0, 2], [0, 0, 0]])
    model, plain = (
        tauten.Sequential([tauten.Input((3,)), layers.Embedding(4, 2, mask_zero=zero), layers.Flatten()])
        for zero in (True, False)
    )
    plain.set_weights(model.get_weights())
    np.testing.assert_array_equal(model.predict(tokens, verbose=0), plain.predict(tokens, verbose=0))


def test_growing() -> None:
    """What a later layer means for the mask is found out as layers come and go."""
    x = np.where(MASKS["holes"][..., None], np.random.default_rng(2).normal(size=(3, STEPS, 2)), 0.0)
    model = tauten.Sequential([tauten.Input((STEPS, 2)), layers.Masking(), layers.Dense(2, name="below")])
    masked = model.predict(x, verbose=0)
    np.testing.assert_array_equal(masked[0, 1], masked[0, 0])
    model.add(layers.Flatten())
    assert model.output_shape == (None, 2 * STEPS)
    flat = model.predict(x, verbose=0).reshape(masked.shape)
    assert not np.array_equal(flat[0, 1], flat[0, 0])
    np.testing.assert_array_equal(flat[MASKS["holes"]], masked[MASKS["holes"]])
    model.pop()
    np.testing.assert_array_equal(model.predict(x, verbose=0), masked)
    model.add(layers.LSTM(3, return_sequences=True, name="reader"))
    with pytest.raises(ValueError, match=r"'fold' \(Flatten\) does not support masks.*'reader'"):
        model.add(layers.Flatten(name="fold"))
    assert [layer.name for layer in model.layers][1:] == ["below", "reader"]
    assert model.predict(x, verbose=0).shape == (3, STEPS, 3)
    with pytest.raises(ValueError, match="a Masking must be the first layer"):
        model.add(layers.Masking())
    with pytest.raises(ValueError, match="a Masking must be the first layer"):
        tauten.Sequential([layers.Dense(3), layers.Masking()])
    with pytest.raises(ValueError, match=r"^mask: expected a sequence \(steps, features\) to mask, got shape \(3,\)"):
        tauten.Sequential([tauten.Input((3,)), layers.Masking(name="mask")])
    with pytest.raises(ValueError, match=r"'fold'.*return_sequences=False"):
        tauten.Sequential([layers.Masking(), layers.LSTM(2, return_sequences=True), layers.Flatten(name="fold")])
    assert tauten.Sequential([tauten.Input((4, 2)), layers.Masking(), layers.LSTM(2), layers.Flatten()]).built


def test_save_and_load(tmp_path) -> None:
    padded, _, classes = words()
    model = text_model(False, True, padded.shape[1])
    model.train_on_batch(padded, classes)
    model.save(tmp_path / "text.safetensors")
    loaded = tauten.models.load_model(tmp_path / "text.safetensors")
    assert loaded.layers[0].mask_zero
    assert loaded.input_shape == model.input_shape
    np.testing.assert_array_equal(loaded.predict(padded, verbose=0), model.predict(padded, verbose=0))
    assert loaded.train_on_batch(padded, classes) == model.train_on_batch(padded, classes)
    assert layers.Masking.from_config(layers.Masking(3).get_config()).mask_value == 3.0


def test_what_stands_at_valid_steps_is_checked() -> None:
    padded, _, _ = words()
    model = text_model(True, True, None)
    y, weight = padded % 3, np.ones(padded.shape)
    wrong_y, wrong_weight = y.copy(), weight.copy()
    wrong_y[0, 0], wrong_weight[2, 0] = 3, np.inf
    with pytest.raises(
        ValueError, match=r"y \(layer 'dense.*' has 3 classes\): expected class numbers in \[0, 3\), got 3"
    ):
        model.train_on_batch(padded, wrong_y)
    with pytest.raises(ValueError, match=r"sample_weight: 1 of [0-9]+ valid steps hold NaN or infinity"):
        model.train_on_batch(padded, y, wrong_weight)
    with pytest.raises(ValueError, match=r"x .*: expected tokens in"):
        model.predict(np.full((1, 3), -1))
    with pytest.raises(ValueError, match="expected a finite number"):
        layers.Masking(np.nan)


def test_global_pooling_of_masked_sequences() -> None:
    """The mean is that of the valid steps; the maximum, which has no masks in Keras, sees the masked ones as zeros."""
    x = np.array([[[1.0], [VALUE], [4.0]], [[-3.0], [VALUE], [VALUE]]])
    average = tauten.Sequential([tauten.Input((3, 1)), layers.Masking(VALUE), layers.GlobalAveragePooling1D()])
    np.testing.assert_array_equal(average.predict(x, verbose=0), [[2.5], [-3.0]])
    largest = tauten.Sequential([tauten.Input((3, 1)), layers.Masking(VALUE), layers.GlobalMaxPooling1D()])
    np.testing.assert_array_equal(largest.predict(x, verbose=0), [[4.0], [0.0]])
    cell = layers.LSTM(2, return_sequences=True)
    for pool in (layers.GlobalMaxPooling1D(name="top"), layers.GlobalAveragePooling1D("channels_first", name="top")):
        with pytest.raises(ValueError, match=r"layer 'top' .* does not support masks"):
            tauten.Sequential([layers.Masking(), cell, pool])
