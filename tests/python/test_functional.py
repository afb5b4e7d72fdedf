"""The functional API: graphs of layers, names and order as in Keras, shared weights, models in models, refusals."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

import tauten
from data import digits
from refusals import check, refused
from tauten import layers

X, LABELS = digits()[0][:40, :, :, None].astype(np.float32), digits()[1][:40]
ROWS = X.reshape(40, 64)


def residual(**arguments):
    inputs = tauten.Input((8, 8, 1))
    first = layers.Conv2D(2, 3, padding="same")(inputs)
    x = layers.ReLU()(layers.BatchNormalization()(first))
    x = layers.Conv2D(2, 3, padding="same")(x)
    added = layers.Add()([x, first])
    gate = layers.Dense(2, activation="relu")(layers.GlobalAveragePooling2D()(added))
    x = layers.Multiply()([added, layers.Reshape((1, 1, 2))(gate)])
    return tauten.Model(inputs, layers.Dense(3)(layers.Flatten()(x)), **arguments)


def autoencoder():
    """Encoder, decoder and both in a row, over the same layers."""
    inputs = tauten.Input((64,), name="pixels")
    code = layers.Dense(6, activation="tanh", name="code")(layers.Dense(16, activation="relu", name="wide")(inputs))
    encoder = tauten.Model(inputs, code, name="encoder")
    latent = tauten.Input((6,))
    decoder = tauten.Model(latent, layers.Dense(64, activation="sigmoid", name="image")(latent), name="decoder")
    whole = tauten.Model(inputs, decoder(encoder(inputs)), name="whole")
    return encoder, decoder, whole


# -- names, order, shapes: what Keras 3.15 says of the same graphs


def test_names_and_order_are_keras():
    tauten.utils.clear_session()
    model = residual()
    assert model.name == "functional"
    assert [layer.name for layer in model.layers] == [
        "input_layer", "conv2d", "batch_normalization", "re_lu", "conv2d_1", "add", "global_average_pooling2d", "dense",
        "reshape", "multiply", "flatten", "dense_1",
    ]  # fmt: skip
    assert residual().name == "functional_1"
    assert (model.input_shape, model.output_shape) == ((None, 8, 8, 1), (None, 3))
    assert model.output_names == ["dense_1"]
    assert model.count_params() == 459
    assert model.get_layer("add").output_shape == (None, 8, 8, 2)
    assert model.get_layer("add").input_shape == [(None, 8, 8, 2)] * 2
    assert isinstance(model, layers.Layer)
    assert isinstance(tauten.Sequential(), tauten.Model)


def test_order_of_inputs_and_outputs():
    a, b = tauten.Input((4,), name="a"), tauten.Input((3,), name="b")
    x = layers.Dense(5, name="mix")(layers.Concatenate(name="join")([a, b]))
    p, q = layers.Dense(2, name="p")(x), layers.Dense(1, name="q")(x)
    model = tauten.Model([a, b], [p, q])
    assert [layer.name for layer in model.layers] == ["a", "b", "join", "mix", "p", "q"]
    assert (model.input_shape, model.output_shape) == ([(None, 4), (None, 3)], [(None, 2), (None, 1)])
    assert (model.input_names, model.output_names) == (["a", "b"], ["p", "q"])
    assert model.inputs == [a, b]
    assert model.output == [p, q]
    late = tauten.Model([b, a], [q, p])
    assert (late.input_names, late.output_names) == (["b", "a"], ["q", "p"])
    assert [w.path for w in model.weights] == [f"{n}/{w}" for n in ("mix", "p", "q") for w in ("kernel", "bias")]


def test_a_shared_layer_lies_where_it_is_first_needed():
    a = tauten.Input((4,), name="a")
    layer = layers.Dense(4, name="same")
    first = layer(a)
    second = layer(layers.ReLU(name="between")(first))
    model = tauten.Model(a, [first, second])
    assert [each.name for each in model.layers] == ["a", "same", "between"]
    assert model.output_names == ["same", "same_1"]
    assert model.count_params() == 20
    assert (layer.input, layer.output) == (a, first)
    x = np.ones((2, 4), np.float32)
    kernel, bias = layer.get_weights()
    one, two = model.predict(x, verbose=0)
    np.testing.assert_allclose(one, x @ kernel + bias, rtol=1e-6)
    np.testing.assert_allclose(two, np.maximum(one, 0) @ kernel + bias, rtol=1e-6)


def test_tensors():
    x = tauten.Input((None, 3), dtype="int32", name="words")
    assert (x.shape, x.dtype, x.name, x.ndim) == ((None, None, 3), "int32", "words", 3)
    assert "words" in repr(x)
    y = layers.Dense(2)(x)
    assert y.shape == (None, None, 2)
    assert y.dtype == "float32"
    for act in (lambda: np.asarray(y), lambda: bool(y), lambda: list(y), lambda: len(y), lambda: y + 1):
        with pytest.raises(TypeError):
            act()


def test_summary_says_what_is_read():
    shown = []
    residual(name="block").summary(print_fn=shown.append)
    assert shown[0] == 'Model: "block"'
    assert "Connected to" in shown[2]
    (row,) = (line for line in shown if "(Add)" in line)
    cells = [cell.strip() for cell in row.strip("│").split("│")]
    assert cells[0].startswith("add")
    assert cells[1:3] == ["(None, 8, 8, 2)", "0"]
    names = [layer.name for layer in residual().layers]  # same classes, numbered on
    assert cells[3].count("[0][0]") == 2
    assert len(names) == sum("(" in line.split("│")[1] for line in shown if line.startswith("│"))
    assert any("Total params: 459 (1.79 KB, float32)" in line for line in shown)
    assert len({len(line) for line in shown[1:-3]}) == 1
    x = tauten.Input((4,), name="x")
    twice = layers.Dense(4, name="twice")
    shown = []
    tauten.Model(x, twice(twice(x))).summary(print_fn=shown.append)
    assert any("x[0][0], twice[0][0]" in line for line in shown)
    shown = []
    tauten.Model(x, layers.Dense(2)(x)).summary(print_fn=shown.append)
    assert not any("Connected" in line for line in shown)


# -- weights are shared


def test_models_over_the_same_layers_share_weights():
    encoder, decoder, whole = autoencoder()
    assert [layer.name for layer in whole.layers] == ["pixels", "encoder", "decoder"]
    assert whole.weights == encoder.weights + decoder.weights
    expected = decoder.predict(encoder.predict(ROWS, verbose=0), verbose=0)
    np.testing.assert_allclose(whole.predict(ROWS, verbose=0), expected, rtol=1e-6)
    before = encoder.predict(ROWS, verbose=0)
    whole.compile(tauten.optimizers.SGD(0.5, momentum=0.9), "mse")
    losses = whole.fit(ROWS, ROWS, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    after = encoder.predict(ROWS, verbose=0)
    assert np.abs(after - before).max() > 1e-3
    expected = decoder.predict(after, verbose=0)
    np.testing.assert_allclose(whole.predict(ROWS, verbose=0), expected, rtol=1e-6)
    encoder.weights[0].assign(np.zeros((64, 16)))
    assert not encoder.get_layer("wide").get_weights()[0].any()
    assert np.ptp(whole.predict(ROWS, verbose=0), axis=0).max() == 0


def test_each_model_has_momentum_of_its_own():
    inputs = tauten.Input((64,))
    layer = layers.Dense(3)
    one, other = tauten.Model(inputs, layer(inputs)), tauten.Model(inputs, layer(inputs))
    alone = tauten.Sequential([tauten.Input((64,)), layers.Dense(3)])
    alone.set_weights(one.get_weights())
    for model in (one, other, alone):
        model.compile(tauten.optimizers.SGD(0.1, momentum=0.9), "mse")
    y = np.eye(10, dtype=np.float32)[LABELS][:, :3]
    one.train_on_batch(ROWS, y)
    alone.train_on_batch(ROWS, y)
    for ours, theirs in zip(other.get_weights(), alone.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    alone.compile(tauten.optimizers.SGD(0.1, momentum=0.9), "mse")  # forgets its momentum
    other.train_on_batch(ROWS, y)
    alone.train_on_batch(ROWS, y)
    for ours, theirs in zip(one.get_weights(), alone.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_feature_extractor():
    model = residual()
    features = tauten.Model(model.input, model.get_layer(index=5).output)
    assert features.layers == model.layers[:6]
    np.testing.assert_array_equal(
        features.predict(X, verbose=0), tauten.diagnostics.activations(model, X, model.layers[5])
    )
    above = tauten.Model(features.output, model.output)  # which begins in between
    np.testing.assert_allclose(
        above.predict(features.predict(X, verbose=0), verbose=0), model.predict(X, verbose=0), rtol=1e-5, atol=1e-6
    )
    assert above.weights[0] is model.weights[8]
    several = tauten.Model(model.input, [layer.output for layer in model.layers])
    for layer, values in zip(model.layers, several.predict(X, verbose=0), strict=True):
        assert (None, *values.shape[1:]) == layer.output_shape
    np.testing.assert_array_equal(several.predict(X, verbose=0)[0], X)


def test_a_sequential_has_tensors():
    model = tauten.Sequential([tauten.Input((64,)), layers.Dense(8, activation="relu", name="hidden"), layers.Dense(3)])
    features = tauten.Model(model.inputs, model.get_layer("hidden").output)
    before = features.predict(ROWS, verbose=0)
    model.compile("sgd", "mse")
    model.fit(ROWS, np.ones((40, 3)), verbose=0)
    after = features.predict(ROWS, verbose=0)
    assert not np.array_equal(before, after)
    np.testing.assert_array_equal(after, tauten.diagnostics.activations(model, ROWS, "hidden"))
    model.add(layers.Dense(2))
    assert model.output_shape == model.layers[-1].output.shape == (None, 2)
    np.testing.assert_array_equal(features.predict(ROWS, verbose=0), after)
    model.compile("sgd", "mse")
    model.fit(ROWS, np.ones((40, 2)), verbose=0)
    assert not np.array_equal(features.predict(ROWS, verbose=0), after)


def test_a_layer_in_two_sequentials():
    layer = layers.Dense(3, name="both")
    one = tauten.Sequential([tauten.Input((64,)), layer])
    other = tauten.Sequential([tauten.Input((64,)), layer, layers.Dense(2)])
    np.testing.assert_array_equal(one.get_weights()[0], other.get_weights()[0])
    one.compile("sgd", "mse")
    one.fit(ROWS, np.ones((40, 3)), verbose=0)
    np.testing.assert_array_equal(one.get_weights()[0], other.get_weights()[0])
    narrow = tauten.Sequential([tauten.Input((63,)), layer])
    with pytest.raises(ValueError, match=r"'both' has weights for another input"):
        narrow.get_weights()


def test_models_in_a_row_and_called_twice():
    inner = tauten.Sequential([layers.Dense(5, activation="tanh"), layers.Dense(2)], name="inner")
    left, right = tauten.Input((32,)), tauten.Input((32,))
    model = tauten.Model([left, right], layers.Subtract()([inner(left), inner(right)]))
    assert inner.built
    assert inner.input_shape == (None, 32)
    assert model.weights == inner.weights
    a, b = ROWS[:, :32], ROWS[:, 32:]
    expected = inner.predict(a, verbose=0) - inner.predict(b, verbose=0)
    np.testing.assert_allclose(model.predict([a, b], verbose=0), expected, rtol=1e-5, atol=1e-7)
    outer = tauten.Sequential([inner, layers.Dense(3)])
    assert outer.layers[0].name == "inner"
    assert outer.input_shape == (None, 32)
    assert outer.predict(a, verbose=0).shape == (40, 3)
    with pytest.raises(ValueError, match="'inner': add: it is a part of another model"):
        inner.add(layers.Dense(2))
    with pytest.raises(ValueError, match="'inner': pop: it is a part of another model"):
        inner.pop()


def test_a_layer_of_the_outer_model_within():
    """One layer at the top and in a model, and another model's output that nothing reads."""
    shared = layers.Dense(4, name="shared")
    x = tauten.Input((4,))
    inner = tauten.Model(x, {"used": shared(x), "unused": layers.Dense(7)(x)}, name="inner")
    y = tauten.Input((4,))
    model = tauten.Model(y, shared(inner(y)["used"]))
    kernel, bias = shared.get_weights()
    data = np.ones((2, 4), np.float32)
    np.testing.assert_allclose(model.predict(data, verbose=0), (data @ kernel + bias) @ kernel + bias, rtol=1e-6)
    assert len(model.weights) == 4  # Keras counts the weights of the model within, read or not
    model.compile("sgd", "mse")
    model.fit(data, data, verbose=0)
    assert not np.array_equal(shared.get_weights()[0], kernel)
    assert inner.predict(data, verbose=0)["unused"].shape == (2, 7)


def test_frozen_in_one_is_frozen_in_all():
    encoder, _, whole = autoencoder()
    whole.compile("sgd", "mse")
    encoder.trainable = False
    assert [w.path for w in whole.trainable_weights] == ["image/kernel", "image/bias"]
    before = encoder.get_weights()
    whole.fit(ROWS, ROWS, verbose=0)
    for a, b in zip(before, encoder.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    encoder.get_layer("code").trainable = True
    whole.fit(ROWS, ROWS, verbose=0)
    assert [np.array_equal(a, b) for a, b in zip(before, encoder.get_weights(), strict=True)] == [
        True,
        True,
        False,
        False,
    ]


def test_batch_normalization_moves_for_all():
    inputs = tauten.Input((64,))
    normal = layers.BatchNormalization()
    one, other = tauten.Model(inputs, normal(inputs)), tauten.Model(inputs, layers.Dense(2)(normal(inputs)))
    other.compile("sgd", "mse")
    other.fit(ROWS, np.ones((40, 2)), verbose=0)
    assert normal.get_weights()[2].any()
    np.testing.assert_allclose(
        tauten.Model(inputs, normal(inputs)).predict(ROWS, verbose=0), one.predict(ROWS, verbose=0), rtol=1e-6
    )


def test_weights_before_there_is_a_model():
    x = tauten.Input((4,))
    layer = layers.Dense(3, bias_initializer="ones")
    y = layer(x)
    assert [w.shape for w in layer.weights] == [(4, 3), (3,)]
    kernel = np.arange(12.0).reshape(4, 3)
    layer.set_weights([kernel, np.zeros(3)])
    model = tauten.Model(x, y)
    np.testing.assert_array_equal(model.predict(np.eye(4), verbose=0), kernel)
    assert model.weights == layer.weights


def test_models_are_freed_at_once():
    gc.collect()
    gc.disable()
    try:
        encoder, decoder, whole = autoencoder()
        whole.compile("sgd", "mse")
        whole.train_on_batch(ROWS, ROWS)
        networks = [weakref.ref(model._network()) for model in (encoder, decoder, whole)]
        models = [weakref.ref(model) for model in (encoder, decoder, whole)]
        del encoder, decoder, whole
        assert [reference() for reference in models + networks] == [None] * 6
    finally:
        gc.enable()


def test_deep_graphs():
    x = inputs = tauten.Input((4,))
    for _ in range(400):
        x = layers.Add()([layers.Dense(4, kernel_initializer="zeros")(x), x])
    model = tauten.Model(inputs, x)
    data = np.ones((2, 4), np.float32)
    np.testing.assert_array_equal(model.predict(data, verbose=0), data)
    assert len(model.layers) == 801
    del model, x


# -- structures of inputs and outputs


def test_dicts_of_inputs_and_outputs():
    a, b = tauten.Input((4,), name="a"), tauten.Input((3,), name="b")
    x = layers.Concatenate()([b, a])
    model = tauten.Model({"b": b, "a": a}, {"two": layers.Dense(2)(x), "one": layers.Dense(1)(x)})
    assert (model.input_names, model.output_names) == (["a", "b"], ["one", "two"])
    assert model.input_shape == {"a": (None, 4), "b": (None, 3)}
    data = {"a": np.ones((5, 4)), "b": np.ones((5, 3))}
    found = model.predict(data, verbose=0)
    assert {name: values.shape for name, values in found.items()} == {"one": (5, 1), "two": (5, 2)}
    np.testing.assert_array_equal(model(data)["two"], found["two"])
    outer_a, outer_b = tauten.Input((4,)), tauten.Input((3,))
    outer = tauten.Model([outer_a, outer_b], model({"a": outer_a, "b": outer_b})["two"])
    np.testing.assert_array_equal(outer.predict([data["a"], data["b"]], verbose=0), found["two"])
    twin = tauten.Model.from_config(model.get_config())
    twin.set_weights(model.get_weights())
    np.testing.assert_array_equal(twin.predict(data, verbose=0)["one"], found["one"])


def test_tuples_and_single_items():
    x = tauten.Input((4,))
    y = layers.Dense(2)(x)
    data = np.ones((3, 4))
    assert isinstance(tauten.Model(x, (y, y)).predict(data, verbose=0), tuple)
    assert tauten.Model([x], [y]).predict(data, verbose=0).shape == (3, 2)
    assert tauten.Model([x], [y]).predict({x.name: data}, verbose=0).shape == (3, 2)
    assert tauten.Model(x, x).predict(data, verbose=0).tolist() == data.tolist()


# -- refusals


def disconnected():
    a, b = tauten.Input((4,), name="a"), tauten.Input((4,), name="b")
    tauten.Model(a, layers.Add()([a, b]), name="net")


def unused():
    a, b = tauten.Input((4,), name="a"), tauten.Input((4,), name="b")
    tauten.Model([a, b], layers.Dense(2)(a), name="net")


def same_names():
    x = tauten.Input((4,))
    tauten.Model(x, layers.Dense(2, name="d")(layers.Dense(2, name="d")(x)), name="net")


def subclass():
    class Mine(tauten.Model):
        def call(self, x):
            return x


def stateful():
    x = tauten.Input((None, 4))
    cell = layers.LSTM(4, return_sequences=True, stateful=True, name="cell")
    tauten.Model(x, cell(cell(x)), name="net")


def branching(*merged):
    x = tauten.Input((7, 4), name="x")
    masked = layers.Masking(name="mask")(x)
    read = layers.LSTM(3, return_sequences=True)(masked)
    return tauten.Model(x, merged[0](masked, read, x), name="net")


def not_inside():
    a = tauten.Input((4,), name="a")
    x = layers.Dense(4)(a)
    y = layers.Dense(4)(x)
    tauten.Model(y, layers.Add()([x, y]), name="net")


def behind(layer):
    return lambda: layer(layers.Dense(3)(tauten.Input((4,))))


BAD = [
    ("disconnected", disconnected, ValueError, ["'net'", "disconnected", "'b'", "['a']"]),
    ("an unused input", unused, ValueError, ["'net'", "nothing", "'b'"]),
    ("begins behind its branch", not_inside, ValueError, ["'net'", "disconnected", "'a'"]),
    ("the same input twice", lambda: tauten.Model([(x := tauten.Input((4,), name="x")), x], layers.Dense(2)(x)),
     ValueError, ["once", "['x', 'x']"]),
    ("equal names", same_names, ValueError, ["'net'", "'d'", "unique"]),
    ("call in a subclass", subclass, TypeError, ["Mine", "call()", "tauten.Input()"]),
    ("no outputs", lambda: tauten.Model(tauten.Input((4,)), []), ValueError, ["outputs", "at least one"]),
    ("outputs missing", lambda: tauten.Model(tauten.Input((4,))), TypeError, ["inputs and outputs"]),
    ("a layer as output", lambda: tauten.Model(tauten.Input((4,)), layers.Dense(2, name="d")), TypeError,
     ["outputs", "Dense", "'d'", ".output"]),
    ("an array as input", lambda: tauten.Model(np.ones(3), tauten.Input((4,))), TypeError, ["inputs", "ndarray"]),
    ("lists in lists", lambda: tauten.Model([[tauten.Input((4,))]], tauten.Input((4,))), ValueError, ["within"]),
    ("numbers as keys", lambda: tauten.Model({1: tauten.Input((4,))}, tauten.Input((4,))), TypeError, ["names", "[1]"]),
    ("an array for a layer", lambda: layers.Dense(2, name="d")(np.ones((2, 3))), TypeError,
     ["'d'", "symbolic", "ndarray"]),
    ("a list for a layer", lambda: layers.Dense(2, name="d")([tauten.Input((4,))] * 2), ValueError,
     ["'d'", "single", "2"]),
    ("training in a call", lambda: layers.Dropout(0.5, name="d")(tauten.Input((4,)), training=True), TypeError,
     ["'d'", "training"]),
    ("initial states in a call", lambda: layers.LSTM(3, name="l")(tauten.Input((4, 2)), initial_state=[0]), TypeError,
     ["'l'", "initial_state"]),
    ("another argument", lambda: layers.Dense(3, name="d")(tauten.Input((4,)), steps=3), TypeError, ["'d'", "'steps'"]),
    ("wrong shape", lambda: layers.Conv2D(3, 3, name="c")(tauten.Input((4, 2))), ValueError, ["c:", "(4, 2)"]),
    ("tokens in between", behind(layers.Embedding(4, 2, name="e")), ValueError, ["'e'", "integers", "first"]),
    ("tokens in a model within", behind(tauten.Sequential([layers.Embedding(4, 2, name="e")], name="m")), ValueError,
     ["'m'", "'e'", "integers"]),
    ("another shape for a model", behind(tauten.Sequential([tauten.Input((5,)), layers.Dense(2)], name="m")),
     ValueError, ["'m'", "(None, 5)", "(None, 3)"]),
    ("too many tensors for a model", lambda: residual(name="m")([tauten.Input((8, 8, 1))] * 2), ValueError,
     ["'m'", "1 tensors", "got 2"]),
    ("stateful and shared", stateful, ValueError, ["'net'", "'cell'", "stateful", "2 times"]),
    ("a masked input that others read",
     lambda: branching(lambda m, r, x: layers.Concatenate()([x, layers.Dense(3)(r)])),
     ValueError, ["'net'", "'mask'", "'x'", "Input of its own"]),
    ("a tensor of a layer for Sequential", lambda: tauten.Sequential([layers.Dense(2)(tauten.Input((3,)))]), TypeError,
     ["Input or a layer"]),
    ("no call", lambda: layers.Dense(2, name="d").output, AttributeError, ["'d'", "output"]),
    ("a call that is gone", lambda: layers.Dense(2, name="d").input, AttributeError, ["'d'", "input"]),
    ("clone of a layer", lambda: tauten.models.clone_model(layers.Dense(2)), TypeError, ["clone_model", "Dense"]),
    ("a config without outputs", lambda: tauten.Model.from_config({"name": "m", "layers": []}), ValueError,
     ["input_layers"]),
]  # fmt: skip


@refused(BAD)
def test_refused_with_a_reason(act, error, words):
    check(act, error, words)


def test_a_refused_call_changes_nothing():
    x = tauten.Input((4, 4, 1))
    layer = layers.Conv2D(2, 5)
    with pytest.raises(ValueError, match="conv2d"):
        layer(x)
    assert not layer.built
    assert layer.weights == []
    assert layer(tauten.Input((8, 8, 1))).shape == (None, 4, 4, 2)
