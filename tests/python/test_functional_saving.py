"""Graphs as configurations and files: wiring, shared layers, models in models, training that goes on."""

from __future__ import annotations

import json

import numpy as np
import pytest

import tauten
from data import digits
from tauten import layers

X, LABELS = digits()[0][:30].reshape(30, 64).astype(np.float32), digits()[1][:30]


def residual():
    x = tauten.Input((8, 8, 1), name="image")
    e = layers.Conv2D(3, 3, padding="same", activation="relu")(x)
    e = layers.Add()([e, layers.BatchNormalization()(layers.Conv2D(3, 3, padding="same")(e))])
    e = layers.Dropout(0.3)(layers.Flatten()(e))
    return tauten.Model(x, layers.Dense(10, activation="softmax")(e), name="residual"), X.reshape(30, 8, 8, 1), LABELS


def shared():
    """A layer called three times, once on what it wrote, its calls in between of another layer's."""
    a, b = tauten.Input((64,), name="a"), tauten.Input((64,), name="b")
    same, between = layers.Dense(64, activation="tanh", name="same"), layers.Dense(64, name="between")
    e = layers.Concatenate(axis=-1)([same(between(same(a))), same(b)])
    return tauten.Model([a, b], layers.Dense(3)(e)), [X, X[::-1].copy()], X[:, :3]


def within():
    """Models within, a Sequential among them, one called twice; a layer at the top that is also in one of them."""
    both = layers.Dense(8, activation="relu", name="both")
    x = tauten.Input((64,))
    encoder = tauten.Model(x, {"code": layers.Dense(4, name="code")(both(x)), "wide": both(x)}, name="encoder")
    decoder = tauten.Sequential([layers.Dense(8), layers.Dense(64)], name="decoder")
    y = tauten.Input((64,), name="y")
    out = encoder(y)
    again = encoder(decoder(out["code"]))
    outputs = [again["code"], layers.Add()([both(y), out["wide"]])]
    return tauten.Model(y, outputs, name="outer"), X, [X[:, :4], X[:, :8]]


MAKE = pytest.mark.parametrize("make", [residual, shared, within], ids=lambda make: make.__name__)


def outputs(model, x):
    found = model.predict(x, verbose=0)
    return found if isinstance(found, list) else [found]


@MAKE
def test_config_round_trip(make):
    model, x, _ = make()
    config = json.loads(json.dumps(model.get_config()))
    twin = tauten.Model.from_config(config)
    assert twin.get_config() == config
    assert [layer.name for layer in twin.layers] == [layer.name for layer in model.layers]
    assert [w.path for w in twin.weights] == [w.path for w in model.weights]
    assert not np.array_equal(twin.get_weights()[0], model.get_weights()[0])
    twin.set_weights(model.get_weights())
    for ours, theirs in zip(outputs(twin, x), outputs(model, x), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    clone = tauten.models.clone_model(model)
    assert clone.get_config() == config
    assert clone.weights[0] is not model.weights[0]


@MAKE
def test_training_goes_on_from_a_file(make, tmp_path):
    model, x, y = make()
    loss = "sparse_categorical_crossentropy" if make is residual else "mse"
    model.compile(tauten.optimizers.SGD(0.05, momentum=0.9), loss)
    model.fit(x, y, batch_size=8, shuffle=False, verbose=0)
    path = tmp_path / "graph.safetensors"
    model.save(path)
    loaded = tauten.models.load_model(path)
    assert type(loaded) is tauten.Model
    for each in (model, loaded):
        each.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    for ours, theirs in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    model.save_weights(tmp_path / "weights.safetensors")
    fresh = tauten.models.clone_model(model)
    fresh.load_weights(tmp_path / "weights.safetensors")
    for ours, theirs in zip(outputs(fresh, x), outputs(model, x), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_models_over_shared_layers_save_their_own_momentum(tmp_path):
    x = tauten.Input((64,))
    layer = layers.Dense(2, name="both")
    one, other = tauten.Model(x, layer(x)), tauten.Model(x, layer(x))
    for model in (one, other):
        model.compile(tauten.optimizers.SGD(0.1, momentum=0.9), "mse")
        model.train_on_batch(X, X[:, :2])
    other.save(tmp_path / "other.safetensors")
    loaded = tauten.models.load_model(tmp_path / "other.safetensors")
    for model in (other, loaded):
        model.train_on_batch(X, X[:, :2])
    for ours, theirs in zip(loaded.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_sequential_of_models(tmp_path):
    inner = tauten.Sequential([tauten.Input((64,)), layers.Dense(5)], name="inner")
    model = tauten.Sequential([inner, layers.Dense(2)])
    twin = tauten.Sequential.from_config(json.loads(json.dumps(model.get_config())))
    assert [layer.name for layer in twin.layers] == ["inner", model.layers[1].name]
    model.save(tmp_path / "row.safetensors")
    loaded = tauten.models.load_model(tmp_path / "row.safetensors")
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))


def test_configs_that_make_no_sense():
    good = residual()[0].get_config()

    def changed(**changes):
        return {**json.loads(json.dumps(good)), **changes}

    for config, words in [
        (changed(output_layers=["none", 0, 0]), "what no layer writes"),
        (changed(output_layers=3), "expected a place"),
        (changed(output_layers=["flatten", "a", 0]), "expected a place"),
        (changed(dtype="float16"), "dtype"),
        (changed(layers=3), "'layers'"),
        (changed(layers=[3]), "class_name"),
    ]:
        with pytest.raises(ValueError, match=words):
            tauten.Model.from_config(config)
    with pytest.raises(ValueError, match="that of a graph"):
        tauten.Sequential.from_config(changed())
    loop = changed()
    for entry in loop["layers"]:
        if entry["class_name"] == "Add":
            entry["inbound_nodes"] = [[[entry["name"], 0, 0], [entry["name"], 0, 0]]]
    with pytest.raises(ValueError, match="read each other"):
        tauten.Model.from_config(loop)
    nothing = changed()
    nothing["layers"][1]["inbound_nodes"] = []
    with pytest.raises(ValueError, match="reads nothing"):
        tauten.Model.from_config(nothing)
    lost = changed()
    lost["layers"][1] = {"class_name": "Conv2D", "config": {"name": "c"}, "shared": "nowhere", "inbound_nodes": []}
    with pytest.raises(ValueError, match="shared with 'nowhere'"):
        tauten.Model.from_config(lost)
