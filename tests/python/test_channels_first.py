"""channels_first: the same bits as channels_last with the axes moved, and permutes at the ends of a stack only."""

from __future__ import annotations

import numpy as np
import pytest

import tauten
from data import digits
from tauten import _core, layers

FIRST, LAST = "channels_first", "channels_last"


@pytest.fixture(autouse=True)
def same_settings():
    threads = _core.num_threads()
    yield
    tauten.config.set_image_data_format(LAST)
    _core.set_num_threads(threads)


def stack(data_format: str | None) -> list[layers.Layer]:
    return [
        layers.ZeroPadding2D(((1, 0), (0, 2)), data_format),
        layers.Conv2D(7, 3, activation="relu", data_format=data_format),
        layers.MaxPooling2D(3, 2, data_format=data_format),
        layers.Conv2D(5, (2, 1), padding="same", data_format=data_format),
        layers.Activation("tanh"),
        layers.UpSampling2D(2, data_format, "bilinear"),
        layers.Cropping2D((1, 0), data_format),
        layers.AveragePooling2D(2, 1, "same", data_format),
    ]


TAILS = {
    "flatten": lambda f: [layers.Flatten(f)],
    "max": lambda f: [layers.GlobalMaxPooling2D(f)],
    "average": lambda f: [layers.GlobalAveragePooling2D(f, keepdims=True), layers.Flatten(f)],
    "conv": lambda f: [layers.Conv2D(10, 4, data_format=f, activation="sigmoid"), layers.Flatten(f)],
    "normed": lambda f: [
        layers.BatchNormalization(1 if f == FIRST else -1),
        layers.SpatialDropout2D(0.3, f, seed=4),
        layers.DepthwiseConv2D(2, data_format=f, depth_multiplier=2),
        layers.SeparableConv2D(7, 2, data_format=f),
        layers.GlobalAveragePooling2D(f),
    ],
}


def images() -> tuple[np.ndarray, np.ndarray]:
    """Three neighbouring digits are the channels of an image."""
    x, y = digits()
    return np.stack([x[:-2], x[1:-1], x[2:]], axis=-1)[:64].astype(np.float32), y[:64]


def trained(data_format: str, tail: str) -> tauten.Sequential:
    x, y = images()
    x = np.moveaxis(x, -1, 1) if data_format == FIRST else x
    tauten.utils.set_random_seed(3)
    model = tauten.Sequential([
        tauten.Input(x.shape[1:]), *stack(data_format), *TAILS[tail](data_format), layers.Dense(10, "softmax")
    ])  # fmt: skip
    model.compile(tauten.optimizers.SGD(0.1, momentum=0.9), "sparse_categorical_crossentropy")
    model.fit(x, y, 16, 2, verbose=0)
    model.outputs_of_digits = model.predict(x, verbose=0)
    return model


@pytest.mark.parametrize("tail", TAILS)
def test_same_bits(tail: str) -> None:
    first, last = trained(FIRST, tail), trained(LAST, tail)
    for a, b in zip(first.get_weights(), last.get_weights(), strict=True):
        assert a.tobytes() == b.tobytes()
    assert first.outputs_of_digits.tobytes() == last.outputs_of_digits.tobytes()
    for a, b in zip(first.layers, last.layers, strict=True):
        moved = a.output_shape
        if len(moved) == 4:
            moved = (moved[0], *moved[2:], moved[1])
        assert moved == b.output_shape, a.name


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda f: layers.Conv1D(4, 3, 2, "causal", f, activation="sigmoid"), (9, 3)),
        (lambda f: layers.Conv3D(4, 2, (1, 2, 1), "same", f), (4, 5, 3, 2)),
        (lambda f: layers.MaxPooling1D(3, 2, "same", f), (9, 3)),
        (lambda f: layers.AveragePooling3D(2, 1, "same", f), (4, 5, 3, 2)),
        (lambda f: layers.GlobalMaxPooling1D(f, True), (9, 3)),
        (lambda f: layers.GlobalAveragePooling3D(f), (4, 5, 3, 2)),
        (lambda f: layers.ZeroPadding1D((1, 3), f), (9, 3)),
        (lambda f: layers.ZeroPadding3D(((1, 0), (2, 1), (0, 3)), f), (4, 5, 3, 2)),
        (lambda f: layers.Cropping3D(((1, 0), (2, 1), (0, 1)), f), (4, 5, 3, 2)),
        (lambda f: layers.UpSampling3D((1, 2, 3), f), (4, 5, 3, 2)),
        (lambda f: layers.Flatten(f), (4, 5, 3, 2)),
        (lambda f: layers.Flatten(f), (4,)),
    ],
)
def test_one_layer(make, shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).normal(size=(3, *shape)).astype(np.float32)
    outputs = []
    for data_format in (FIRST, LAST):
        tauten.utils.set_random_seed(1)
        data = np.moveaxis(x, -1, 1) if data_format == FIRST else x
        y = tauten.Sequential([tauten.Input(data.shape[1:]), make(data_format)]).predict(data, verbose=0)
        outputs.append(np.moveaxis(y, 1, -1) if data_format == FIRST else y)
    np.testing.assert_array_equal(*outputs)


def permutes(model: tauten.Sequential) -> int:
    """Nodes of the closed network that layers with the channels first have brought."""
    assert len(model.weights) > 0
    names = [line.split(" -> ")[0] for line in model._graph.network.plan.splitlines()[1:]]
    return len(names) - len(set(names))


def test_permutes_stand_at_the_ends() -> None:
    shape = (3, 8, 8)
    model = tauten.Sequential([tauten.Input(shape), *stack(FIRST), layers.Flatten(FIRST), layers.Dense(10)])
    assert permutes(model) == 1  # of the images alone
    model = tauten.Sequential([tauten.Input(shape), *stack(FIRST)])
    assert permutes(model) == 2
    tauten.config.set_image_data_format(LAST)
    model = tauten.Sequential([tauten.Input((8, 8, 3)), *stack(None), layers.Flatten(), layers.Dense(10)])
    assert permutes(model) == 0


def test_softmax_is_over_the_last_axis() -> None:
    """As in Keras, whatever the data_format."""
    model = tauten.Sequential([tauten.Input((3, 5, 4)), layers.Conv2D(2, 2, activation="softmax", data_format=FIRST)])
    y = model.predict(np.random.default_rng(0).normal(size=(2, 3, 5, 4)), verbose=0)
    assert y.shape == (2, 2, 4, 3)
    np.testing.assert_allclose(y.sum(axis=-1), 1, rtol=1e-6)


def test_default_data_format() -> None:
    """It is asked when a layer is made."""
    assert tauten.config.image_data_format() == LAST
    before = layers.Conv2D(2, 3)
    tauten.config.set_image_data_format("Channels_First")
    assert tauten.config.image_data_format() == FIRST
    made = [layers.Conv2D(2, 3), layers.MaxPooling2D(), layers.Flatten(), layers.GlobalMaxPooling2D()]
    made += [layers.ZeroPadding2D(), layers.Cropping2D(), layers.UpSampling2D()]
    assert {layer.data_format for layer in made} == {FIRST}
    assert before.data_format == LAST
    assert tauten.Sequential([tauten.Input((1, 5, 4)), layers.Conv2D(2, 3)]).output_shape == (None, 2, 3, 2)
    # those that have no data_format in Keras
    model = tauten.Sequential([tauten.Input((4, 3)), layers.UpSampling1D(), layers.Cropping1D()])
    assert model.output_shape == (None, 6, 3)


def test_a_saved_model_keeps_its_data_format(tmp_path) -> None:
    model = trained(FIRST, "average")
    model.save(tmp_path / "model.safetensors")
    tauten.config.set_image_data_format(FIRST)
    loaded = tauten.models.load_model(tmp_path / "model.safetensors")
    assert [layer.get_config() for layer in loaded.layers] == [layer.get_config() for layer in model.layers]
    x = np.moveaxis(images()[0], -1, 1)
    assert loaded.predict(x, verbose=0).tobytes() == model.outputs_of_digits.tobytes()


def test_a_saved_aggregation_has_its_channels_last(tmp_path) -> None:
    """It knows no other data_format: a model that was made so is read, whatever the default now is."""
    model = tauten.Sequential([tauten.Input((8, 8, 3)), layers.Aggregation2D("avg", 2, 2)])
    model.save(tmp_path / "model.safetensors")
    tauten.config.set_image_data_format(FIRST)
    loaded = tauten.models.load_model(tmp_path / "model.safetensors")
    x = images()[0]
    assert loaded.predict(x, verbose=0).tobytes() == model.predict(x, verbose=0).tobytes()
    with pytest.raises(ValueError, match=r"^Aggregation2D: data_format: expected 'channels_last'"):
        layers.Aggregation2D()


def test_a_refused_layer_leaves_the_model(tmp_path) -> None:
    model = tauten.Sequential([tauten.Input((3, 8, 8)), layers.Conv2D(4, 3, data_format=FIRST)])
    with pytest.raises(ValueError, match=r"^big: a window of 7 .*input \(4, 6, 6\), pool_size \(7, 7\)"):
        model.add(layers.MaxPooling2D(7, data_format=FIRST, name="big"))
    with pytest.raises(ValueError, match=r"^big: .* got shape \(4, 6, 6\)"):
        model.add(layers.MaxPooling3D(2, data_format=FIRST, name="big"))
    model.add(layers.MaxPooling2D(2, data_format=FIRST))
    assert model.output_shape == (None, 4, 3, 3)
    assert model.predict(np.zeros((1, 3, 8, 8)), verbose=0).shape == (1, 4, 3, 3)
