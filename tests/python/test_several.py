"""Models of several inputs and outputs: data, losses, metrics, logs; masks, states and diagnostics in graphs."""

from __future__ import annotations

import numpy as np
import pytest

import tauten
from data import digits, text
from refusals import check, refused
from tauten import diagnostics, layers

X, LABELS = digits()[0][:24].reshape(24, 64).astype(np.float32), digits()[1][:24]
A, B = X[:, :40], X[:, 40:]
P, Q = np.eye(10, dtype=np.float32)[LABELS], X[:, :2]


def model(loss="mse", metrics=None, weights=None, **arguments):
    """(None, 40), (None, 24) -> (None, 10), (None, 2)."""
    a, b = tauten.Input((40,), name="a"), tauten.Input((24,), name="b")
    x = layers.Dense(5, activation="tanh")(layers.Concatenate()([a, b]))
    outputs = [layers.Dense(10, activation="softmax", name="p")(x), layers.Dense(2, name="q")(x)]
    made = tauten.Model([a, b], outputs, name="net")
    made.compile("sgd", loss=loss, metrics=metrics, loss_weights=weights, **arguments)
    return made


# What Keras 3.15 calls them, and evaluate()'s order.
NAMES = [
    ({}, ["loss", "p_loss", "q_loss"]),
    ({"metrics": ["mae", "mse"]}, ["loss", "p_loss", "q_loss", "p_mae", "q_mse"]),
    ({"metrics": [["mae", "mse"], ["mae"]]}, ["loss", "p_loss", "q_loss", "p_mae", "p_mse", "q_mae"]),
    ({"metrics": {"q": ["mae"], "p": "accuracy"}}, ["loss", "p_loss", "q_loss", "p_accuracy", "q_mae"]),
    ({"metrics": {"q": ["mae"]}}, ["loss", "p_loss", "q_loss", "q_mae"]),
    ({"loss": ["categorical_crossentropy", "mse"]}, ["loss", "p_loss", "q_loss"]),
    ({"loss": {"p": "mse", "q": "mse"}, "weights": {"p": 1.0, "q": 0.5}}, ["loss", "p_loss", "q_loss"]),
    ({"loss": ["mse", None]}, ["loss"]),
    ({"loss": {"p": None, "q": "mse"}, "metrics": {"q": "mae"}}, ["loss", "q_mae"]),
]


@pytest.mark.parametrize(("settings", "names"), NAMES)
def test_names_are_keras(settings, names):
    made = model(**settings)
    assert made.metrics_names == names
    logs = made.fit([A, B], [P, Q], verbose=0, validation_split=0.25).history
    assert set(logs) == {*names, *(f"val_{name}" for name in names)}
    values = made.evaluate([A, B], [P, Q], verbose=0)
    by_name = made.evaluate([A, B], [P, Q], verbose=0, return_dict=True)
    assert list(by_name) == sorted(names)
    assert (values if len(names) > 1 else [values]) == [by_name[name] for name in names]
    assert made.test_on_batch([A, B], [P, Q]) == pytest.approx(values, rel=1e-6)


def test_losses_and_weights_by_hand():
    made = model(["categorical_crossentropy", "mse"], {"p": "accuracy", "q": ["mae"]}, [0.5, 3.0])
    p, q = made.predict([A, B], verbose=0)
    found = made.evaluate([A, B], [P, Q], batch_size=7, verbose=0, return_dict=True)
    first, second = tauten.losses.CategoricalCrossentropy()(P, p), tauten.losses.MeanSquaredError()(Q, q)
    assert found["p_loss"] == pytest.approx(first, rel=1e-5)
    assert found["q_loss"] == pytest.approx(second, rel=1e-5)
    assert found["loss"] == pytest.approx(0.5 * first + 3 * second, rel=1e-5)
    assert found["p_accuracy"] == pytest.approx((p.argmax(-1) == LABELS).mean())
    assert found["q_mae"] == pytest.approx(np.abs(Q - q).mean(), rel=1e-5)
    weights = np.linspace(0, 2, 24)
    weighted = made.evaluate([A, B], [P, Q], sample_weight=weights, verbose=0, return_dict=True)
    assert weighted["p_loss"] == pytest.approx(tauten.losses.CategoricalCrossentropy()(P, p, weights), rel=1e-5)
    assert weighted["q_loss"] == pytest.approx(tauten.losses.MeanSquaredError()(Q, q, weights), rel=1e-5)
    for one in ([None, weights], {"q": weights}):
        partly = made.evaluate([A, B], [P, Q], sample_weight=one, verbose=0, return_dict=True)
        assert partly["p_loss"] == pytest.approx(first, rel=1e-5)
        assert partly["q_loss"] == pytest.approx(weighted["q_loss"], rel=1e-6)


def test_lists_tuples_and_dicts_are_the_same():
    made = model()
    expected = made.evaluate([A, B], [P, Q], verbose=0)
    for x in ((A, B), {"b": B, "a": A}, [list(A), A[:, :24] * 0 + B]):
        for y in ((P, Q), {"q": Q, "p": P}):
            assert made.evaluate(x, y, verbose=0) == expected
        outputs = made.predict_on_batch(x)
        assert [output.shape for output in outputs] == [(24, 10), (24, 2)]
        for one, other in zip(outputs, made.predict(x, batch_size=5, verbose=0), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    assert made.evaluate([A, B], [P, Q], verbose=0) == expected


def test_outputs_without_a_loss_need_no_targets():
    made = model([None, "mse"])
    expected = made.evaluate([A, B], [None, Q], verbose=0)
    assert made.evaluate([A, B], {"q": Q}, verbose=0) == expected
    assert made.evaluate([A, B], [Q], verbose=0) == expected
    before = made.get_layer("p").get_weights()
    made.fit([A, B], [Q], verbose=0)
    for one, other in zip(before, made.get_layer("p").get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_fit_learns_and_callbacks_see_everything():
    seen = []

    class Look(tauten.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(sorted(logs))

        def on_predict_batch_end(self, batch, logs=None):
            seen.append([output.shape for output in logs["outputs"]])

    tauten.utils.set_random_seed(3)
    made = model(["categorical_crossentropy", "mse"], ["accuracy", None])
    made.optimizer.learning_rate = 0.1
    history = made.fit(
        {"a": A, "b": B}, {"p": P, "q": Q}, epochs=60, batch_size=8, verbose=0, callbacks=[Look()],
        validation_data=([A, B], [P, Q], np.ones(24)),
    )  # fmt: skip
    assert history.history["val_p_accuracy"][-1] > history.history["val_p_accuracy"][0]
    assert history.history["loss"][-1] < 0.8 * history.history["loss"][0]
    assert seen[0] == ["loss", "p_accuracy", "p_loss", "q_loss"]
    made.predict([A, B], batch_size=12, verbose=0, callbacks=Look())
    assert seen[-1] == [(12, 10), (12, 2)]


def test_compile_settings_are_kept(tmp_path):
    made = model(["categorical_crossentropy", "mse"], {"p": ["accuracy"]}, {"p": 1.0, "q": 0.25})
    made.fit([A, B], [P, Q], verbose=0)
    expected = made.evaluate([A, B], [P, Q], verbose=0, return_dict=True)
    path = tmp_path / "net.safetensors"
    made.save(path)
    loaded = tauten.models.load_model(path)
    assert loaded.evaluate([A, B], [P, Q], verbose=0, return_dict=True) == expected
    assert loaded.get_compile_config() == made.get_compile_config()


# -- sequences


def ragged(lengths=(3, 7, 1, 5)):
    rng = np.random.default_rng(0)
    return [rng.normal(size=(n, 4)).astype(np.float32) for n in lengths]


def test_sequences_of_unequal_length():
    """Two outputs, one for every step and one a sequence; a second input of vectors."""
    x, extra = tauten.Input((None, 4), name="x"), tauten.Input((3,), name="extra")
    steps = layers.GRU(5, return_sequences=True)(x)
    each = layers.Dense(2, name="each")(steps)
    both = layers.Concatenate()([layers.LSTM(4)(steps), extra])
    made = tauten.Model([x, extra], [each, layers.Dense(1, name="whole")(both)])
    data, more = ragged(), np.ones((4, 3), np.float32)
    found, whole = made.predict([data, more], verbose=0)
    assert [part.shape for part in found] == [(3, 2), (7, 2), (1, 2), (5, 2)]
    for i, sample in enumerate(data):
        one, all_ = made.predict([sample[None], more[i : i + 1]], verbose=0)
        np.testing.assert_allclose(found[i], one[0], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(whole[i], all_[0], rtol=1e-5, atol=1e-6)
    made.compile("sgd", "mse")
    targets = [np.zeros((len(sample), 2)) for sample in data]
    logs = made.evaluate([data, more], [targets, np.zeros((4, 1))], verbose=0, return_dict=True)
    assert logs["each_loss"] == pytest.approx(np.mean(np.square(np.concatenate(found))), rel=1e-5)
    with pytest.raises(ValueError, match=r"y of output 'each'\[0\]: expected 3 steps"):
        made.fit([data, more], [targets[::-1], np.zeros((4, 1))])


def test_two_inputs_of_steps():
    a, b = tauten.Input((None, 4), name="a"), tauten.Input((None, 4), name="b")
    made = tauten.Model([a, b], layers.LSTM(3)(layers.Add()([a, b])))
    plain = tauten.Sequential([tauten.Input((None, 4)), layers.LSTM(3)])
    plain.set_weights(made.get_weights())
    data = ragged()
    np.testing.assert_allclose(
        made.predict([data, data], verbose=0), plain.predict([2 * part for part in data], verbose=0), rtol=1e-5
    )
    with pytest.raises(ValueError, match="'a' as in 'b'"):
        made.predict([data, data[::-1]])
    with pytest.raises(ValueError, match="'a' as in 'b'"):
        made.predict([np.ones((2, 3, 4)), np.ones((2, 4, 4))])
    apart = tauten.Model([a, b], layers.Concatenate()([layers.LSTM(3)(a), layers.LSTM(2)(b)]))
    assert apart.predict([np.ones((2, 3, 4)), np.ones((2, 5, 4))], verbose=0).shape == (2, 5)
    assert apart.predict([data, np.ones((4, 6, 4))], verbose=0).shape == (4, 5)
    with pytest.raises(ValueError, match="unequal length in both"):
        apart.predict([data, data[::-1]])


def test_a_mask_on_its_way_to_a_branch():
    """The mask of one input ends in a recurrent layer; what follows is any graph."""
    x, extra = tauten.Input((7, 4), name="x"), tauten.Input((3,), name="extra")
    read = layers.LSTM(5)(layers.Dense(6, activation="tanh")(layers.Masking()(x)))
    made = tauten.Model([x, extra], [layers.Concatenate()([read, extra]), layers.Dense(2)(read)])
    plain = tauten.Sequential([tauten.Input((7, 4)), layers.Masking(), layers.Dense(6, "tanh"), layers.LSTM(5)])
    plain.set_weights(made.get_weights()[:5])
    data = np.random.default_rng(0).normal(size=(3, 7, 4)).astype(np.float32)
    data[0, 4:] = data[1, 2] = 0
    joined, out = made.predict([data, np.ones((3, 3))], verbose=0)
    np.testing.assert_array_equal(joined[:, :5], plain.predict(data, verbose=0))
    np.testing.assert_array_equal(joined[:, 5:], 1)
    assert out.shape == (3, 2)
    made.compile("sgd", "mse")
    made.fit([data, np.ones((3, 3))], [np.zeros((3, 8)), np.zeros((3, 2))], verbose=0)


def test_embeddings_that_mask():
    tokens = np.array([[3, 1, 2, 0, 0], [1, 0, 0, 0, 0], [4, 4, 4, 4, 4]])
    x, other = tauten.Input((None,), name="x"), tauten.Input((2,), name="other")
    read = layers.GRU(3)(layers.Embedding(5, 4, mask_zero=True)(x))
    made = tauten.Model([x, other], layers.Concatenate()([read, other]))
    found = made.predict([tokens, np.zeros((3, 2))], verbose=0)
    short = made.predict([[row[row > 0] for row in tokens], np.zeros((3, 2))], verbose=0)
    np.testing.assert_array_equal(found, short)
    # layers that do not support masks end it, side by side as in a row
    both = layers.Embedding(5, 4, mask_zero=True)(tauten.Input((5,), name="y"))
    flat = layers.Concatenate()([layers.Conv1D(2, 2)(both), layers.Conv1D(3, 2)(both)])
    made = tauten.Model(both._node.reads[0], flat)
    assert made.predict(tokens, verbose=0).shape == (3, 4, 5)
    table = layers.Embedding(5, 2, name="table")
    made = tauten.Model([x, other], layers.Concatenate()([layers.GRU(2)(table(x)), other]))
    with pytest.raises(ValueError, match=r"x of input 'x' \(layer 'table'\).*\[0, 5\)"):
        made.predict([[[7]], [[0, 0]]])


def test_steps_of_a_graph():
    """One step a call gives what all steps give at once: two outputs, a residual connection between two cells."""
    x = tauten.Input((None, 4))
    first = layers.LSTM(4, return_sequences=True)(x)
    second = layers.GRU(4, return_sequences=True)(layers.Add()([first, x]))
    made = tauten.Model(x, {"a": layers.Dense(2)(second), "b": layers.SimpleRNN(3)(second)})
    data = np.random.default_rng(0).normal(size=(2, 6, 4)).astype(np.float32)
    whole = made.predict(data, verbose=0)
    state = None
    for t in range(6):
        out, state = made.step(data[:, t], state)
        np.testing.assert_allclose(out["a"], whole["a"][:, t], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(out["b"], whole["b"], rtol=1e-5, atol=1e-6)
    assert [array.shape for array in state] == [(2, 4), (2, 4), (2, 4), (2, 3)]
    with pytest.raises(ValueError, match="one input"):
        a, b = tauten.Input((None, 4)), tauten.Input((None, 4))
        tauten.Model([a, b], layers.LSTM(3)(layers.Add()([a, b]))).step(np.ones((1, 4)))


def test_stateful_layers_of_a_graph():
    x = tauten.Input((3, 4))
    a, b = layers.LSTM(2, stateful=True, name="a")(x), layers.GRU(3, stateful=True, name="b")(x)
    made = tauten.Model(x, layers.Concatenate()([a, b]))
    data = np.random.default_rng(0).normal(size=(2, 6, 4)).astype(np.float32)
    made.predict_on_batch(data[:, :3])
    second = made.predict_on_batch(data[:, 3:])
    whole = tauten.Input((6, 4))
    twin = tauten.Model(whole, layers.Concatenate()([layers.LSTM(2)(whole), layers.GRU(3)(whole)]))
    twin.set_weights(made.get_weights())
    np.testing.assert_allclose(second, twin.predict(data, verbose=0), rtol=1e-5, atol=1e-6)
    assert [state.shape for state in made.get_layer("a").states] == [(2, 2), (2, 2)]
    made.reset_states()
    assert made.get_layer("b").states == [None]


# -- looking into graphs


def test_diagnostics_of_graphs():
    numbers, vocabulary = text()
    characters = len(vocabulary)
    x = tauten.Input((None,), name="x")
    e = layers.Embedding(characters, 6, name="table")(x)
    one = layers.LSTM(6, return_sequences=True, name="one")(e)
    two = layers.GRU(6, return_sequences=True, name="two")(layers.Add(name="sum")([e, one]))
    made = tauten.Model(x, layers.Dense(characters, activation="softmax")(layers.Add()([one, two])))
    made.compile("sgd", "sparse_categorical_crossentropy")
    data = numbers[:40].reshape(4, 10)
    flow = diagnostics.gradient_flow(made, data[:, :-1], data[:, 1:])
    assert [layer.name for layer in flow.layers] == ["one", "two"]
    assert all(layer.steps == 9 and layer.norms.all() for layer in flow.layers)
    found = diagnostics.gates(made, data, "two")
    assert found["update"].shape == (4, 10, 6)
    values = diagnostics.activations(made, data, "sum")
    np.testing.assert_allclose(
        values, diagnostics.activations(made, data, "table") + diagnostics.activations(made, data, "one"), rtol=1e-6
    )
    with pytest.raises(ValueError, match="integers"):
        diagnostics.saliency(made, data)


def test_saliency_of_a_graph():
    inputs = tauten.Input((8, 8, 1))
    a = layers.Conv2D(3, 3, padding="same", activation="tanh")(inputs)
    b = layers.Add()([a, layers.Conv2D(3, 3, padding="same")(a)])
    made = tauten.Model(inputs, layers.Dense(10, activation="softmax")(layers.Flatten()(b)))
    image = X[:1].reshape(1, 8, 8, 1)
    found = diagnostics.saliency(made, image, 3)
    logits = tauten.Model(inputs, layers.Dense(10)(layers.Flatten()(b)))
    logits.layers[-1].set_weights(made.layers[-1].get_weights())
    moved = image.astype(np.float64)
    moved[0, 4, 4, 0] += 1e-2
    up = logits.predict(moved, verbose=0)[0, 3]
    moved[0, 4, 4, 0] -= 2e-2
    slope = (up - logits.predict(moved, verbose=0)[0, 3]) / 2e-2
    assert found[0, 4, 4, 0] == pytest.approx(abs(slope), rel=2e-2, abs=1e-3)
    with pytest.raises(ValueError, match="one input and one output"):
        diagnostics.saliency(model(), [A, B])
    assert diagnostics.activations(model(), [A, B], "p").shape == (24, 10)
    assert diagnostics.activations(model(), {"a": A, "b": B}, "a").shape == (24, 40)


def test_pictures_of_graphs():
    pytest.importorskip("matplotlib").use("Agg")
    inputs, more = tauten.Input((8, 8, 1), name="image"), tauten.Input((3,), name="more")
    a = layers.Conv2D(3, 3, padding="same", name="maps")(inputs)
    b = layers.Flatten()(layers.Add(name="sum")([a, layers.Conv2D(3, 3, padding="same")(a)]))
    one = tauten.Model(inputs, layers.Dense(10, activation="softmax")(b))
    two = tauten.Model([inputs, more], layers.Concatenate()([b, more]))
    image = X[0].reshape(8, 8, 1)
    assert tauten.plot.saliency(one, image).axes
    assert tauten.plot.saliency(one, {"image": image[None]}).axes
    assert tauten.plot.filters(two, "maps").axes
    assert tauten.plot.feature_maps(two, "sum", [image[None], np.ones((1, 3))]).axes
    with pytest.raises(ValueError, match="expected one sample, got 2"):
        tauten.plot.feature_maps(two, "sum", [np.stack([image] * 2), np.ones((2, 3))])


# -- refusals


def cases():
    def fit(x, y, **arguments):
        return lambda: model(metrics=arguments.pop("metrics", None)).fit(x, y, verbose=0, **arguments)

    bad = B.copy()
    bad[3, 1] = np.nan
    return [
        ("an array for two inputs", fit(X, [P, Q]), TypeError, ["x:", "'net'", "2 inputs", "['a', 'b']", "(24, 64)"]),
        ("one of two inputs", fit([A], [P, Q]), ValueError, ["x:", "2 inputs", "got 1"]),
        ("an input that there is not", fit({"a": A, "c": B}, [P, Q]), ValueError, ["x:", "['a', 'c']", "'c'"]),
        ("a missing input", fit({"a": A}, [P, Q]), ValueError, ["x:", "missing", "'b'"]),
        ("inputs swapped", fit([B, A], [P, Q]), ValueError, ["x of input 'a'", "(40,)", "(24, 24)"]),
        ("unequal samples", fit([A, B[:5]], [P, Q]), ValueError, ["x:", "24 for 'a'", "5 for 'b'"]),
        ("nan in an input", fit([A, bad], [P, Q]), ValueError, ["x of input 'b'", "NaN"]),
        ("an array for two outputs", fit([A, B], P), TypeError, ["y:", "2 outputs", "['p', 'q']"]),
        ("one of two outputs", fit([A, B], [P]), ValueError, ["y:", "2 outputs", "got 1"]),
        ("no y", fit([A, B], None), ValueError, ["y:", "2 outputs"]),
        ("an output that there is not", fit([A, B], {"p": P, "z": Q}), ValueError, ["y:", "'z'"]),
        ("an output left out", fit([A, B], {"p": P}), ValueError, ["y of output 'q'", "no data"]),
        ("outputs swapped", fit([A, B], [Q, P]), ValueError, ["y of output 'p'", "(10,)", "(24, 2)"]),
        ("too few targets", fit([A, B], [P, Q[:3]]), ValueError, ["y of output 'q'", "24", "got 3"]),
        ("weights of one output too many", fit([A, B], [P, Q], sample_weight=[np.ones(24)] * 3), ValueError,
         ["sample_weight:", "2 outputs", "got 3"]),
        ("weights too few", fit([A, B], [P, Q], sample_weight={"q": np.ones(4)}), ValueError,
         ["sample_weight of output 'q'", "(24,)"]),
        ("validation", fit([A, B], [P, Q], validation_data=([B, A], [P, Q])), ValueError,
         ["validation_data: x of input 'a'"]),
        ("losses of one output too many", lambda: model(["mse"] * 3), ValueError,
         ["compile: loss", "2 outputs", "got 3"]),
        ("losses by names", lambda: model({"p": "mse"}), ValueError, ["compile: loss", "missing", "'q'"]),
        ("a loss that does not go with its output", lambda: model(["mse", "categorical_crossentropy"]), ValueError,
         ["softmax", "'q'"]),
        ("no loss at all", lambda: model([None, None]), ValueError, ["compile: a loss is needed"]),
        ("metrics of one list", lambda: model(metrics=["mae"]), ValueError, ["compile: metrics", "2 outputs", "got 1"]),
        ("metrics of an output that there is not", lambda: model(metrics={"z": "mae"}), ValueError,
         ["compile: metrics", "'z'"]),
        ("metrics without a loss", lambda: model([None, "mse"], {"p": "mae"}), ValueError,
         ["metrics", "'p'", "no loss"]),
        ("weights by names", lambda: model(weights={"z": 1.0}), ValueError, ["compile: loss_weights", "'z'"]),
        ("weights as text", lambda: model(weights=["a", 1]), TypeError, ["compile: loss_weights of 'p'", "'a'"]),
        ("gradient flow of two outputs", lambda: diagnostics.gradient_flow(recurrent(), np.ones((2, 3, 4)),
         [np.ones((2, 3))] * 2), ValueError, ["one output"]),
    ]  # fmt: skip


def recurrent():
    x = tauten.Input((3, 4))
    cell = layers.LSTM(3)(x)
    made = tauten.Model(x, [cell, layers.ReLU()(cell)])
    made.compile("sgd", "mse")
    return made


@refused(cases())
def test_refused_with_a_reason(act, error, words):
    check(act, error, words)


def test_a_refused_compile_leaves_the_old_one():
    made = model()
    with pytest.raises(ValueError, match="softmax"):
        made.compile("sgd", ["mse", "categorical_crossentropy"])
    assert made.metrics_names == ["loss", "p_loss", "q_loss"]
    assert np.isfinite(made.evaluate([A, B], [P, Q], verbose=0)).all()
