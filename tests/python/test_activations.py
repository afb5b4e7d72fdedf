"""tauten.activations, and layers that take an activation by name or are one."""

from __future__ import annotations

import numpy as np
import pytest

import tauten
from numerics import assert_close
from reference.activations import FORWARD
from tauten import activations, layers

NAMES = sorted(set(activations.__all__) - {"get", "serialize", "deserialize", "swish", "hard_swish"})
X = np.random.default_rng(0).normal(size=(40, 9)) * 4


@pytest.fixture(autouse=True)
def same_floatx():
    dtype = tauten.config.floatx()
    yield
    tauten.config.set_floatx(dtype)


def test_every_name_has_a_reference() -> None:
    assert set(NAMES) == set(FORWARD)


@pytest.mark.parametrize("name", NAMES)
def test_functions_and_layers_are_the_reference(name: str) -> None:
    """The NumPy function, the name in Activation and the function in Dense; float32 stays float32."""
    function = getattr(activations, name)
    expected = FORWARD[name](X)
    assert_close(function(X), expected, 1e-14)
    assert_close(function(X.tolist()), expected, 1e-14)
    single = function(X.astype(np.float32))
    assert single.dtype == np.float32
    assert_close(single, expected, 1e-6)
    tauten.config.set_floatx("float64")
    model = tauten.Sequential([tauten.Input((9,)), layers.Activation(name)])
    assert_close(model.predict(X, verbose=0), expected, 1e-14)
    dense = layers.Dense(9, function, kernel_initializer="identity")
    model = tauten.Sequential([tauten.Input((9,)), dense])
    assert_close(model.predict(X, verbose=0), expected, 1e-14)
    assert dense.get_config()["activation"] == name


def test_values_by_hand() -> None:
    """Points where the definitions can be worked out: Keras 3's, not Keras 2's, where the two differ."""
    assert activations.hard_sigmoid([-3, -1.5, 0, 3, 9]).tolist() == [0, 0.25, 0.5, 1, 1]
    assert activations.hard_silu([-4, -1.5, 3, 6]).tolist() == [0, -0.375, 3, 6]
    assert activations.leaky_relu([-10.0, 10.0]).tolist() == [-2, 10]
    assert activations.relu([-10, -5, 0.0, 5, 10], 0.5, 10).tolist() == [-5, -2.5, 0, 5, 10]
    assert activations.relu([0.5, 1, 3], threshold=1).tolist() == [0, 0, 3]
    assert activations.soft_shrink([-2, -0.5, 0.2, 1]).tolist() == [-1.5, 0, 0, 0.5]
    assert activations.sparse_plus([-2, 0, 1, 3]).tolist() == [0, 0.25, 1, 3]
    assert activations.gelu(1.0) == pytest.approx(0.8413447460685429, rel=1e-15)
    assert activations.gelu(1.0, approximate=True) == pytest.approx(0.8411919906082768, rel=1e-15)
    assert activations.selu(-np.inf) == pytest.approx(-1.7580993408473766, rel=1e-15)
    assert activations.elu(-np.inf, 0.5) == -0.5
    assert activations.celu(-np.inf, 2.0) == -2.0
    assert activations.softplus([-1000, 1000]).tolist() == [0, 1000]
    assert activations.log_softmax([[1000.0, 1000.0]])[0, 0] == pytest.approx(-np.log(2))
    np.testing.assert_array_equal(activations.softmax(X.T, axis=0), activations.softmax(X).T)
    np.testing.assert_array_equal(activations.log_softmax(X.T, axis=0), activations.log_softmax(X).T)


def test_aliases() -> None:
    assert activations.name_of("swish") == activations.name_of(activations.swish) == "silu"
    assert activations.name_of("hard_swish") == activations.name_of(activations.hard_silu) == "hard_silu"
    assert activations.name_of(None) == "linear"
    assert layers.Dense(2, "swish").get_config()["activation"] == "silu"


@pytest.mark.parametrize("cell", [layers.SimpleRNN, layers.ForgetGateRNN, layers.LSTM, layers.GRU])
def test_recurrent_layers_take_what_they_say(cell: type) -> None:
    x = X.reshape(8, 5, 9)
    for name in activations.OF_CELLS:
        gates = {} if cell is layers.SimpleRNN else {"recurrent_activation": name}
        for options in ({"activation": name}, gates):
            model = tauten.Sequential([tauten.Input((5, 9)), cell(3, **options)])
            assert np.isfinite(model.predict(x, verbose=0)).all()
    for name in sorted(set(NAMES) - set(activations.OF_CELLS)):
        with pytest.raises(ValueError, match=rf"^{cell.__name__}: activation: expected one of .*, got '{name}'"):
            cell(3, activation=name)


def test_layers_are_the_functions() -> None:
    tauten.config.set_floatx("float64")
    for layer, expected in (
        (layers.ReLU(), activations.relu(X)),
        (layers.ReLU(2.0, 0.1, 0.5), activations.relu(X, 0.1, 2.0, 0.5)),
        (layers.ReLU(max_value=6), activations.relu6(X)),
        (layers.LeakyReLU(), activations.leaky_relu(X, 0.3)),
        (layers.ELU(0.3), activations.elu(X, 0.3)),
        (layers.Softmax(), activations.softmax(X)),
        (layers.TimeDistributed(layers.ELU()), activations.elu(X)),
    ):
        shape = (5, 9) if isinstance(layer, layers.TimeDistributed) else (9,)
        model = tauten.Sequential([tauten.Input(shape), layer])
        assert_close(model.predict(X.reshape(-1, *shape), verbose=0).reshape(X.shape), expected, 1e-14, layer.name)


def test_keras_2_arguments() -> None:
    with pytest.warns(UserWarning, match="LeakyReLU: alpha is deprecated"):
        assert layers.LeakyReLU(alpha=0.1).negative_slope == 0.1
    assert layers.Softmax(axis=[-1]).get_config()["axis"] == -1
    assert layers.PReLU(shared_axes=1).get_config()["shared_axes"] == [1]


def test_names_are_keras() -> None:
    made = [layers.ReLU(), layers.LeakyReLU(), layers.ELU(), layers.PReLU(), layers.Softmax()]
    assert [layer.name.rstrip("_0123456789") for layer in made] == ["re_lu", "leaky_re_lu", "elu", "p_re_lu", "softmax"]


def test_slopes() -> None:
    """PReLU begins with slopes of 0, learns |x|, and is counted, frozen and penalised as every weight is."""
    tauten.utils.set_random_seed(1)
    x = X.astype(np.float32)
    model = tauten.Sequential([tauten.Input((9,)), layers.PReLU(alpha_regularizer=tauten.regularizers.L2(0.5))])
    assert model.count_params() == 9
    np.testing.assert_array_equal(model.predict(x, verbose=0), np.maximum(x, 0))
    model.compile(tauten.optimizers.SGD(0.01), "mse")
    model.set_weights([np.full(9, -1.0)])
    assert model.evaluate(x, np.abs(x), verbose=0) == pytest.approx(4.5)
    model.layers[0].trainable = False
    before = model.get_weights()[0]
    model.fit(x, -x, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], before)
    other = tauten.Sequential([tauten.Input((9,)), layers.PReLU()])
    other.compile(tauten.optimizers.SGD(0.1), "mse")
    other.fit(x, np.abs(x), epochs=80, verbose=0)
    np.testing.assert_allclose(other.get_weights()[0], -np.ones(9), atol=1e-3)
    shared = tauten.Sequential([tauten.Input((4, 5, 3)), layers.Conv2D(7, 2), layers.PReLU(shared_axes=[1, 2])])
    assert shared.get_weights()[-1].shape == (1, 1, 7)


def test_a_mask_passes_slopes_that_steps_share() -> None:
    """Slopes of single steps would be other steps' once masked ones are taken out: above a recurrent layer, refused."""
    below = [tauten.Input((4, 2)), layers.Masking(), layers.LSTM(3, return_sequences=True)]
    tauten.Sequential([*below, layers.PReLU(shared_axes=[1])]).predict(np.ones((2, 4, 2)), verbose=0)
    below = [tauten.Input((4, 2)), layers.Masking(), layers.LSTM(3, return_sequences=True)]
    with pytest.raises(ValueError, match=r"'steep' \(PReLU\) does not support masks"):
        tauten.Sequential([*below, layers.PReLU(name="steep")])


def test_cross_entropy_behind_layers() -> None:
    """A Softmax layer is what a softmax in the Dense below is, bit for bit; logits may come out of any function."""
    labels = np.arange(len(X)) % 3
    weights = []
    for end in ("dense", "layer"):
        tauten.utils.set_random_seed(2)
        model = tauten.Sequential([tauten.Input((9,)), layers.Dense(8, "gelu")])
        for layer in [layers.Dense(3, "softmax")] if end == "dense" else [layers.Dense(3), layers.Softmax()]:
            model.add(layer)
        model.compile("sgd", "sparse_categorical_crossentropy")
        model.fit(X, labels, epochs=3, verbose=0)
        weights.append(np.concatenate([w.ravel() for w in model.get_weights()]))
    np.testing.assert_array_equal(*weights)
    model = tauten.Sequential([tauten.Input((9,)), layers.Dense(3, "log_softmax")])
    model.compile(tauten.optimizers.SGD(0.1), tauten.losses.SparseCategoricalCrossentropy(from_logits=True))
    history = model.fit(X, labels, epochs=20, verbose=0).history["loss"]
    assert history[-1] < history[0]
