"""Arguments and second names that Keras has: what they do here, and where they are refused."""

from __future__ import annotations

import numpy as np
import pytest

import tauten
from tauten import activations, initializers, layers, losses, metrics, models, optimizers, regularizers

RNG = np.random.default_rng(2)
P = RNG.random((3, 4, 5))
P /= P.sum(-1, keepdims=True)
Y = np.eye(5)[RNG.integers(0, 5, (3, 4))]


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_axis_of_crossentropies(axis):
    y, p = np.moveaxis(Y, -1, axis), np.moveaxis(P, -1, axis)
    for function in (losses.categorical_crossentropy, losses.categorical_focal_crossentropy):
        np.testing.assert_allclose(function(y, p, axis=axis), function(Y, P))
    for function in (losses.binary_crossentropy, losses.binary_focal_crossentropy):
        np.testing.assert_allclose(function(y, p, axis=axis), function(Y, P))
    labels = Y.argmax(-1)
    found = losses.sparse_categorical_crossentropy(labels, p, axis=axis)
    np.testing.assert_allclose(found, losses.categorical_crossentropy(Y, P))


def test_metrics():
    ids = np.array([[2, 0, 1], [1, 2, 0]])
    np.testing.assert_array_equal(
        metrics.sparse_top_k_categorical_accuracy([0, 0], ids, 2, from_sorted_ids=True), [1, 0]
    )
    assert metrics.SparseTopKCategoricalAccuracy(2, from_sorted_ids=True)([0, 0], ids) == 0.5
    labels = Y.argmax(-1)
    found = metrics.SparseCategoricalCrossentropy(ignore_class=int(labels[0, 0]))(labels, P)
    assert found < metrics.SparseCategoricalCrossentropy()(labels, P)
    with pytest.raises(ValueError, match="multi_label"):
        metrics.AUC(multi_label=True)
    with pytest.raises(ValueError, match="aggregation"):
        metrics.Mean().add_variable((), "zeros", aggregation="mean")


def test_losses_by_position():
    assert losses.MeanSquaredError("sum_over_batch_size", "mine").name == "mine"
    assert losses.KLDivergence().name == "kl_divergence"
    for make in (
        lambda: losses.MeanSquaredError("sum"),
        lambda: losses.CosineSimilarity(0),
        lambda: losses.Huber(1, "sum"),
    ):
        with pytest.raises(ValueError, match="is not supported"):
            make()


def test_there_and_back():
    for module, thing in [
        (initializers, initializers.glorot_uniform(3)),
        (regularizers, regularizers.l1_l2(0.1, 0.2)),
        (optimizers, optimizers.Adam(0.3)),
        (losses, losses.Huber(2.0)),
        (metrics, metrics.Recall(0.3)),
    ]:
        again = module.deserialize(module.serialize(thing))
        assert type(again) is type(thing) and again.get_config() == thing.get_config()
        own = type("Own", (type(thing),), {})
        assert type(module.deserialize("Own", {"Own": own})) is own
    assert activations.get(activations.serialize(activations.relu)) is activations.relu
    assert activations.deserialize("mine", {"mine": np.sin}) is np.sin
    with pytest.raises(ValueError, match="expected one of"):
        activations.deserialize("mine")


def test_models(tmp_path):
    assert tauten.Input(batch_shape=(4, 3)).shape == tauten.Input((3,), batch_size=4).shape == (None, 3)
    model = tauten.Sequential([tauten.Input(batch_shape=(None, 3)), layers.Dense(2)])
    model.compile("sgd", "mse")
    models.save_model(model, tmp_path / "m.safetensors")
    models.load_model(tmp_path / "m.safetensors", None, False, safe_mode=False)
    assert models.model_from_json(model.to_json(indent=1)).get_config() == model.get_config()
    for refused, match in [
        (lambda: models.model_from_json("{"), "model_from_json"),
        (lambda: models.model_from_json('{"class_name": "RNN", "config": {}}'), "RNN"),
        (lambda: tauten.Input((3,), batch_size=0), "batch_size"),
        (lambda: tauten.Input(batch_shape=()), "batch_shape"),
        (lambda: tauten.Input(), "either shape or batch_shape"),
        (lambda: model.summary(layer_range=["dense"]), "layer_range"),
        (lambda: model.save(tmp_path / "x.safetensors", True, True), "zipped"),
        (lambda: model.save_weights(tmp_path / "x.safetensors", max_shard_size=1), "max_shard_size"),
        (lambda: model.load_weights(tmp_path / "m.safetensors", skip_mismatch=True), "skip_mismatch"),
        (lambda: models.clone_model(model, clone_function=id), "clone_function"),
        (lambda: models.Sequential.from_config(model.get_config(), {"a": 1}), "custom_objects"),
        (lambda: model.pop(rebuild=False), "rebuild"),
        (lambda: model.add(layers.Dense(1), rebuild=False), "rebuild"),
        (lambda: model.compile("sgd", "mse", run_eagerly=True), "run_eagerly"),
    ]:
        with pytest.raises(ValueError, match=match):
            refused()
    assert layers.MaxPool2D is layers.MaxPooling2D and layers.PReLU("zeros", None, None, [1]).shared_axes == [1]
    assert tauten.config.backend() == "tauten" and tauten.config.epsilon() == 1e-7
    tauten.utils.clear_session(free_memory=False)


def test_weights_are_attributes():
    dense, plain = layers.Dense(3), layers.Dense(2, use_bias=False)
    with pytest.raises(AttributeError, match="'lone' has no kernel yet"):
        _ = layers.Dense(3, name="lone").kernel
    with pytest.raises(AttributeError, match="'Dense' object has no attribute 'kernels'"):
        _ = dense.kernels
    norm, lstm = layers.BatchNormalization(), layers.LSTM(5)
    model = tauten.Sequential([tauten.Input((None, 4)), dense, norm, lstm, plain])
    assert dense.kernel is model.weights[0] and dense.bias is model.weights[1] and plain.bias is None
    assert norm.moving_mean.shape == (3,) and lstm.recurrent_kernel.shape == (5, 20)
    assert [v.path for v in model.variables] == [v.path for v in model.weights]
    assert len(model.trainable_variables) == 8 and model.non_trainable_variables == [
        norm.moving_mean,
        norm.moving_variance,
    ]
    assert not hasattr(dense, "gamma")


def test_shape_errors_say_what_to_do():
    mlp = tauten.Sequential([tauten.Input((8,)), layers.Dense(3)])
    with pytest.raises(ValueError, match=r"got an array of shape \(2, 5\)$"):
        mlp.predict(np.zeros((2, 5)), verbose=0)
    with pytest.raises(ValueError, match="pad_sequences"):
        tauten.Sequential([tauten.Input((None, 12)), layers.Conv1D(4, 3, padding="same")])
    with pytest.raises(ValueError, match="return_sequences=True"):
        tauten.Sequential([tauten.Input((5, 2)), layers.LSTM(3), layers.LSTM(3)])
    fixed = tauten.Sequential([tauten.Input((5, 2)), layers.LSTM(3)])
    with pytest.raises(ValueError, match=r"Input\(\(None, 2\)\).*pad_sequences"):
        fixed.predict(np.zeros((2, 7, 2)), verbose=0)
