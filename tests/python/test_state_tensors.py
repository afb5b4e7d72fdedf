"""States between layers: return_state, initial_state, Bidirectional's two outputs; masks that reach several layers."""

from __future__ import annotations

import numpy as np
import pytest

import tauten
from numerics import assert_gradient, numerical_gradient
from refusals import check, refused
from tauten import _core, layers

CELLS = {
    "rnn": lambda **a: layers.SimpleRNN(3, **a),
    "forget": lambda **a: layers.ForgetGateRNN(3, **a),
    "lstm": lambda **a: layers.LSTM(3, **a),
    "gru": lambda **a: layers.GRU(3, **a),
    "gru_first": lambda **a: layers.GRU(3, reset_after=False, **a),
}
GENERATOR = np.random.default_rng(4)
X = GENERATOR.normal(size=(4, 7, 3))
WORDS = GENERATOR.integers(1, 6, (4, 7))
WORDS[0, 3:] = WORDS[1, 2] = WORDS[3] = 0


@pytest.fixture(autouse=True)
def double():
    before = tauten.config.floatx()
    tauten.config.set_floatx("float64")
    yield
    tauten.config.set_floatx(before)


def predict(inputs, outputs, *x):
    found = tauten.Model(inputs, outputs).predict(list(x) if len(x) > 1 else x[0], verbose=0)
    return found if isinstance(found, list) else [found]


def first_and_rest(layer, x, begin=None):
    """All outputs of a layer on some steps, from states on."""
    inputs = tauten.Input(x.shape[1:])
    states = [] if begin is None else [tauten.Input(state.shape[1:]) for state in begin]
    outputs = layer(inputs, initial_state=states or None)
    return predict([inputs, *states] if states else inputs, list(outputs), x, *(begin or []))


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("sequences", [True, False])
def test_a_sequence_in_two_pieces(kind, sequences):
    """The states behind the first piece begin the second one: together they are the whole."""
    layer = CELLS[kind](return_sequences=sequences, return_state=True)
    whole, *ends = first_and_rest(layer, X)
    assert len(ends) == len(layer.state_size) == layer.output_count - 1
    front, *states = first_and_rest(layer, X[:, :4])
    rest, *later = first_and_rest(layer, X[:, 4:], states)
    np.testing.assert_allclose(np.concatenate([front, rest], axis=1) if sequences else rest, whole, rtol=1e-13)
    for one, other in zip(later, ends, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-13, atol=1e-15)
    np.testing.assert_array_equal(ends[0], whole[:, -1] if sequences else whole)


@pytest.mark.parametrize("kind", CELLS)
def test_both_directions(kind):
    """Outputs apart are the layers alone; states are the forward layer's, then the backward one's."""
    pair = layers.Bidirectional(CELLS[kind](return_sequences=True, return_state=True), merge_mode=None)
    inputs = tauten.Input((7, 3))
    count = len(pair.forward_layer.state_size)
    begin = [tauten.Input((3,)) for _ in range(2 * count)]
    written = pair(inputs, initial_state=begin)
    assert [tensor.shape for tensor in written] == [(None, 7, 3)] * 2 + [(None, 3)] * 2 * count
    values = [GENERATOR.normal(size=(4, 3)) for _ in begin]
    one, other, *ends = predict([inputs, *begin], list(written), X, *values)
    weights = pair.get_weights()
    half = len(weights) // 2
    for x, h, states, own, first in [
        (X, one, ends[:count], weights[:half], values[:count]),
        (X[:, ::-1].copy(), other[:, ::-1], ends[count:], weights[half:], values[count:]),
    ]:
        alone = CELLS[kind](return_sequences=True, return_state=True)
        first_and_rest(alone, x)
        alone.set_weights(own)
        for found, expected in zip([h, *states], first_and_rest(alone, x, first), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("read", [[0], [1], [2], [1, 3], [0, 1, 2, 3]])
@pytest.mark.parametrize("backwards", [True, False])
def test_whatever_is_read(read, backwards):
    """Outputs that nobody reads change nothing of the others, in training either."""
    x = tauten.Input((None, 3))
    layer = layers.Bidirectional(
        layers.GRU(3, return_sequences=True, return_state=True, go_backwards=backwards, name="g"), None, name="pair"
    )
    written = layer(x)
    whole = tauten.Model(x, list(written))
    part = tauten.Model(x, [written[i] for i in read])
    expected = whole.predict(X, verbose=0)
    found = part.predict(X, verbose=0)
    targets = [GENERATOR.normal(size=values.shape) for values in expected]
    for i, values in zip(read, found if len(read) > 1 else [found], strict=True):
        np.testing.assert_array_equal(values, expected[i])
    weights = layer.get_weights()
    trained = []
    for model, losses, y in [
        (part, ["mse"] * len(read), [targets[i] for i in read]),
        (whole, ["mse" if i in read else None for i in range(4)], targets),
    ]:
        layer.set_weights(weights)
        model.compile("sgd", losses)
        model.train_on_batch(X, y if len(y) > 1 else y[0])
        trained.append(np.concatenate([weight.ravel() for weight in layer.get_weights()]))
    np.testing.assert_allclose(*trained, rtol=1e-13, atol=1e-15)
    assert np.abs(trained[0] - np.concatenate([weight.ravel() for weight in weights])).max() > 1e-5


def test_keras_values():
    """What Keras 3.15 gives for such weights: LSTM states of masked steps, and a pair's order."""
    x = tauten.Input((3, 1))
    y, h, c = layers.LSTM(1, return_sequences=True, return_state=True, name="cell")(layers.Masking()(x))
    model = tauten.Model(x, [y, h, c])
    model.get_layer("cell").set_weights(
        [np.array([[0.5, -0.3, 0.8, 0.2]]), np.array([[0.1, 0.4, -0.6, 0.7]]), np.array([0.0, 1.0, 0.1, -0.2])]
    )
    _, h, c = model.predict(np.array([[[1.0], [2.0], [0.0]]]), verbose=0)
    gates = [0.0, 0.0]
    for value in (1.0, 2.0):
        i, f, o = (1 / (1 + np.exp(-(w * value + u * gates[0] + b))) for w, u, b in
                   [(0.5, 0.1, 0.0), (-0.3, 0.4, 1.0), (0.2, 0.7, -0.2)])  # fmt: skip
        memory = f * gates[1] + i * np.tanh(0.8 * value - 0.6 * gates[0] + 0.1)
        gates = [o * np.tanh(memory), memory]
    np.testing.assert_allclose([h[0, 0], c[0, 0]], gates, rtol=1e-12)


def translator(kind="lstm", masked=True, **options):
    asked, said = tauten.Input((None,), dtype="int32", name="asked"), tauten.Input((3, 2), name="said")
    words = layers.Embedding(6, 4, mask_zero=masked, name="words")(asked)
    _, *states = CELLS[kind](return_state=True, return_sequences=True, name="encoder")(words)
    states = [layers.Dense(3, activation="tanh", name=f"bridge_{i}")(state) for i, state in enumerate(states)]
    decoder = CELLS[kind](return_sequences=True, name="decoder", **options)
    outputs = layers.Dense(5, activation="softmax", name="next")(decoder(said, initial_state=states))
    return tauten.Model([asked, said], outputs, name="translator")


SAID, NEXT = GENERATOR.normal(size=(4, 3, 2)), GENERATOR.integers(0, 5, (4, 3))


@pytest.mark.parametrize("kind", CELLS)
def test_gradients_of_samples_without_steps(kind):
    """Unequal lengths, one of them 0, whose row begins and ends with the same states."""
    network = _core.Network("float64")
    cell = _core.Cell(CELLS[kind]().kind, 3, "tanh", "sigmoid", True)
    x = network.add_input("x", (None, 2))
    begin = [network.add_input(f"s{i}", (3,)) for i in range(1 + (kind == "lstm"))]
    turned = [network.add_dense(f"d{i}", edge, 3, "sigmoid", True) for i, edge in enumerate(begin)]
    written = network.add_recurrent_states("cell", x, turned, cell, False, kind == "gru", True)
    network.finalize([network.add_dense("out", network.add_concatenate("all", written, 1), 2, "linear", True)])
    network.compile([("mean_squared_error", False, 1.0, [])])
    for i, parameter in enumerate(network.parameters):
        network.set(i, GENERATOR.normal(size=parameter.shape) * 0.5)
    counts = np.array([2, 0, 3])
    rows, states = X[0, :5, :2].copy(), [GENERATOR.normal(size=(3, 3)) for _ in begin]
    sources = [_core.Source(rows, np.cumsum(counts) - counts, counts), *map(_core.Source, states)]
    y = _core.Source(GENERATOR.normal(size=(3, 2)))

    def loss():
        return network.gradients(sources, [y], np.arange(3), None)[0].loss

    _, gradients, inputs = network.gradients(sources, [y], np.arange(3), None)
    for found, value in zip(inputs, [rows, *states], strict=True):
        assert_gradient(found.reshape(value.shape), numerical_gradient(loss, value), "input")
    assert np.abs(inputs[1][1]).max() > 1e-4
    for i, gradient in enumerate(gradients):
        value = network.get(i)

        def moved(i=i, value=value):
            network.set(i, value)
            return loss()

        assert_gradient(gradient, numerical_gradient(moved, value), network.parameters[i].name)
        network.set(i, value)


def test_gradients_are_pytorchs():
    torch = pytest.importorskip("torch")
    model = translator(masked=False)
    rate = 0.5
    model.compile(tauten.optimizers.SGD(rate), "sparse_categorical_crossentropy")
    before = {w.path: w.numpy() for w in model.weights}
    model.train_on_batch([WORDS, SAID], NEXT)
    weights = {path: torch.tensor(value, requires_grad=True) for path, value in before.items()}

    def lstm(name, x, h, c):
        kernel, recurrent, bias = (weights[f"{name}/{w}"] for w in ("kernel", "recurrent_kernel", "bias"))
        found = []
        for t in range(x.shape[1]):
            i, f, g, o = torch.chunk(x[:, t] @ kernel + h @ recurrent + bias, 4, dim=1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            found.append(h)
        return torch.stack(found, 1), h, c

    zeros = torch.zeros(4, 3, dtype=torch.float64)
    _, *states = lstm("encoder", weights["words/embeddings"][torch.tensor(WORDS)], zeros, zeros)
    states = [torch.tanh(s @ weights[f"bridge_{i}/kernel"] + weights[f"bridge_{i}/bias"]) for i, s in enumerate(states)]
    y, _, _ = lstm("decoder", torch.tensor(SAID), *states)
    logits = y @ weights["next/kernel"] + weights["next/bias"]
    torch.nn.functional.cross_entropy(logits.reshape(-1, 5), torch.tensor(NEXT).reshape(-1)).backward()
    for weight in model.weights:
        expected = before[weight.path] - rate * weights[weight.path].grad.numpy()
        np.testing.assert_allclose(weight.numpy(), expected, rtol=1e-11, atol=1e-13, err_msg=weight.path)


def test_masked_steps_are_left_out():
    """An encoder's states behind padding, and whatever stands in it, are those without."""
    model = translator()
    found = model.predict([WORDS, SAID], verbose=0)
    for i, word in enumerate(WORDS[:3]):
        np.testing.assert_allclose(
            model.predict([word[word > 0][None], SAID[i : i + 1]], verbose=0)[0], found[i], rtol=1e-12
        )
    other = translator(masked=False)
    other.set_weights(model.get_weights())
    assert np.abs(other.predict([WORDS, SAID], verbose=0) - found).max() > 1e-4


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_saved_cloned_and_within(kind, tmp_path):
    model = translator(kind)
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit([WORDS, SAID], NEXT, epochs=2, verbose=0)
    expected = model.predict([WORDS, SAID], verbose=0)
    model.save(tmp_path / "m.safetensors")
    loaded = tauten.models.load_model(tmp_path / "m.safetensors")
    clone = tauten.models.clone_model(model)
    clone.set_weights(model.get_weights())
    inner = tauten.Model.from_config(model.get_config())
    inner.set_weights(model.get_weights())
    inputs = [tauten.Input((None,), dtype="int32"), tauten.Input((3, 2))]
    outer = tauten.Model(inputs, inner(inputs))
    for other in (loaded, clone, outer):
        np.testing.assert_array_equal(other.predict([WORDS, SAID], verbose=0), expected)
    assert loaded.get_config() == clone.get_config() == model.get_config()
    for one in (model, loaded):
        one.fit([WORDS, SAID], NEXT, epochs=1, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[1], loaded.get_weights()[1])
    shown: list[str] = []
    model.summary(print_fn=shown.append)
    text = "".join(shown)
    assert "encoder[0][1]" in text
    assert "bridge_0[0][0]" in text


def test_config_of_the_arguments():
    cell = layers.GRU(2, return_state=True)
    assert layers.GRU.from_config(cell.get_config()).return_state
    pair = layers.Bidirectional(cell, merge_mode=None)
    again = layers.Bidirectional.from_config(pair.get_config())
    assert (again.merge_mode, again.output_count, again.get_config()) == (None, 4, pair.get_config())
    x = tauten.Input((4, 3))
    assert layers.GRU(2, return_state=True, name="g")(x)[0].shape == (None, 2)
    written = pair(x)
    assert pair.output == written
    assert pair.output_shape == ((None, 2),) * 4
    assert pair.count_params() == 2 * (3 * 6 + 2 * 6 + 2 * 6)
    kept = layers.LSTM(2, return_state=True)
    held = kept(x)[0]  # the other tensors are gone, and made again
    assert kept.output[0] is held
    assert [tensor.shape for tensor in kept.output] == [(None, 2)] * 3
    assert tauten.Model(x, kept.output[2]).predict(np.ones((2, 4, 3)), verbose=0).shape == (2, 2)


def test_an_initial_state_wins():
    """As in Keras: a stateful layer that is given states begins with them, and keeps those that it ends with."""
    x, h = tauten.Input((7, 3)), tauten.Input((3,))
    cell = layers.GRU(3, stateful=True)
    model = tauten.Model([x, h], cell(x, h))
    begin = GENERATOR.normal(size=(4, 3))
    first = model.predict([X, begin], verbose=0)
    np.testing.assert_array_equal(cell.states[0], first)
    np.testing.assert_array_equal(model.predict([X, begin], verbose=0), first)


def test_states_in_the_middle():
    """A model that begins at an encoder's states, which are another layer's as well."""
    model = translator("gru")
    state = model.get_layer("encoder").output[1]
    above = tauten.Model([state, model.inputs[1]], model.output)
    below = tauten.Model(model.inputs[0], state)
    code = below.predict(WORDS, verbose=0)
    np.testing.assert_array_equal(code, tauten.Model(model.inputs[0], model.get_layer("encoder").output[0:2])
                                  .predict(WORDS, verbose=0)[1])  # fmt: skip
    np.testing.assert_allclose(
        above.predict([code, SAID], verbose=0), model.predict([WORDS, SAID], verbose=0), rtol=1e-12
    )
    assert tauten.diagnostics.activations(model, [WORDS, SAID], "encoder").shape == (4, 7, 3)


def test_frozen_decoder_and_frozen_encoder():
    for frozen, moves in (("decoder", "encoder"), ("encoder", "decoder")):
        model = translator()
        model.get_layer(frozen).trainable = False
        model.compile(tauten.optimizers.SGD(1.0), "sparse_categorical_crossentropy")
        before = {w.path: w.numpy() for w in model.weights}
        model.fit([WORDS, SAID], NEXT, verbose=0)
        changed = {w.path for w in model.weights if np.abs(w.numpy() - before[w.path]).max() > 1e-9}
        assert not any(path.startswith(frozen) for path in changed)
        assert {f"{moves}/kernel", "bridge_0/kernel", "words/embeddings"} <= changed


# -- masks that reach several layers


def branched(x):
    words = layers.Embedding(6, 3, mask_zero=True, name="words")(x)
    again = layers.Embedding(6, 3, mask_zero=True, name="again")(x)
    both = layers.Add()([words, layers.Dense(3, name="dense")(again)])
    a = layers.LSTM(3, return_sequences=True, name="a")(both)
    b = layers.Bidirectional(layers.GRU(3, return_sequences=True), merge_mode="sum", name="b")(words)
    joined = layers.Concatenate()([layers.Multiply()([a, b]), both])
    steps = layers.Dense(4, activation="softmax", name="steps")(joined)
    return [layers.SimpleRNN(3, name="last")(joined), layers.GlobalAveragePooling1D()(a), steps]


def test_a_mask_in_branches():
    """All branches are without the masked steps: the same as on the valid steps alone; so is a step of training."""
    x = tauten.Input((None,), dtype="int32", name="x")
    model = tauten.Model(x, branched(x))
    last, mean, steps = model.predict(WORDS, verbose=0)
    for i in range(3):
        alone = model.predict(WORDS[i][WORDS[i] > 0][None], verbose=0)
        np.testing.assert_allclose(alone[0][0], last[i], rtol=1e-12)
        np.testing.assert_allclose(alone[1][0], mean[i], rtol=1e-12)
        np.testing.assert_allclose(alone[2][0], steps[i][WORDS[i] > 0], rtol=1e-12)
    assert not steps[3].any()
    y = [GENERATOR.normal(size=last.shape), None, GENERATOR.integers(0, 4, WORDS.shape)]
    lists = [row[row > 0] for row in WORDS[:3]]
    trained = []
    for data, targets in [
        (WORDS[:3], [y[0][:3], None, y[2][:3]]),
        (lists, [y[0][:3], None, [row[word > 0] for row, word in zip(y[2], WORDS[:3], strict=False)]]),
    ]:
        twin = tauten.models.clone_model(model)
        twin.set_weights(model.get_weights())
        twin.compile("sgd", ["mse", None, "sparse_categorical_crossentropy"])
        twin.train_on_batch(data, targets)
        trained.append(np.concatenate([w.ravel() for w in twin.get_weights()]))
    np.testing.assert_array_equal(*trained)


def test_a_mask_that_nobody_uses():
    """Where all that reads it needs every step, it is dropped, as in Keras; masked steps are zeros."""
    x = tauten.Input((7, 3))
    masked = layers.Masking(mask_value=2.0)(x)
    merged = layers.Concatenate()(
        [layers.Dense(2, use_bias=False)(masked), layers.Dense(2)(x2 := tauten.Input((7, 1)))]
    )
    model = tauten.Model([x, x2], layers.Flatten()(merged))
    data = X.copy()
    data[:, 2] = 2.0
    found = model.predict([data, np.ones((4, 7, 1))], verbose=0).reshape(4, 7, 4)
    assert not found[:, 2, :2].any()
    assert found[:, 3, :2].all()


def masks(outputs):
    x, other = tauten.Input((7,), dtype="int32", name="x"), tauten.Input((7, 3), name="other")
    words = layers.Embedding(6, 3, mask_zero=True, name="words")(x)
    read = layers.LSTM(3, return_sequences=True, name="read")(words)
    return lambda: tauten.Model([x, other], outputs(words, read, other), name="net")


def call(layer, **arguments):
    return lambda: layer(tauten.Input((4, 2)), **arguments)


def two_masks():
    a, b = (tauten.Input((5,), dtype="int32") for _ in range(2))
    tables = [layers.Embedding(6, 3, mask_zero=True, name=name)(x) for name, x in (("one", a), ("two", b))]
    tauten.Model([a, b], layers.LSTM(3)(layers.Add()(tables)), name="net")


BAD = [
    ("one branch needs all steps", lambda: masks(lambda w, r, o: [r, layers.Flatten(name="flat")(w), o])(), ValueError,
     ["'net'", "'flat'", "does not support masks", "'words'", "'read'"]),
    ("merged with steps that are not masked", lambda: masks(lambda w, r, o: layers.Add(name="sum")([r, o]))(),
     ValueError, ["'net'", "'sum'", "not masked", "'read'"]),
    ("two masks", two_masks, ValueError, ["'net'", "'one'", "'two'", "one", "sample_weight"]),
    ("no states for a Dense", call(layers.Dense(2, name="d"), initial_state=tauten.Input((2,))), TypeError,
     ["'d'", "initial_state", "Dense"]),
    ("an array as state", call(layers.GRU(2, name="g"), initial_state=np.zeros((1, 2))), TypeError,
     ["'g'", "initial_state", "ndarray", "reset_state"]),
    ("one of two states", call(layers.LSTM(2, name="l"), initial_state=tauten.Input((2,))), ValueError,
     ["'l'", "(None, 2), (None, 2)", "got (None, 2)"]),
    ("a state of another size", call(layers.GRU(2, name="g"), initial_state=[tauten.Input((3,))]), ValueError,
     ["'g'", "(None, 2)", "(None, 3)"]),
    ("no states in a list", call(layers.GRU(2, name="g"), initial_state=[]), ValueError, ["'g'", "got none"]),
    ("return_state in a Sequential", lambda: tauten.Sequential([layers.LSTM(2, return_state=True, name="l")], name="s"),
     ValueError, ["'s'", "'l'", "3 outputs", "tauten.Model"]),
    ("two outputs in a Sequential",
     lambda: tauten.Sequential([tauten.Input((3, 2)), layers.Bidirectional(layers.GRU(2), None, name="b")], name="s"),
     ValueError, ["'s'", "'b'", "2 outputs"]),
    ("directions that differ in return_state",
     lambda: layers.Bidirectional(layers.GRU(2), backward_layer=layers.GRU(2, return_state=True, go_backwards=True)),
     ValueError, ["return_state", "False and True"]),
    ("return_state that is no flag", lambda: layers.GRU(2, return_state=2), TypeError, ["return_state"]),
    ("step of a decoder", lambda: translator().step(WORDS[:, 0]), ValueError, ["'translator'", "'decoder'", "inputs"]),
    ("a mask in a call", call(layers.GRU(2, name="g"), mask=tauten.Input((4,))), TypeError, ["'g'", "mask"]),
]  # fmt: skip


@refused(BAD)
def test_refused_with_a_reason(act, error, words):
    check(act, error, words)
