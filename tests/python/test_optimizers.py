"""Optimizers as users meet them: arguments, configurations, training, files. The rules: test_optimizer_rules.py."""

from __future__ import annotations

import copy
import inspect
import json
import pickle

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

import tauten
from data import digits
from tauten import layers, optimizers
from tauten.optimizers import SGD, Adagrad, Adam, AdamW, RMSprop

EACH = {
    "sgd": lambda **options: SGD(0.1, momentum=0.9, **options),
    "adam": lambda **options: Adam(0.01, amsgrad=True, **options),
    "adamw": lambda **options: AdamW(0.01, weight_decay=0.1, **options),
    "rmsprop": lambda **options: RMSprop(0.002, momentum=0.5, centered=True, **options),
    "adagrad": lambda **options: Adagrad(0.05, **options),
}
OPTIONS = {
    "plain": {},
    "norm": {"clipnorm": 0.1, "use_ema": True, "ema_momentum": 0.8},
    "accumulation": {"gradient_accumulation_steps": 4, "global_clipnorm": 0.2},
    "value": {"clipvalue": 0.01, "use_ema": True, "ema_overwrite_frequency": 2},
}


@pytest.fixture
def data():
    images, labels = digits()
    return images[:96], labels[:96]


def make(optimizer, dtype="float32", dropout=0.2):
    tauten.config.set_floatx(dtype)
    try:
        tauten.utils.set_random_seed(1)
        model = tauten.Sequential(
            [
                tauten.Input((8, 8)),
                layers.Flatten(),
                layers.Dense(16, "relu", kernel_regularizer="l2"),
                layers.Dropout(dropout),
                layers.Dense(10, "softmax"),
            ]
        )
    finally:
        tauten.config.set_floatx("float32")
    model.compile(optimizer, "sparse_categorical_crossentropy")
    return model


def train(model, data, epochs=1):
    return model.fit(*data, batch_size=16, epochs=epochs, shuffle=False, verbose=0)


def assert_same(one, other):
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


# -- arguments


def test_keras_signatures_and_defaults():
    common = {
        "clipnorm": None,
        "clipvalue": None,
        "global_clipnorm": None,
        "use_ema": False,
        "ema_momentum": 0.99,
        "ema_overwrite_frequency": None,
        "loss_scale_factor": None,
        "gradient_accumulation_steps": None,
        "name": None,
    }
    expected = {
        SGD: {"learning_rate": 0.01, "momentum": 0.0, "nesterov": False, "weight_decay": None},
        Adam: {"learning_rate": 1e-3, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, "amsgrad": False}
        | {"weight_decay": None},
        AdamW: {"learning_rate": 1e-3, "weight_decay": 0.004, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}
        | {"amsgrad": False},
        RMSprop: {"learning_rate": 1e-3, "rho": 0.9, "momentum": 0.0, "epsilon": 1e-7, "centered": False}
        | {"weight_decay": None},
        Adagrad: {"learning_rate": 1e-3, "initial_accumulator_value": 0.1, "epsilon": 1e-7, "weight_decay": None},
    }
    for cls, arguments in expected.items():
        found = {name: p.default for name, p in inspect.signature(cls).parameters.items()}
        assert list(found.items()) == list((arguments | common).items()), cls


@pytest.mark.parametrize("name", EACH)
def test_names_and_configurations(name):
    default = optimizers.get(name)
    assert default.name == name
    assert default.iterations == 0
    assert type(optimizers.get(type(default).__name__)) is type(default) is type(optimizers.get(type(default)))
    for options in OPTIONS.values():
        one = EACH[name](**options, name="own")
        config = json.loads(json.dumps(one.get_config()))
        for other in (
            type(one).from_config(config),
            optimizers.get({"class_name": type(one).__name__, "config": config}),
            copy.deepcopy(one),
            pickle.loads(pickle.dumps(one)),
        ):
            assert type(other) is type(one)
            assert other.get_config() == one.get_config()
        assert f"{type(one).__name__}(learning_rate=" in repr(one)


@pytest.mark.parametrize(
    "build, words",
    [
        (lambda: Adam(-1.0), "Adam: learning_rate: expected a number of at least 0, got -1"),
        (lambda: Adam(beta_1=1.0), "Adam: beta_1: expected a number below 1"),
        (lambda: Adam(beta_2=-0.5), "Adam: beta_2"),
        (lambda: Adam(epsilon=0.0), "Adam: epsilon: expected a positive number"),
        (lambda: AdamW(weight_decay=None), "AdamW: weight_decay: expected a number, got None"),
        (lambda: SGD(weight_decay=-0.1), "SGD: weight_decay"),
        (lambda: SGD(momentum=2.0), "SGD: momentum"),
        (
            lambda: SGD(clipnorm=1.0, clipvalue=0.5),
            "only one of clipnorm, clipvalue and global_clipnorm .* clipvalue=0.5",
        ),
        (lambda: SGD(clipnorm=-1.0), "SGD: clipnorm"),
        (lambda: SGD(global_clipnorm=float("nan")), "global_clipnorm: expected a finite number"),
        (lambda: SGD(gradient_accumulation_steps=1), "gradient_accumulation_steps: expected at least 2, got 1"),
        (lambda: SGD(use_ema=True, ema_momentum=1.5), "ema_momentum"),
        (lambda: SGD(use_ema=True, ema_overwrite_frequency=0), "ema_overwrite_frequency: expected at least 1"),
        (lambda: SGD(loss_scale_factor=2.0), "loss_scale_factor=2.0 is not supported"),
        (lambda: RMSprop(rho=1.5), "RMSprop: rho"),
        (lambda: Adagrad(initial_accumulator_value=-0.1), "Adagrad: initial_accumulator_value"),
        (lambda: Adagrad(name="a/b"), "Adagrad: name"),
    ],
)
def test_bad_values(build, words):
    with pytest.raises(ValueError, match=words):
        build()


@pytest.mark.parametrize(
    "build",
    [
        lambda: Adam("0.1"),
        lambda: Adam(None),
        lambda: Adam(amsgrad=1),
        lambda: SGD(nesterov="yes"),
        lambda: SGD(use_ema=1),
        lambda: SGD(gradient_accumulation_steps=2.5),
        lambda: SGD(decay=0.1),
        lambda: RMSprop(centered=None),
        lambda: optimizers.Optimizer(0.1),
        lambda: optimizers.get(0.1),
    ],
)
def test_bad_types(build):
    with pytest.raises(TypeError):
        build()


def test_a_refused_setting_stays_as_it_was(data):
    adam = Adam(0.01)
    for name, bad in (("beta_1", 1.0), ("epsilon", "small"), ("clipnorm", -1), ("use_ema", None)):
        before = getattr(adam, name)
        with pytest.raises((ValueError, TypeError), match=f"Adam: {name}"):
            setattr(adam, name, bad)
        assert getattr(adam, name) == before
    model = make(adam)
    train(model, data)
    adam.clipvalue, adam.clipnorm = 1.0, 1.0
    before = model.get_weights()
    with pytest.raises(ValueError, match="only one can be set"):
        train(model, data)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


# -- training


@pytest.mark.parametrize("name", EACH)
def test_learns(name, data):
    model = make(name)
    model.optimizer.learning_rate = {"sgd": 0.1, "rmsprop": 0.003, "adagrad": 0.05}.get(name, 0.01)
    losses = train(model, data, epochs=15).history["loss"]
    assert losses[-1] < 0.65 * losses[0]


def test_settings_hold_from_the_next_step(data):
    """As another optimizer with them that goes on with the same slots."""
    model, twin = make(SGD(0.1, momentum=0.9)), make(SGD(0.1, momentum=0.9))
    for one in (model, twin):
        train(one, data)
    model.optimizer.momentum = 0.5
    model.optimizer.nesterov = True
    model.optimizer.weight_decay = 0.1
    slots = [w.slots for w in twin.weights]
    steps, calls = twin._network().steps, twin._network().calls
    twin.compile(SGD(0.1, momentum=0.5, nesterov=True, weight_decay=0.1), "sparse_categorical_crossentropy")
    assert all(w.slots == {} for w in twin.weights)
    assert twin._network().steps == 0
    twin._network().steps = steps
    assert twin._network().calls == calls
    for weight, kept in zip(twin.weights, slots, strict=True):
        for number, value in kept.items():
            weight.set_slot(number, value)
    for one in (model, twin):
        train(one, data)
    assert_same(model, twin)


def test_an_optimizer_that_served_before_starts_anew(data):
    """Bias corrections go by what the slots hold, not by the optimizer's count."""
    adam = Adam(0.01)
    train(make(adam), data)
    assert adam.iterations == 6
    model, fresh = make(adam), make(Adam(0.01))
    for one in (model, fresh):
        train(one, data)
    assert adam.iterations == 12
    assert_same(model, fresh)


def test_frozen_layers_keep_weights_and_have_no_slots(data):
    for option in OPTIONS.values():
        model = make("sgd")
        model.layers[1].trainable = False
        model.compile(Adam(0.01, weight_decay=0.1, **option), "sparse_categorical_crossentropy")
        before = model.get_weights()
        train(model, data)
        frozen, trained = model.weights[:2], model.weights[2:]
        for weight, old in zip(frozen, before[:2], strict=True):
            np.testing.assert_array_equal(weight.numpy(), old)
            assert weight.slots == {}
        for weight, old in zip(trained, before[2:], strict=True):
            assert np.abs(weight.numpy() - old).max() > 0
            assert set(weight.slots) >= {0, 1}


def test_accumulation_is_the_mean_over_batches_of_one_size(data):
    """Two batches of 48 accumulated are one of 96, when nothing but the loss differs from batch to batch."""
    x, y = data
    one, two = (make("sgd", "float64", dropout=0.0) for _ in range(2))
    one.compile(Adam(0.01, global_clipnorm=0.1), "sparse_categorical_crossentropy")
    two.compile(Adam(0.01, global_clipnorm=0.1, gradient_accumulation_steps=2), "sparse_categorical_crossentropy")
    one.fit(x, y, batch_size=96, epochs=5, shuffle=False, verbose=0)
    two.fit(x, y, batch_size=48, epochs=5, shuffle=False, verbose=0)
    assert one.optimizer.iterations == two.optimizer.iterations == 5
    for a, b in zip(one.get_weights(), two.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_a_step_that_only_accumulates_leaves_the_weights(data):
    x, y = data
    model = make(SGD(0.1, gradient_accumulation_steps=3))
    before = model.get_weights()
    for step in range(2):
        model.train_on_batch(x[:16], y[:16])
        for a, b in zip(model.get_weights(), before, strict=True):
            np.testing.assert_array_equal(a, b)
        assert model.optimizer.iterations == 0
        assert model._network().steps == step + 1
    model.train_on_batch(x[:16], y[:16])
    assert model.optimizer.iterations == 1
    assert all(np.abs(a - b).max() > 0 for a, b in zip(model.get_weights(), before, strict=True))


def test_fit_ends_with_the_averages(data):
    """While it runs the weights are the trained ones; what it leaves is their average, in float64 by hand."""
    x, y = data
    model = make(SGD(0.1, use_ema=True, ema_momentum=0.7), "float64")
    history = []

    class Watch(tauten.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            history.append(self.model.get_weights())

        def on_epoch_end(self, epoch, logs=None):
            for a, b in zip(self.model.get_weights(), history[-1], strict=True):
                np.testing.assert_array_equal(a, b)

    model.fit(x, y, batch_size=16, epochs=2, shuffle=False, verbose=0, callbacks=[Watch()])
    average = history[0]
    for weights in history[1:]:
        average = [0.7 * a + 0.3 * w for a, w in zip(average, weights, strict=True)]
    for found, wanted, last in zip(model.get_weights(), average, history[-1], strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-15)
        assert np.abs(found - last).max() > 1e-4
    model.train_on_batch(x, y)
    before = model.get_weights()
    model.optimizer.finalize_variable_values(model.trainable_weights)
    assert all((a != b).any() for a, b in zip(model.get_weights(), before, strict=True))


def test_no_average_no_change(data):
    model = make("sgd")
    train(model, data)
    before = model.get_weights()
    Adam(use_ema=True).finalize_variable_values(model.trainable_weights)
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", EACH)
def test_without_the_look_at_gradients_the_bits_are_the_same(name, data):
    models = []
    for check in (True, False):
        tauten.config.set_check_gradients(check)
        try:
            models.append(make(EACH[name](**OPTIONS["norm"])))
            train(models[-1], data)
        finally:
            tauten.config.set_check_gradients(True)
    assert_same(*models)


def test_slots_survive_add_and_pop(data):
    model, untouched = make(EACH["adam"](use_ema=True)), make(EACH["adam"](use_ema=True))
    for one in (model, untouched):
        train(one, data)
    model.add(layers.Dense(3, name="more"))
    assert len(model.weights) == 6
    model.pop()
    for a, b in zip(model.weights, untouched.weights, strict=True):
        assert list(a.slots) == list(b.slots) == [0, 1, 2, 3]
        for number, value in a.slots.items():
            np.testing.assert_array_equal(value, b.slots[number])
    for one in (model, untouched):
        train(one, data)
    assert_same(model, untouched)


def test_an_embedding_gets_its_whole_part():
    """Rows that the batch does not have move on, too: decay, momentum, averages."""
    model = tauten.Sequential(
        [tauten.Input((3,), dtype="int32"), layers.Embedding(5, 2), layers.Flatten(), layers.Dense(1)]
    )
    model.compile(Adam(0.1), "mse")
    table = model.weights[0]
    start = table.numpy()
    model.train_on_batch(np.array([[0, 1, 2]]), np.ones((1, 1)))
    np.testing.assert_array_equal(table.numpy()[3:], start[3:])
    moved = table.numpy()
    assert (moved[:3] != start[:3]).all()
    model.train_on_batch(np.array([[3, 3, 3]]), np.ones((1, 1)))
    assert (table.numpy()[:3] != moved[:3]).all()


# -- files


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("name", EACH)
def test_a_saved_model_goes_on_as_if_nothing_had_been(name, option, data, tmp_path):
    path = tmp_path / "model.safetensors"
    model, whole = (make(EACH[name](**OPTIONS[option])) for _ in range(2))
    for one in (model, whole):
        for batch in range(5):  # in the middle of an accumulation
            part = slice(16 * batch, 16 * batch + 16)
            one.train_on_batch(data[0][part], data[1][part])
    model.save(path)
    model = tauten.models.load_model(path)
    assert model.optimizer.get_config() == whole.optimizer.get_config()
    assert model.optimizer.iterations == whole.optimizer.iterations
    for a, b in zip(model.weights, whole.weights, strict=True):
        assert list(a.slots) == list(b.slots)
        for number, value in a.slots.items():
            np.testing.assert_array_equal(value, b.slots[number])
    for one in (model, whole):
        train(one, data, epochs=2)
    assert_same(model, whole)


def test_names_in_the_file(data, tmp_path):
    path = tmp_path / "model.safetensors"
    model = make(EACH["rmsprop"](gradient_accumulation_steps=2, use_ema=True))
    model.train_on_batch(*data)
    model.save(path)
    names = {name.split("/")[1] for name in load_file(path) if name.startswith("optimizer/")}
    assert names == {"velocity", "momentum", "average_gradient", "average", "gradient_accumulator"}
    weight = model.weights[0]
    for slot in names:
        kept = weight.slots[model.optimizer.slot_number(slot)]
        np.testing.assert_array_equal(load_file(path)[f"optimizer/{slot}/{weight.path}"], kept)
    with pytest.raises(ValueError, match="RMSprop keeps no 'velocity_hat'; it keeps velocity, momentum"):
        model.optimizer.slot_number("velocity_hat")


def rewrite(path, change_header=None, change_tensors=None):
    with safe_open(path, framework="numpy") as file:
        header = json.loads(file.metadata()["tauten"])
    tensors = load_file(path)
    if change_header:
        change_header(header)
    if change_tensors:
        change_tensors(tensors)
    save_file(tensors, path, {"tauten": json.dumps(header)})


def test_files_from_before_there_were_slots(data, tmp_path):
    """Their only optimizer was SGD, with four settings; velocities of zeros were left out."""
    path = tmp_path / "model.safetensors"
    model = make(EACH["sgd"]())
    train(model, data)
    model.save(path)

    def age(header):
        del header["training"]["steps"]
        config = header["compile"]["optimizer"]["config"]
        header["compile"]["optimizer"]["config"] = {
            name: config[name] for name in ("name", "learning_rate", "momentum", "nesterov")
        }

    rewrite(path, age)
    twin = tauten.models.load_model(path)
    assert twin.optimizer.iterations == twin._network().steps == 6
    for one in (model, twin):
        train(one, data)
    assert_same(model, twin)


def test_slots_that_do_not_fit(data, tmp_path):
    path = tmp_path / "model.safetensors"
    model = make(EACH["sgd"]())
    train(model, data)
    first = model.weights[0].path
    for name, value, words in (
        (f"optimizer/accumulator/{first}", np.zeros((64, 16), np.float32), "SGD keeps no 'accumulator'"),
        (f"optimizer/velocity/{first}", np.zeros(3, np.float32), r"expected shape \(64, 16\)"),
        (f"optimizer/velocity/{first}", np.full((64, 16), np.nan, np.float32), "expected finite numbers"),
        ("optimizer/speed/" + first, np.zeros(3, np.float32), "unexpected"),
        ("optimizer/velocity/nobody", np.zeros(3, np.float32), "unexpected"),
    ):
        model.save(path)
        rewrite(path, None, lambda tensors, name=name, value=value: tensors.update({name: value}))
        with pytest.raises(ValueError, match=words):
            tauten.models.load_model(path)
