"""plot.confusion_matrix and plot.series: what is drawn is what was counted and predicted."""

from __future__ import annotations

import sys

import matplotlib as mpl
import numpy as np
import pytest
from sklearn import metrics

import tauten
from data import digits
from tauten import layers, plot

mpl.use("Agg")
from matplotlib import pyplot as plt

RNG = np.random.default_rng(0)
TRUE = RNG.integers(4, size=200)
PREDICTED = np.where(RNG.random(200) < 0.7, TRUE, RNG.integers(4, size=200))
ROWS = np.eye(4)[PREDICTED] + RNG.uniform(0, 0.5, (200, 4))


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def shown(figure) -> np.ndarray:
    """The matrix in both images: what is right, and what is wrong."""
    right, wrong = (np.ma.filled(image.get_array().astype(float), np.nan) for image in figure.axes[0].get_images())
    assert np.isnan(right[~np.eye(len(right), dtype=bool)]).all()
    assert np.isnan(np.diag(wrong)).all()
    return np.where(np.eye(len(right), dtype=bool), right, wrong)


def names(figure) -> list[str]:
    figure.canvas.draw()
    (axes, *_) = figure.axes
    across, down = ([label.get_text() for label in axis.get_ticklabels()] for axis in (axes.xaxis, axes.yaxis))
    assert across == down
    return down


# -- confusion


@pytest.mark.parametrize("normalize", [None, "true", "pred", "all"])
def test_counts_are_scikit_learns(normalize) -> None:
    figure = plot.confusion_matrix(TRUE, PREDICTED, normalize=normalize)
    expected = metrics.confusion_matrix(TRUE, PREDICTED, normalize=normalize)
    np.testing.assert_allclose(shown(figure), expected, rtol=1e-12)
    written = np.array([text.get_text() for text in figure.axes[0].texts]).reshape(4, 4)
    form = str if normalize is None else lambda share: f"{100 * share:.0f} %"
    assert written.tolist() == [[form(cell) for cell in row] for row in expected]
    assert names(figure) == ["0", "1", "2", "3"]
    accuracy = 100 * metrics.accuracy_score(TRUE, PREDICTED)
    assert figure.get_suptitle().startswith(f"{accuracy:.1f} % of 200 right")
    (axes,) = figure.axes
    assert (axes.get_ylabel(), axes.get_xlabel()) == ("true", "predicted")


@pytest.mark.parametrize(
    ("true", "predicted"),
    [
        (TRUE, ROWS),
        (TRUE[:, None], ROWS),
        (np.eye(4)[TRUE], ROWS),
        (np.eye(4)[TRUE], PREDICTED),
        (TRUE.astype(np.float32), PREDICTED.astype(np.float32)),
        (TRUE.reshape(40, 5), ROWS.reshape(40, 5, 4)),
        ([TRUE[:50], TRUE[50:]], [ROWS[:50], ROWS[50:]]),
        (TRUE.tolist(), PREDICTED.tolist()),
    ],
)
def test_labels_and_probabilities(true, predicted) -> None:
    """Columns, rows that are one-hot, floats, steps, lists of sequences."""
    np.testing.assert_array_equal(
        shown(plot.confusion_matrix(true, predicted)), metrics.confusion_matrix(TRUE, PREDICTED)
    )


def test_two_classes() -> None:
    """One probability a sample: class 1 above a half."""
    expected = [[2, 1], [1, 1]]
    for predicted in ([0.1, 0.5, 0.9, 0.2, 0.7], [[0.1], [0.5], [0.9], [0.2], [0.7]]):
        np.testing.assert_array_equal(shown(plot.confusion_matrix([0, 0, 0, 1, 1], predicted)), expected)
    np.testing.assert_array_equal(shown(plot.confusion_matrix([0, 0], [0.1, 0.2])), [[2, 0], [0, 0]])


def test_names() -> None:
    """Strings as labels, beside numbers too; classes that do not occur have their places."""
    words = np.array(["cat", "dog", "eel", "fox"])
    figure = plot.confusion_matrix(words[TRUE], words[PREDICTED])
    assert names(figure) == ["cat", "dog", "eel", "fox"]
    np.testing.assert_array_equal(shown(figure), metrics.confusion_matrix(TRUE, PREDICTED))
    figure = plot.confusion_matrix(words[TRUE].tolist(), ROWS, [*words])
    np.testing.assert_array_equal(shown(figure), metrics.confusion_matrix(TRUE, PREDICTED))
    figure = plot.confusion_matrix([0, 1], [0, 0], ["a", "$b$", "c"], "true")
    assert names(figure) == ["a", "$b$", "c"]
    np.testing.assert_array_equal(shown(figure), [[1, 0, 0], [1, 0, 0], [np.nan] * 3])
    assert len(figure.axes[0].texts) == 6
    assert names(plot.confusion_matrix([7, 9], [9, 9])) == ["7", "9"]


def test_many_classes() -> None:
    """Colour bars in the place of numbers."""
    figure = plot.confusion_matrix(np.arange(60), np.arange(60)[::-1])
    assert not figure.axes[0].texts
    assert [axes.get_ylabel() for axes in figure.axes] == ["true", "right", "wrong"]
    np.testing.assert_array_equal(shown(figure), np.eye(60)[::-1])
    assert len(names(figure)) <= 40


def test_numbers_can_be_read() -> None:
    """White on dark cells, dark on light ones."""
    figure = plot.confusion_matrix(TRUE, PREDICTED)
    for text in figure.axes[0].texts:
        j, i = text.get_position()
        image = figure.axes[0].get_images()[int(i != j)]
        red, green, blue, _ = image.cmap(image.norm(image.get_array()[i, j]))
        light = 0.2126 * red + 0.7152 * green + 0.0722 * blue
        assert (text.get_color() == "white") == (light < 0.5), (i, j, light)


# -- series


def test_series_as_lines() -> None:
    true, predicted = RNG.normal(size=(2, 30))
    predicted[3] = np.nan
    for given in ((true, predicted), (true[:, None], predicted), (true.tolist(), predicted.tolist())):
        (axes,) = plot.series(*given).axes
        drawn = {line.get_label(): line.get_ydata() for line in axes.get_lines()}
        np.testing.assert_array_equal(drawn["true"], true)
        np.testing.assert_array_equal(drawn["predicted"], predicted)
        assert [text.get_text() for text in axes.get_legend().get_texts()] == ["true", "predicted"]


def test_series_of_several_outputs_and_samples() -> None:
    true, predicted = RNG.normal(size=(2, 3, 20, 2))
    figure = plot.series(true, predicted, names=["up", "down"])
    titles = [f"sample {sample}, {name}" for sample in range(3) for name in ("up", "down")]
    assert [axes.get_title(loc="left") for axes in figure.axes] == titles
    for number, axes in enumerate(figure.axes):
        for line, values in zip(axes.get_lines(), (true, predicted), strict=True):
            np.testing.assert_array_equal(line.get_ydata(), values[number // 2, :, number % 2])
    figure = plot.series([true[0], true[1, :5]], [predicted[0], predicted[1, :5]], most=3)
    assert figure.get_suptitle() == "3 of 4 panels"
    assert [len(axes.get_lines()[0].get_ydata()) for axes in figure.axes] == [20, 20, 5]
    assert [axes.get_title(loc="left") for axes in plot.series(true[0], predicted[0]).axes] == ["output 0", "output 1"]


def test_regression_as_points() -> None:
    """All samples and steps of an output in one panel, with R², and the line on which both are equal."""
    true = RNG.normal(size=(3, 20, 2))
    predicted = true + 0.3 * RNG.normal(size=true.shape)
    predicted[0, 0, 0] = np.nan
    figure = plot.series(true, predicted, kind="scatter")
    assert len(figure.axes) == 2
    for output, axes in enumerate(figure.axes):
        a, b = true[..., output].reshape(-1), predicted[..., output].reshape(-1)
        known = np.isfinite(b)
        np.testing.assert_array_equal(axes.get_lines()[0].get_xdata(), a[known])
        np.testing.assert_array_equal(axes.get_lines()[0].get_ydata(), b[known])
        assert f"R² {metrics.r2_score(a[known], b[known]):.3f}" in axes.get_title(loc="left")
        assert f"error {metrics.mean_absolute_error(a[known], b[known]):.3g}" in axes.get_title(loc="left")
        assert axes.get_xlim() == axes.get_ylim()
    figure.canvas.draw()
    (axes,) = plot.series([1.0, 1.0], [1.0, 2.0], kind="scatter").axes
    assert axes.get_title(loc="left") == "mean absolute error 0.5"
    (axes,) = plot.series([np.nan], [1.0], kind="scatter").axes
    assert axes.get_title(loc="left") == "no values"


def test_of_a_model() -> None:
    """What predict() returns goes in as it is."""
    x, y = digits()
    model = tauten.Sequential([tauten.Input((8, 8)), layers.Flatten(), layers.Dense(10, activation="softmax")])
    predicted = model.predict(x[:100], verbose=0)
    figure = plot.confusion_matrix(y[:100], predicted)
    np.testing.assert_array_equal(shown(figure), metrics.confusion_matrix(y[:100], predicted.argmax(axis=1)))
    lines = tauten.Sequential([tauten.Input((None, 8)), layers.SimpleRNN(1, return_sequences=True)])
    x = [x[0], x[1, :5]]
    figure = plot.series([one[:, 0] for one in x], lines.predict(x, verbose=0))
    assert len(figure.axes) == 2


# -- refusals

confuse, series = plot.confusion_matrix, plot.series


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: confuse([0, 1], [0]), ValueError, r"as many labels as predictions.*\(2,\) and \(1,\)"),
        (lambda: confuse([], []), ValueError, "y_true: expected at least one sample"),
        (lambda: confuse([0, 1], [0.2, 1.5]), ValueError, r"y_pred: expected probabilities in \[0, 1\]"),
        (lambda: confuse([0, np.nan], [0, 1]), ValueError, "y_true: there is NaN in it"),
        (lambda: confuse([0.5, 1], [0, 1]), ValueError, "y_true: expected whole numbers"),
        (lambda: confuse([0, 5], np.eye(3)[:2]), ValueError, r"class numbers in \[0, 3\), as y_pred has col"),
        (lambda: confuse([0, -1], [0, 1], ["a", "b"]), ValueError, r"class numbers in \[0, 2\), one for each"),
        (lambda: confuse([0, 1], np.eye(3)[:2], ["a"]), ValueError, "class_names: expected 3 names, .*got 1"),
        (lambda: confuse([0, 1], [0, 1], "ab"), TypeError, "class_names: expected a list of strings"),
        (lambda: confuse([0, 1], [0, 1], ["a", "a"]), ValueError, "class_names: expected different names"),
        (lambda: confuse(["a", "b"], [0, 1]), ValueError, "one of y_true and y_pred has names, the other"),
        (lambda: confuse(["a", "c"], [0, 1], ["a", "b"]), ValueError, "y_true: 'c' is not among"),
        (lambda: confuse([0, 1], [0, 1], normalize="rows"), ValueError, "normalize: expected 'true', 'pred'"),
        (lambda: confuse([0, 1j], [0, 1]), TypeError, "y_true: expected class numbers, names or prob"),
        (lambda: confuse([[0], [0, 1]], [0, 1]), ValueError, "y_true: expected an array, got lists of"),
        (lambda: confuse([0], [0], figure=1), TypeError, "plot.confusion_matrix: figure: expected"),
        (lambda: series([0, 1], [0]), ValueError, r"expected y_true and y_pred of one shape, got \(2, 1\)"),
        (lambda: series(["a"], [0]), TypeError, "plot.series: y_true: expected numbers"),
        (lambda: series([], []), ValueError, r"plot.series: y_true: expected \(steps,\)"),
        (lambda: series(np.ones((2, 2, 2, 2)), [0]), ValueError, "plot.series: y_true: expected"),
        (lambda: series([0], [0], kind="bars"), ValueError, "plot.series: kind: expected 'lines' or 'scatter'"),
        (lambda: series([0], [0], names=["a", "b"]), ValueError, "names: expected 1, one an output, got 2"),
        (lambda: series([0], [0], names="a"), TypeError, "plot.series: names: expected a list of strings"),
        (lambda: series([0], [0], most=0), ValueError, "plot.series: most: expected at least 1"),
        (lambda: series([0], [0], figure="f"), TypeError, "plot.series: figure: expected a matplotlib"),
    ],
)  # fmt: skip
def test_bad_input(call, error, words: str) -> None:
    with pytest.raises(error, match=words):
        call()
    assert not plt.get_fignums()


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    for call in (plot.confusion_matrix, plot.series):
        with pytest.raises(ImportError, match=r"pip install 'tauten\[plot\]'"):
            call([0, 1], [0, 1])
