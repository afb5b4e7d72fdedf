"""diagnostics.activations and saliency against the reference and numerically; tauten.plot's pictures."""

from __future__ import annotations

import sys
from copy import deepcopy

import matplotlib as mpl
import numpy as np
import pytest

import reference as ref
import tauten
from data import digits
from examples import randomize
from headless import printed
from numerics import TOLERANCE, assert_close, assert_gradient, numerical_gradient
from tauten import diagnostics, layers, plot

mpl.use("Agg")
from matplotlib import pyplot as plt


@pytest.fixture(autouse=True)
def settings():
    dtype = tauten.config.floatx()
    yield
    tauten.config.set_floatx(dtype)
    plt.close("all")


# Networks of Tauten's layers and the reference's: activations that a layer below takes over, ends that the loss splits
# off, changes of layout, padding that neighbours share, dropout, sequences.
NETWORKS = {
    "images": (
        (6, 5, 2),
        [
            (layers.Conv2D(3, 3, padding="same"), ref.Conv(3, (3, 3), padding="same")),
            (layers.Activation("relu"), ref.Activation("relu")),
            (layers.MaxPooling2D(2), ref.Pool("max", (2, 2))),
            (layers.Conv2D(4, 2, padding="same", activation="tanh"), ref.Conv(4, (2, 2), None, "same", "tanh")),
            (layers.Dropout(0.5), ref.Dropout(0.5, 0)),
            (layers.Aggregation2D("avg", 2, 3, 1), ref.Aggregate("average", (2, 2), 3, (1, 1))),
            (layers.Flatten(), ref.Flatten()),
            (layers.Dense(5), ref.Dense(5)),
            (layers.Activation("softmax"), ref.Activation("softmax")),
        ],
    ),
    "sequences": (
        (None, 3),
        [
            (layers.Dense(4, activation="tanh"), ref.Dense(4, "tanh")),
            (layers.LSTM(3, return_sequences=True), ref.LSTM(3, return_sequences=True)),
            (
                layers.Bidirectional(layers.GRU(2, return_sequences=True)),
                ref.Bidirectional(ref.GRU(2, return_sequences=True), ref.GRU(2, return_sequences=True)),
            ),
            (layers.SimpleRNN(4), ref.SimpleRNN(4)),
            (layers.Dense(1, activation="sigmoid"), ref.Dense(1, "sigmoid")),
        ],
    ),
    "rows": (
        (4, 3),
        [
            (layers.SimpleRNN(4, return_sequences=True), ref.SimpleRNN(4, return_sequences=True)),
            (layers.Reshape((4, 2, 2)), ref.Reshape((4, 2, 2))),
            (layers.Conv2D(2, 2, activation="sigmoid"), ref.Conv(2, (2, 2), activation="sigmoid")),
        ],
    ),
}


def made(name: str, dtype: str = "float64") -> tuple[tauten.Sequential, ref.Network]:
    """Both networks with the same random weights."""
    shape, pairs = NETWORKS[name]
    tauten.config.set_floatx(dtype)
    copies = [type(layer).from_config(layer.get_config()) for layer, _ in pairs]
    model = tauten.Sequential([tauten.Input(shape), *copies])
    net = ref.Network(shape, deepcopy([twin for _, twin in pairs]))
    randomize(net, np.random.default_rng(3))
    model.set_weights(net.weights)
    net.weights = model.get_weights()
    return model, net


def data(name: str, samples: int = 3) -> np.ndarray:
    shape = NETWORKS[name][0]
    return np.random.default_rng(1).normal(size=(samples, *(n or 4 for n in shape)))


# -- activations


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", NETWORKS)
def test_activations(name: str, dtype: str) -> None:
    """Of every layer, for many samples, in batches, and for a single one; nothing in the model changes."""
    model, net = made(name, dtype)
    x = data(name).astype(dtype)
    before = model.predict(x).tobytes()
    for number, layer in enumerate(model.layers):
        below = ref.Network(net.shape, deepcopy(net.layers[: number + 1]))
        below.weights = [w for lower in model.layers[: number + 1] for w in lower.get_weights()]
        expected = below.predict(x.astype(np.float64))
        for chosen in (layer, layer.name):
            found = diagnostics.activations(model, x, chosen)
            assert found.dtype == dtype
            assert_close(found, expected, TOLERANCE[dtype], layer.name)
        np.testing.assert_array_equal(diagnostics.activations(model, x, layer, batch_size=2), found)
        assert_close(diagnostics.activations(model, x[1], layer), expected[1], TOLERANCE[dtype], layer.name)
    assert model.predict(x).tobytes() == before
    np.testing.assert_array_equal(diagnostics.activations(model, x, model.layers[-1]), model.predict(x))


def test_activations_of_lists_and_masked_steps() -> None:
    """As predict() gives them: lists for lists, masked steps filled in."""
    tauten.utils.set_random_seed(0)
    stack = [layers.LSTM(3, return_sequences=True, name="lstm"), layers.SimpleRNN(2)]
    model = tauten.Sequential([tauten.Input((None, 2)), layers.Masking(), *stack])
    rng = np.random.default_rng(0)
    x = [rng.normal(size=(n, 2)) for n in (4, 2, 3)]
    x[0][1] = 0
    below = tauten.Sequential(
        [tauten.Input((None, 2)), layers.Masking(), layers.LSTM(3, return_sequences=True, name="other")]
    )
    below.set_weights(model.layers[1].get_weights())
    for found, expected in zip(diagnostics.activations(model, x, "lstm"), below.predict(x), strict=True):
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(diagnostics.activations(model, x[0], "lstm"), below.predict(x[0][None])[0])


def test_activations_of_tokens() -> None:
    tauten.utils.set_random_seed(0)
    model = tauten.Sequential([tauten.Input((None,), dtype="int32"), layers.Embedding(5, 3), layers.LSTM(2)])
    table = model.layers[0].get_weights()[0]
    np.testing.assert_array_equal(diagnostics.activations(model, [[3, 1, 4]], model.layers[0]), table[[3, 1, 4]][None])


# -- saliency


def logit(model: tauten.Sequential, net: ref.Network, x: np.ndarray, place: tuple[int, ...]) -> float:
    """The score by the reference: what a softmax or sigmoid at the end reads."""
    last = net.layers[-1]
    y = net.predict(x[None])[0]
    ends = getattr(last, "activation", "linear")
    if ends == "softmax":
        below = ref.Network(net.shape, deepcopy(net.layers[:-1]))
        below.weights = net.weights  # a softmax that stands alone has none
        return float(below.predict(x[None])[0][place])
    return float(np.log(y[place] / (1 - y[place]))) if ends == "sigmoid" else float(y[place])


@pytest.mark.parametrize(("name", "target"), [("images", 2), ("images", None), ("sequences", 0), ("rows", (1, 0, 1))])
def test_saliency(name: str, target) -> None:
    """|∂ score / ∂x| numerically, for each sample by itself."""
    model, net = made(name)
    x = data(name)
    found = diagnostics.saliency(model, x, target)
    assert found.shape == x.shape
    for i, sample in enumerate(x):
        place = target if target is not None else int(model.predict(x[i : i + 1]).argmax())
        place = place if isinstance(place, tuple) else (place,)
        numerical = np.abs(numerical_gradient(lambda s=sample, p=place: logit(model, net, s, p), sample))
        assert_gradient(found[i], numerical, name)
        assert_close(diagnostics.saliency(model, sample, target), found[i], 1e-12)
    each = [place, *[tuple(0 for _ in place)] * (len(x) - 1)]
    mixed = diagnostics.saliency(model, x, each if len(place) > 1 else [p[0] for p in each])
    assert_close(mixed[0], diagnostics.saliency(model, x[0], place), 1e-12)
    assert_close(mixed[1], diagnostics.saliency(model, x[1], tuple(0 for _ in place)), 1e-12)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("sequences", [False, True])
def test_saliency_of_sequences(masked: bool, sequences: bool) -> None:
    """Of lists, masked steps, and one step's output: each as the sample by itself without its masked steps."""
    tauten.config.set_floatx("float64")
    tauten.utils.set_random_seed(0)
    stack = [layers.LSTM(3, return_sequences=sequences), layers.Dense(4, activation="softmax")]
    masking = [layers.Masking()] if masked else []
    model = tauten.Sequential([tauten.Input((None, 2)), *masking, *stack])
    rng = np.random.default_rng(0)
    x = [rng.normal(size=(n, 2)) for n in (4, 2, 3)]
    if masked:
        x[0][1] = 0
        x[2][2] = 0
    target = [(3, 1), (0, 2), (1, 1)] if sequences else [1, 2, 1]
    whole = diagnostics.saliency(model, x, target)
    for i, sample in enumerate(x):
        valid = sample.any(axis=1)
        place = target[i]
        if sequences:
            place = (int(np.cumsum(valid)[place[0]]) - 1, place[1])
        alone = diagnostics.saliency(model, sample[valid][None], place)[0]
        assert_close(whole[i][valid], alone, 1e-12)
        np.testing.assert_array_equal(whole[i][~valid], 0)
        assert alone.max() > 0
    padded = np.zeros((3, 4, 2))
    if masked:
        for i, sample in enumerate(x):
            padded[i, : len(sample)] = sample
        found = diagnostics.saliency(model, padded, target)
        for i, sample in enumerate(x):
            assert_close(found[i, : len(sample)], whole[i], 1e-12)


def test_saliency_does_not_vanish_where_the_model_is_sure() -> None:
    """Below the softmax: probabilities of 1 - 1e-40 have no gradient to speak of, the score has."""
    model = tauten.Sequential([tauten.Input((2,)), layers.Dense(2, activation="softmax")])
    model.set_weights([np.array([[100.0, 0], [0, 1]]), np.zeros(2)])
    np.testing.assert_array_equal(diagnostics.saliency(model, np.array([1.0, 0])), [100, 0])


def test_saliency_leaves_the_model_alone() -> None:
    """A compiled model in training: weights, momentum and the next step are those of a model that was not looked at."""
    results = []
    for looked in (False, True):
        tauten.utils.set_random_seed(2)
        model = small()
        model.compile(tauten.optimizers.SGD(0.1, momentum=0.9), "sparse_categorical_crossentropy")
        x, y = digits()
        losses = [model.train_on_batch(x[:32, ..., None], y[:32])]
        if looked:
            diagnostics.saliency(model, x[:3, ..., None])
            diagnostics.activations(model, x[:3, ..., None], "conv")
        losses.append(model.train_on_batch(x[32:64, ..., None], y[32:64]))
        results.append((losses, b"".join(w.tobytes() for w in model.get_weights())))
    assert results[0] == results[1]


# -- pictures


def small() -> tauten.Sequential:
    stack = [layers.Conv2D(6, 3, activation="relu", name="conv"), layers.Dropout(0.3), layers.Conv2D(4, 3, name="deep")]
    top = [layers.Flatten(name="flat"), layers.Dense(10, activation="softmax", name="classes")]
    return tauten.Sequential([tauten.Input((8, 8, 1)), *stack, *top])


def drawn(figure) -> list[np.ndarray]:
    """The images in a figure."""
    figure.canvas.draw()
    return [np.asarray(image.get_array()) for axes in figure.axes for image in axes.get_images()]


def tiles_of(image: np.ndarray) -> set[float]:
    return set(np.ma.masked_invalid(image).compressed().tolist())


def values_of(array: np.ndarray) -> set[float]:
    return set(np.asarray(array, dtype=np.float64).reshape(-1).tolist())


def test_filters_are_the_weights() -> None:
    model = small()
    for name, count in (("conv", 6), ("deep", 24)):
        figure = plot.filters(model, name)
        (image,) = drawn(figure)
        kernel = model.get_layer(name).get_weights()[0]
        assert tiles_of(image) == values_of(kernel)
        assert len(figure.axes[0].collections[0].get_paths()) == count
        scale = figure.axes[0].get_images()[0]
        assert scale.norm.vmax == -scale.norm.vmin == pytest.approx(np.abs(kernel).max())
        assert figure.get_suptitle() == f"Filters of {name}"
    (image,) = drawn(plot.filters(model, "deep", most=3))
    assert tiles_of(image) == values_of(model.get_layer("deep").get_weights()[0][:, :, :3, :3])
    assert plt.gcf().get_suptitle() == "Filters of deep, 3 of 4 filters, 3 of 6 channels"


@pytest.mark.parametrize(
    ("shape", "layer", "images"),
    [
        ((9, 2), lambda: layers.Conv1D(5, 3, name="c"), 0),
        ((9, 12), lambda: layers.Conv1D(5, 3, name="c"), 1),
        ((4, 5, 6, 1), lambda: layers.Conv3D(3, 2, name="c"), 1),
        ((4, 5, 6, 2), lambda: layers.Conv3D(3, 2, name="c"), 1),
        ((5, 6, 3), lambda: layers.Aggregation2D("sum", 2, 2, name="c", window_initializer="random_normal"), 1),
        ((6, 3), lambda: layers.Aggregation1D("sum", 2, 2, name="c", window_initializer="random_normal"), 0),
        ((8, 8, 1), lambda: layers.Conv2D(150, 3, name="c"), 1),
        ((8, 8, 3), lambda: layers.DepthwiseConv2D(3, depth_multiplier=2, name="c"), 1),
        ((8, 2), lambda: layers.SeparableConv1D(4, 3, name="c"), 0),
    ],
)
def test_filters_of_every_kind(shape, layer, images: int) -> None:
    """Lines for few channels over steps, else images; all weights are in the picture."""
    model = tauten.Sequential([tauten.Input(shape), layer()])
    weights = model.layers[0].get_weights()[0]
    figure = plot.filters(model, "c", most=150)
    found = drawn(figure)
    assert len(found) == images
    if images:
        assert tiles_of(found[0]) == values_of(weights)
    else:
        lines = [line.get_ydata() for axes in figure.axes for line in axes.get_lines() if len(line.get_ydata()) > 2]
        lines = lines or [line.get_ydata() for axes in figure.axes for line in axes.get_lines()]
        assert values_of(weights) <= values_of(np.concatenate(lines))


def test_feature_maps_are_the_activations() -> None:
    model, x = small(), digits()[0][5]
    (image,) = drawn(plot.feature_maps(model, "conv", x[..., None]))
    assert tiles_of(image) == values_of(diagnostics.activations(model, x[..., None], "conv"))
    (again,) = drawn(plot.feature_maps(model, "conv", x[None, ..., None]))
    np.testing.assert_array_equal(image, again)
    figure = plot.feature_maps(model, "classes", x[..., None])
    assert not drawn(figure)
    bars = [bar.get_height() for bar in figure.axes[0].patches]
    assert_close(bars, model.predict(x[None, ..., None])[0], 1e-6)


@pytest.mark.parametrize(
    ("shape", "make", "images"),
    [
        ((20, 1), lambda: layers.Conv1D(4, 3, name="c"), 0),
        ((20, 1), lambda: layers.Conv1D(9, 3, name="c"), 1),
        ((4, 6, 5, 1), lambda: layers.Conv3D(4, 2, name="c"), 1),
        ((5, 3), lambda: layers.LSTM(8, return_sequences=True, name="c"), 1),
        ((7,), lambda: layers.Dense(3, name="c"), 0),
    ],
)
def test_feature_maps_and_saliency_of_every_kind(shape, make, images: int) -> None:
    model = tauten.Sequential([tauten.Input(shape), make()])
    x = np.random.default_rng(0).normal(size=shape)
    values = diagnostics.activations(model, x, "c")
    found = drawn(plot.feature_maps(model, "c", x))
    assert len(found) == images
    if images:
        assert tiles_of(found[0]) == values_of(values)
    place = (0,) * values.ndim
    figure = plot.saliency(model, x, place)
    wanted = diagnostics.saliency(model, x, place)
    shown = drawn(figure)
    if len(shape) == 1:
        heights = [bar.get_height() for bar in figure.axes[1].patches]
        assert_close(heights, wanted, 1e-6)
    else:
        maps = shown[len(shown) // 2 :]  # behind those of the sample, where it is shown as images
        assert max(image.max() for image in maps) == pytest.approx(wanted.max())
    with pytest.raises(ValueError, match=r"^saliency: target: expected a (place|tuple)"):
        plot.saliency(model, x, 99)


@pytest.mark.parametrize(("channels", "colour"), [(1, False), (2, False), (3, True), (4, False)])
def test_saliency_beside_the_sample(channels: int, colour: bool) -> None:
    """Grey or colours, the map the largest of the channels; the title names the class."""
    model = tauten.Sequential([tauten.Input((6, 5, channels)), layers.Flatten(), layers.Dense(4)])
    x = np.random.default_rng(0).random(size=(6, 5, channels))
    figure = plot.saliency(model, x, 3)
    left, right = drawn(figure)[:2]
    assert left.shape == ((6, 5, 3) if colour else (6, 5))
    assert_close(left, x if colour else x.mean(axis=-1), 1e-12)
    assert_close(right, diagnostics.saliency(model, x, 3).max(axis=-1), 1e-6)
    assert "class 3" in figure.axes[1].get_title(loc="left")
    predicted = int(model.predict(x[None]).argmax())
    assert f"class {predicted}" in plot.saliency(model, x).axes[1].get_title(loc="left")


def test_into_a_figure() -> None:
    """A Figure or SubFigure of the user's, so that several stand side by side."""
    model, x = small(), digits()[0][5][..., None]
    whole = plt.figure(figsize=(12, 4), layout="constrained")
    parts = whole.subfigures(1, 3)
    assert plot.filters(model, "conv", figure=parts[0]) is parts[0]
    assert plot.feature_maps(model, "conv", x, figure=parts[1]) is parts[1]
    assert plot.saliency(model, x, figure=parts[2]) is parts[2]
    whole.canvas.draw()
    assert len(plt.get_fignums()) == 1
    assert [len(part.axes) for part in parts] == [2, 2, 3]


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    model, x = small(), digits()[0][5][..., None]
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    diagnostics.saliency(model, x)
    diagnostics.activations(model, x, "conv")
    for call in (
        lambda: plot.filters(model, "conv"),
        lambda: plot.feature_maps(model, "conv", x),
        lambda: plot.saliency(model, x),
    ):
        with pytest.raises(ImportError, match=r"pip install 'tauten\[plot\]'"):
            call()


def test_matplotlib_is_loaded_by_the_first_picture() -> None:
    out = printed(
        "import sys, numpy as np, tauten; from tauten import layers, plot",
        "model = tauten.Sequential([tauten.Input((4, 4, 1)), layers.Conv2D(2, 3, name='c')])",
        "before = 'matplotlib' in sys.modules",
        "print(before, len(plot.filters(model, 'c').axes))",
    )
    assert out == "False 2\n"


# -- bad input


def tokens() -> tauten.Sequential:
    return tauten.Sequential(
        [tauten.Input((3,), dtype="int32"), layers.Embedding(5, 2), layers.Flatten(), layers.Dense(2)]
    )


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda m, x: diagnostics.activations(3, x, "conv"), TypeError, "activations: expected a model"),
        (lambda m, x: diagnostics.activations(m, x, "c"), ValueError, r"activations: model .* has no layer 'c'; there"),
        (lambda m, x: diagnostics.activations(m, x, 0), TypeError, "activations: layer: expected a layer or its name"),
        (lambda m, x: diagnostics.activations(m, x[..., 0], "conv"), ValueError, "x: expected samples of shape"),
        (
            lambda m, x: diagnostics.activations(m, x, "conv", 0),
            ValueError,
            "activations: batch_size: expected",
        ),
        (lambda m, x: diagnostics.saliency(None, x), TypeError, "saliency: expected a model"),
        (
            lambda m, x: diagnostics.saliency(m, x, 10),
            ValueError,
            r"saliency: target: expected a place in outputs",
        ),
        (
            lambda m, x: diagnostics.saliency(m, x, -1),
            ValueError,
            r"saliency: target: expected a place in outputs",
        ),
        (lambda m, x: diagnostics.saliency(m, x, "a"), TypeError, r"saliency: target: expected a class number"),
        (lambda m, x: diagnostics.saliency(m, x, True), TypeError, r"saliency: target: expected a class number"),
        (lambda m, x: diagnostics.saliency(m, x, [1, 2]), ValueError, r"saliency: target: expected one class, or 3"),
        (lambda m, x: diagnostics.saliency(tokens(), [[1, 2, 3]]), ValueError, r"saliency: model .* reads integers"),
        (
            lambda m, x: plot.filters(m, "classes"),
            ValueError,
            r"plot.filters: layer 'classes' \(Dense\) has no filters",
        ),
        (lambda m, x: plot.filters(m, "conv", most=0), ValueError, "plot.filters: most: expected at least 1"),
        (
            lambda m, x: plot.filters(m, "conv", figure=3),
            TypeError,
            "plot.filters: figure: expected a matplotlib",
        ),
        (lambda m, x: plot.feature_maps(m, "conv", x), ValueError, "plot.feature_maps: x: expected one sample, got 3"),
        (lambda m, x: plot.saliency(m, x), ValueError, "plot.saliency: x: expected one sample, got 3"),
        (lambda m, x: plot.saliency("m", x), TypeError, "plot.saliency: expected a model"),
        (lambda m, x: plot.filters(unbuilt(), "c"), ValueError, "plot.filters: layer 'c' has no weights yet"),
    ],
)
def test_bad_input(call, error, message: str) -> None:
    with pytest.raises(error, match=f"^{message}"):
        call(small(), digits()[0][:3, ..., None])


def unbuilt() -> tauten.Sequential:
    return tauten.Sequential([layers.Conv2D(2, 3, name="c")])


def test_outputs_of_several_axes_need_a_target() -> None:
    model, _ = made("rows")
    with pytest.raises(ValueError, match=r"^saliency: target: expected a tuple such as \(step, class\)"):
        diagnostics.saliency(model, data("rows"))
