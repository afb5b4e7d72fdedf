"""Sequential: building, names, shapes, weights, configurations, summary."""

from __future__ import annotations

import gc
import subprocess
import sys

import numpy as np
import pytest

import tauten
from data import digits
from tauten import layers


def cnn(**arguments):
    return tauten.Sequential(
        [
            tauten.Input((8, 8, 1)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ],
        **arguments,
    )


def test_import_is_light():
    """Other packages, and modules that few scripts need, are loaded when they are first asked for."""
    later = ("datasets", "diagnostics", "ops", "plot", "utils")
    code = (
        "import sys, tauten\n"
        f"later = {later}\n"
        "unwanted = ['tqdm', 'safetensors', 'sklearn', 'matplotlib', *(f'tauten.{name}' for name in later)]\n"
        "print([name for name in unwanted if name in sys.modules])\n"
        "print(*(getattr(tauten, name) is sys.modules[f'tauten.{name}'] for name in later))\n"
        "print(set(later) <= set(dir(tauten)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\nTrue True True True True\nTrue\n"


def test_automatic_names_are_keras():
    tauten.utils.clear_session()
    model = tauten.Sequential(
        [
            tauten.Input((8, 8, 1)),
            layers.Conv2D(2, 3),
            layers.MaxPooling2D(),
            layers.Conv2D(2, 3),
            layers.Flatten(),
            layers.Dense(2),
            layers.Dense(2),
        ]
    )
    assert model.name == "sequential"
    assert model.input_layer.name == "input_layer"
    assert [layer.name for layer in model.layers] == [
        "conv2d", "max_pooling2d", "conv2d_1", "flatten", "dense", "dense_1",
    ]  # fmt: skip
    names = [cls(1).name for cls in (layers.LSTM, layers.SimpleRNN)] + [layers.AveragePooling1D().name]
    assert names == ["lstm", "simple_rnn", "average_pooling1d"]


def test_shapes_and_weights_of_a_cnn():
    model = cnn()
    assert model.built
    assert model.input_shape == (None, 8, 8, 1)
    assert model.output_shape == (None, 10)
    assert [layer.output_shape for layer in model.layers] == [
        (None, 6, 6, 4), (None, 3, 3, 4), (None, 36), (None, 36), (None, 10),
    ]  # fmt: skip
    assert model.layers[1].input_shape == (None, 6, 6, 4)
    assert [(w.name, w.shape) for w in model.weights] == [
        ("kernel", (3, 3, 1, 4)), ("bias", (4,)), ("kernel", (36, 10)), ("bias", (10,)),
    ]  # fmt: skip
    assert model.count_params() == 410
    assert [layer.count_params() for layer in model.layers] == [40, 0, 0, 0, 370]
    assert all(w.dtype == np.float32 for w in model.get_weights())


@pytest.mark.parametrize(
    ("layer", "shapes"),
    [
        (layers.LSTM(3), [(2, 12), (3, 12), (12,)]),
        (layers.SimpleRNN(3), [(2, 3), (3, 3), (3,)]),
        (layers.LSTM(3, use_bias=False), [(2, 12), (3, 12)]),
        (layers.ForgetGateRNN(3), [(2, 6), (3, 6), (6,)]),
    ],
)
def test_recurrent_weights_have_keras_shapes(layer, shapes):
    model = tauten.Sequential([tauten.Input((None, 2)), layer])
    assert [w.shape for w in model.get_weights()] == shapes
    assert [w.name for w in model.weights] == ["kernel", "recurrent_kernel", "bias"][: len(shapes)]
    assert model.output_shape == (None, 3)


def test_bidirectional_copies_its_layer():
    inner = layers.LSTM(3, unit_forget_bias=True, kernel_regularizer="l2", name="cell")
    model = tauten.Sequential([tauten.Input((None, 2)), layers.Bidirectional(inner, name="both")])
    assert model.output_shape == (None, 6)
    names = ["kernel", "recurrent_kernel", "bias"]
    assert [w.name for w in model.weights] == [f"{d}_{n}" for d in ("forward", "backward") for n in names]
    forwards, backwards = np.split(np.array([w.ravel()[0] for w in model.get_weights()]), 2)
    assert forwards[0] != backwards[0]  # weights of their own
    assert model.get_weights()[5].tolist() == [0] * 3 + [1] * 3 + [0] * 6
    layer = model.layers[-1]
    assert (layer.forward_layer.name, layer.backward_layer.name) == ("forward_cell", "backward_cell")
    assert layer.backward_layer.go_backwards
    assert layer.backward_layer.kernel_regularizer.get_config() == {"l2": 0.01}
    assert not inner.built


def test_bidirectional_freezes_a_direction():
    layer = layers.Bidirectional(layers.LSTM(3, trainable=False))
    model = tauten.Sequential([tauten.Input((4, 2)), layer])
    assert model.trainable_weights == []
    layer.backward_layer.trainable = True
    assert [w.name for w in model.trainable_weights] == [
        "backward_kernel",
        "backward_recurrent_kernel",
        "backward_bias",
    ]
    layer.trainable = False
    assert model.trainable_weights == []


def test_bidirectional_takes_functions_and_the_input_shape_of_its_layer():
    cell = layers.SimpleRNN(3, kernel_initializer=lambda shape, dtype: np.full(shape, 0.5), input_shape=(None, 2))
    model = tauten.Sequential([layers.Bidirectional(cell)])
    assert model.input_shape == (None, None, 2)
    assert (model.get_weights()[0] == 0.5).all()


def test_bidirectional_of_one_layer_is_two_layers():
    x = np.random.default_rng(0).normal(size=(3, 5, 2))
    both = layers.Bidirectional(layers.SimpleRNN(3, return_sequences=True, go_backwards=True))
    model = tauten.Sequential([tauten.Input((5, 2)), both])
    weights = model.get_weights()
    for first, part, order in ((0, weights[:3], True), (3, weights[3:], False)):
        one = layers.SimpleRNN(3, return_sequences=True, go_backwards=order)
        alone = tauten.Sequential([tauten.Input((5, 2)), one])
        alone.set_weights(part)
        states = alone.predict(x, verbose=0)
        # Keras: the layer's own order of time, the other one's turned round to match
        expected = states if order else states[:, ::-1]
        np.testing.assert_array_equal(model.predict(x, verbose=0)[..., first : first + 3], expected)


def test_go_backwards_reads_each_sequence_from_its_own_end():
    rng = np.random.default_rng(0)
    sequences = [rng.normal(size=(n, 2)).astype(np.float32) for n in (4, 1, 6)]
    forwards = tauten.Sequential([tauten.Input((None, 2)), layers.LSTM(3, return_sequences=True)])
    backwards = tauten.Sequential([tauten.Input((None, 2)), layers.LSTM(3, return_sequences=True, go_backwards=True)])
    backwards.set_weights(forwards.get_weights())
    expected = forwards.predict([sequence[::-1] for sequence in sequences], verbose=0)
    for ours, theirs in zip(backwards.predict(sequences, verbose=0), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_return_sequences_and_unknown_steps():
    model = tauten.Sequential([tauten.Input((None, 2)), layers.LSTM(3, return_sequences=True), layers.Dense(4)])
    assert model.output_shape == (None, None, 4)
    assert model.predict(np.zeros((5, 7, 2)), verbose=0).shape == (5, 7, 4)
    assert model.predict(np.zeros((5, 3, 2)), verbose=0).shape == (5, 3, 4)


def test_unit_forget_bias():
    model = tauten.Sequential([tauten.Input((4, 2)), layers.LSTM(3)])
    assert model.get_weights()[2].tolist() == [0] * 3 + [1] * 3 + [0] * 6
    plain = tauten.Sequential([tauten.Input((4, 2)), layers.LSTM(3, unit_forget_bias=False)])
    assert not plain.get_weights()[2].any()


def test_explicit_causal_and_integer_padding():
    def shape(layer, *sample):
        return tauten.Sequential([tauten.Input(sample), layer]).output_shape[1:]

    assert shape(layers.Conv2D(1, 3, padding=1), 8, 8, 1) == (8, 8, 1)
    assert shape(layers.Conv2D(1, 3, padding=((0, 1), (2, 2))), 8, 8, 1) == (7, 10, 1)
    assert shape(layers.Conv2D(1, (3, 1), padding=(1, 0), strides=2), 8, 8, 1) == (4, 4, 1)
    assert shape(layers.Conv1D(2, 3, padding="causal"), 9, 1) == (9, 2)
    assert shape(layers.Conv1D(2, 3, padding=(2, 0)), 9, 1) == (9, 2)
    assert shape(layers.Conv3D(2, 3, padding="same", strides=2), 9, 4, 4, 1) == (5, 2, 2, 2)
    assert shape(layers.AveragePooling2D(3, 2, "same"), 8, 7, 5) == (4, 4, 5)


def test_built_lazily_from_the_first_data():
    model = tauten.Sequential([layers.Dense(3), layers.Dense(2)])
    assert not model.built
    assert model.weights == []
    assert model.get_weights() == []
    with pytest.raises(AttributeError, match="not built"):
        _ = model.input_shape
    with pytest.raises(ValueError, match="needs the weights"):
        model.count_params()
    assert model.predict(np.ones((4, 5)), verbose=0).shape == (4, 2)
    assert model.built
    assert model.input_shape == (None, 5)
    assert [w.shape for w in model.get_weights()] == [(5, 3), (3,), (3, 2), (2,)]


def test_build_with_a_shape():
    model = tauten.Sequential([layers.Dense(3)])
    model.build((None, 5))
    assert [w.shape for w in model.get_weights()] == [(5, 3), (3,)]
    model.build((None, 5))
    with pytest.raises(ValueError, match=r"input shape \(None, 5\), got \(None, 6\)"):
        model.build((None, 6))


def test_input_shape_of_the_first_layer():
    model = tauten.Sequential([layers.Dense(3, input_shape=(5,))])
    assert model.output_shape == (None, 3)
    assert model.input_shape == (None, 5)


def test_add_keeps_weights_and_pop_gives_them_back():
    model = tauten.Sequential([tauten.Input((4,)), layers.Dense(3)])
    first = model.get_weights()
    model.add(layers.Dense(2))
    for before, after in zip(first, model.get_weights()[:2], strict=True):
        np.testing.assert_array_equal(before, after)
    last = model.layers[-1]
    values = last.get_weights()
    assert model.pop() is last
    assert model.output_shape == (None, 3)
    np.testing.assert_array_equal(last.get_weights()[0], values[0])
    np.testing.assert_array_equal(model.get_weights()[0], first[0])
    model.add(last)
    np.testing.assert_array_equal(model.get_weights()[2], values[0])
    other = tauten.Sequential([tauten.Input((3,)), model.pop()])
    np.testing.assert_array_equal(other.get_weights()[0], values[0])


def test_popped_layer_does_not_fit_another_input():
    model = tauten.Sequential([tauten.Input((4,)), layers.Dense(3)])
    model.get_weights()
    layer = model.pop()
    other = tauten.Sequential([tauten.Input((5,)), layer])
    for _ in range(2):
        with pytest.raises(ValueError, match="weights for another input"):
            other.get_weights()
    other.pop()
    other.add(layers.Dense(2))
    assert [w.shape for w in other.get_weights()] == [(5, 2), (2,)]


def test_weights_held_by_the_user_stay_the_models():
    model = tauten.Sequential([tauten.Input((4,)), layers.Dense(3)])
    kernel = model.weights[0]
    model.add(layers.Dense(2))
    kernel.assign(np.ones((4, 3)))
    assert (model.get_weights()[0] == 1).all()
    _, bias, kernel2, bias2 = model.get_weights()
    x = np.arange(4.0)[None]
    np.testing.assert_allclose(model(x), (x @ np.ones((4, 3)) + bias) @ kernel2 + bias2, rtol=1e-6)
    kernel.assign(np.zeros((4, 3)))
    np.testing.assert_allclose(model(x), bias[None] @ kernel2 + bias2, rtol=1e-6)
    assert model.weights[0] is kernel


def test_a_failed_add_leaves_the_model_as_it_was():
    model = tauten.Sequential([tauten.Input((4, 4, 1)), layers.Conv2D(2, 3)])
    with pytest.raises(ValueError, match="conv_big"):
        model.add(layers.Conv2D(2, 3, name="conv_big"))
    assert len(model.layers) == 1
    model.add(layers.Flatten())
    assert model.output_shape == (None, 8)
    assert model.predict(np.ones((1, 4, 4, 1)), verbose=0).shape == (1, 8)


def test_layers_outlive_their_model():
    layer = tauten.Sequential([tauten.Input((4,)), layers.Dense(3)]).layers[0]
    gc.collect()
    assert [w.shape for w in layer.get_weights()] == [(4, 3), (3,)]


def test_set_weights_is_all_or_nothing():
    model = cnn()
    before = model.get_weights()
    wrong = [w + 1 for w in before[:-1]] + [np.zeros(11)]
    with pytest.raises(ValueError, match=r"expected shape \(10,\) for .*bias, got \(11,\)"):
        model.set_weights(wrong)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match="expected 4 arrays, got 3"):
        model.set_weights(before[:3])
    with pytest.raises(TypeError, match="expected numbers"):
        model.layers[0].set_weights([np.full((3, 3, 1, 4), "a"), before[1]])
    model.set_weights([w + 1 for w in before])
    np.testing.assert_array_equal(model.get_weights()[0], before[0] + 1)


def test_one_weight():
    layer = cnn().layers[-1]
    kernel = layer.weights[0]
    assert kernel.path == f"{layer.name}/kernel"
    assert (kernel.size, kernel.dtype, kernel.trainable) == (360, "float32", True)
    kernel.assign(np.ones((36, 10)))
    assert np.asarray(kernel).sum() == 360
    kernel.numpy()[:] = 7  # a copy
    assert layer.get_weights()[0].sum() == 360


def test_get_layer():
    model = cnn()
    assert model.get_layer(index=-1) is model.layers[-1]
    assert model.get_layer(model.layers[0].name) is model.layers[0]
    for arguments in ({}, {"name": "a", "index": 1}, {"name": "none"}, {"index": 9}):
        with pytest.raises(ValueError, match="get_layer"):
            model.get_layer(**arguments)


def test_config_round_trip_of_every_layer():
    model = tauten.Sequential(
        [
            tauten.Input((12, 12, 3), name="pixels"),
            layers.Conv2D(4, (3, 2), 2, "same", activation="relu", kernel_regularizer=tauten.regularizers.L2(0.1)),
            layers.Conv2D(4, 3, padding=((1, 0), (2, 1)), kernel_initializer="he_normal", use_bias=False),
            layers.AveragePooling2D(2, 1, "same"),
            layers.MaxPooling2D((2, 1), padding=((1, 0), (0, 0)), strides=1),
            layers.Activation("hard_swish"),
            layers.PReLU("he_normal", "l2", "non_neg", [1, 2]),
            layers.Reshape((-1, 4)),
            layers.SimpleRNN(5, "relu", return_sequences=True, recurrent_regularizer="l1"),
            layers.ForgetGateRNN(4, "relu", return_sequences=True, go_backwards=True),
            layers.Bidirectional(layers.LSTM(2, return_sequences=True, use_bias=False, name="inner"), "ave"),
            layers.Bidirectional(
                layers.LSTM(2, return_sequences=True),
                backward_layer=layers.SimpleRNN(3, return_sequences=True, go_backwards=True),
            ),
            layers.LSTM(6, recurrent_activation="tanh", unit_forget_bias=False, kernel_regularizer="l1_l2"),
            layers.Dropout(0.25, seed=7),
            layers.Reshape((6, 1)),
            layers.Conv1D(2, 3, padding="causal"),
            layers.MaxPooling1D(2),
            layers.Flatten(),
            layers.Dense(
                3, "sigmoid", False, tauten.initializers.Orthogonal(0.5, seed=3),
                kernel_regularizer=tauten.regularizers.ElasticNet(0.1, 0.3), trainable=False, name="out",
            ),
        ],
        name="zoo",
    )  # fmt: skip
    config = model.get_config()
    twin = tauten.Sequential.from_config(config)
    assert twin.get_config() == config
    assert twin.name == "zoo"
    assert [w.shape for w in twin.weights] == [w.shape for w in model.weights]
    assert [w.trainable for w in twin.weights] == [w.trainable for w in model.weights]
    twin.set_weights(model.get_weights())
    x = np.random.default_rng(0).normal(size=(3, 12, 12, 3))
    np.testing.assert_array_equal(twin.predict(x, verbose=0), model.predict(x, verbose=0))


def test_config_of_objects_given_as_names():
    config = layers.Dense(3, tauten.activations.relu, kernel_regularizer="l2").get_config()
    assert config["activation"] == "relu"
    assert config["kernel_initializer"]["class_name"] == "GlorotUniform"
    assert config["kernel_regularizer"] == {"class_name": "L2", "config": {"l2": 0.01}}


def test_float64_models_stay_float64():
    tauten.config.set_floatx("float64")
    try:
        model = tauten.Sequential([tauten.Input((3,)), layers.Dense(2)])
    finally:
        tauten.config.set_floatx("float32")
    assert model.dtype == "float64"
    assert model.predict(np.zeros((1, 3)), verbose=0).dtype == np.float64
    assert model.get_weights()[0].dtype == np.float64
    assert tauten.Sequential.from_config(model.get_config()).dtype == "float64"


def test_threads_setting():
    before = tauten.config.num_threads()
    tauten.config.set_num_threads(1)
    assert tauten.config.num_threads() == 1
    tauten.config.set_num_threads(before)


def test_config_show(capsys):
    tauten.config.show()
    shown = capsys.readouterr().out
    for word in (tauten.__version__, np.__version__, tauten.config.isa(), "threads", "float32"):
        assert word in shown


def test_summary(capsys):
    model = cnn(name="digits")
    model.layers[0].trainable = False
    model.summary()
    shown = capsys.readouterr().out
    for words in ('Model: "digits"', "(Conv2D)", "(None, 6, 6, 4)", "Param #", "Total params: 410 (1.60 KB, float32)"):
        assert words in shown
    assert "Trainable params: 370 (1.45 KB)" in shown
    assert "Non-trainable params: 40 (160.00 B)" in shown
    assert len({len(line) for line in shown.splitlines()[1:-3]}) == 1  # a straight table
    collected = []
    model.summary(line_length=60, print_fn=collected.append, show_trainable=True)
    assert max(len(line) for line in collected) == 60
    assert any("Trainable" in line for line in collected)
    lazy = tauten.Sequential([layers.Dense(2)])
    lazy.summary()
    assert "unbuilt" in capsys.readouterr().out


def test_to_categorical():
    one_hot = tauten.utils.to_categorical([0, 2, 1])
    assert one_hot.dtype == np.float32
    assert one_hot.tolist() == [[1, 0, 0], [0, 0, 1], [0, 1, 0]]
    assert tauten.utils.to_categorical([[1], [0]], 4).shape == (2, 4)
    for bad in ([0.5], [-1], [3]):
        with pytest.raises(ValueError, match="to_categorical"):
            tauten.utils.to_categorical(bad, 3)


def test_every_public_name_has_a_docstring():
    missing = []
    modules = [getattr(tauten, name) for name in tauten.__all__ if type(getattr(tauten, name)).__name__ == "module"]
    for module in [tauten, *modules]:
        for name in getattr(module, "__all__", []):
            thing = getattr(module, name)
            if callable(thing) and not (thing.__doc__ or "").strip():
                missing.append(f"{module.__name__}.{name}")
            if isinstance(thing, type):
                public = [k for k, v in vars(thing).items() if not k.startswith("_") and callable(v)]
                missing += [
                    f"{module.__name__}.{name}.{k}" for k in public if not (getattr(thing, k).__doc__ or "").strip()
                    and not any(getattr(getattr(base, k, None), "__doc__", None) for base in thing.__mro__[1:])
                ]  # fmt: skip
    assert missing == []


def test_plain_arrays_and_others_predict_alike() -> None:
    """predict_on_batch() has a short way for arrays as the core reads them: same numbers, and the usual errors."""
    model = tauten.Sequential([tauten.Input((8, 8)), layers.Flatten(), layers.Dense(3, activation="tanh")])
    x = digits()[0][:5].astype(np.float32)
    expected = model.predict(x, verbose=0)
    others = [
        x.astype(np.float64),
        x.astype(">f4"),
        np.repeat(x, 2, axis=0)[::2],
        np.asfortranarray(x),
        list(x),
        x.view(Own),
    ]
    others.append(np.frombuffer(bytearray(1) + x.tobytes(), np.float32, offset=1).reshape(x.shape))  # not aligned
    for other in [x, *others]:
        np.testing.assert_array_equal(model.predict_on_batch(other), expected)
        np.testing.assert_array_equal(model(other), expected)
    model.weights[1].assign([1, 2, 3])
    np.testing.assert_array_equal(model.predict_on_batch(x), model.predict(x, verbose=0))
    with pytest.raises(TypeError, match="masked"):
        model.predict_on_batch(np.ma.masked_array(x))
    with pytest.raises(ValueError, match="no samples"):
        model.predict_on_batch(x[:0])
    with pytest.raises(ValueError, match=r"expected samples of shape \(8, 8\)"):
        model.predict_on_batch(x[:, :7])
    model.add(layers.Dense(2))
    assert model.predict_on_batch(x).shape == (5, 2)


class Own(np.ndarray):
    """Somebody's array."""
