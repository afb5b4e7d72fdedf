"""history.plot(), plot.history(), and what notebooks show of histories and models."""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest

import tauten
from data import digits
from headless import printed
from tauten import layers, plot
from tauten.callbacks import History, LearningRateScheduler

mpl.use("Agg")
from matplotlib import pyplot as plt


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def model() -> tauten.Sequential:
    made = tauten.Sequential([tauten.Input((64,)), layers.Dense(10, activation="softmax")])
    made.compile(tauten.optimizers.SGD(0.5), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return made


def fitted(epochs: int = 6, **options) -> History:
    tauten.utils.set_random_seed(0)
    x, y = digits()
    return model().fit(x[:300].reshape(300, -1), y[:300], epochs=epochs, verbose=0, **options)


def lines(axes) -> dict[str, tuple[list[float], list[float]]]:
    return {line.get_label(): (list(line.get_xdata()), list(line.get_ydata())) for line in axes.get_lines()}


def legend(figure) -> list[str]:
    (found,) = [axes.get_legend() for axes in figure.axes if axes.get_legend() is not None]
    return [text.get_text() for text in found.get_texts()]


# -- a single history


def test_curves_are_the_history() -> None:
    history = fitted(validation_split=0.2)
    figure = history.plot()
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["Loss", "Accuracy"]
    best = int(np.argmin(history.history["val_loss"])) + 1
    for axes, name in zip(figure.axes, ("loss", "accuracy"), strict=True):
        shown = lines(axes)
        assert shown["training"] == ([1, 2, 3, 4, 5, 6], history.history[name])
        assert shown["validation"] == ([1, 2, 3, 4, 5, 6], history.history[f"val_{name}"])
        assert shown["best"] == ([best], [history.history[f"val_{name}"][best - 1]])
        assert [best, best] in [list(line.get_xdata()) for line in axes.get_lines()]
    assert legend(figure) == ["training", "validation", f"best: epoch {best}"]
    colours = {
        line.get_color() for line in figure.axes[0].get_lines() if line.get_label() in ("training", "validation")
    }
    assert len(colours) == 2


def test_without_validation() -> None:
    history = fitted(epochs=1)
    figure = plot.history(history, "loss")
    (axes,) = figure.axes
    assert lines(axes)["training"] == ([1], history.history["loss"])
    assert axes.get_lines()[0].get_marker() == "o"
    assert legend(figure) == ["training", "best: epoch 1"]


def test_epochs_that_were_not_validated() -> None:
    """Values stand at their epochs; after an interruption too, and where the fit did not begin at 0."""
    history = fitted(validation_split=0.2, validation_freq=[2, 5], initial_epoch=1)
    shown = lines(history.plot().axes[0])
    assert shown["training"][0] == [2, 3, 4, 5, 6]
    assert shown["validation"] == ([2, 5], history.history["val_loss"])
    with pytest.raises(ValueError, match=r"plot.history: history: expected lists of one length, .*'val_loss': 2"):
        plot.history(history.history)


def test_after_an_interruption(tmp_path) -> None:
    class Stop(tauten.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 3:
                raise KeyboardInterrupt

    def backup():
        return tauten.callbacks.BackupAndRestore(tmp_path)

    options = {"validation_split": 0.2, "validation_freq": 2}
    with pytest.raises(KeyboardInterrupt):
        fitted(callbacks=[backup(), Stop()], **options)
    shown = lines(fitted(callbacks=[backup()], **options).plot().axes[0])
    assert shown["training"][0] == [1, 2, 3, 4, 5, 6]
    assert shown["validation"][0] == [2, 4, 6]


def test_monitor() -> None:
    logs = {
        "loss": [3.0, 2.0, 1.0],
        "val_loss": [2.0, 1.5, 1.7],
        "val_accuracy": [0.5, float("nan"), 0.7],
        "f": [1, 3, 2],
    }
    assert legend(plot.history(logs))[-1] == "best: epoch 2"
    assert legend(plot.history(logs, monitor="val_accuracy"))[-1] == "best: epoch 3"
    assert legend(plot.history(logs, monitor="val_accuracy", mode="min"))[-1] == "best: epoch 1"
    assert legend(plot.history(logs, monitor="f", mode="max"))[-1] == "best: epoch 2"
    assert legend(plot.history({"loss": [float("nan")] * 2})) == ["training"]
    with pytest.raises(ValueError, match="cannot tell whether a large or a small 'f' is good: pass mode='max'"):
        plot.history(logs, monitor="f")


def test_log_scales() -> None:
    """Losses and learning rates that fall far; else as it is said."""
    falling = {"loss": [10.0, 1.0, 0.1], "accuracy": [0.01, 0.5, 0.9], "learning_rate": [0.1, 0.01, 0.001]}
    level = {"loss": [1.0, 0.9], "accuracy": [0.5, 0.6]}

    def scales(history, **options):
        return [axes.get_yscale() for axes in plot.history(history, **options).axes]

    assert scales(falling) == ["log", "linear", "log"]
    assert scales(falling, log=False) == ["linear"] * 3
    assert scales(level) == ["linear"] * 2
    assert scales(level, log=True) == ["log"] * 2
    assert scales({"loss": [-1.0, 0.0, 100.0]}) == ["linear"]
    plot.history({"loss": [-1.0, 0.0]}, log=True).canvas.draw()


def test_learning_rate_is_the_last_panel() -> None:
    history = fitted(epochs=3, callbacks=[LearningRateScheduler(lambda epoch: 0.5 / (1 + epoch))])
    figure = history.plot()
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["Loss", "Accuracy", "Learning rate"]
    assert lines(figure.axes[2])["training"][1] == history.history["learning_rate"]


# -- several


def test_several_histories() -> None:
    """A colour each, training dashed; the best epoch of each."""
    first, second = fitted(3, validation_split=0.2), fitted(2, validation_split=0.2)
    for given, names in (({"slow": first, "fast": second.history}, ["slow", "fast"]), ([first, second], ["1", "2"])):
        figure = plot.history(given)
        axes = figure.axes[0]
        shown = lines(axes)
        for name, history in zip(names, (first, second), strict=True):
            assert shown[f"{name} training"][1] == history.history["loss"]
            assert shown[f"{name} validation"][1] == history.history["val_loss"]
        styles = {line.get_label(): (line.get_color(), line.get_linestyle()) for line in axes.get_lines()}
        assert styles[f"{names[0]} training"][0] == styles[f"{names[0]} validation"][0]
        assert styles[f"{names[0]} training"][1] == "--"
        assert styles[f"{names[0]} validation"][1] == "-"
        assert styles[f"{names[0]} validation"][0] != styles[f"{names[1]} validation"][0]
        best = [int(np.argmin(history.history["val_loss"])) + 1 for history in (first, second)]
        assert legend(figure) == [f"{n}, best: epoch {b}" for n, b in zip(names, best, strict=True)] + [
            "training", "validation",
        ]  # fmt: skip


def test_many_histories_have_different_colours() -> None:
    figure = plot.history([{"loss": [1.0, number]} for number in range(1, 12)])
    assert len({line.get_color() for line in figure.axes[0].get_lines() if line.get_label() != "best"}) == 11


def test_rows_of_panels_and_a_figure_of_ones_own() -> None:
    whole = plt.figure(layout="constrained")
    part = whole.subfigures(1, 2)[0]
    assert plot.history({name: [1.0, 2.0] for name in "abcd"}, figure=part) is part
    whole.canvas.draw()
    assert [axes.get_visible() for axes in part.axes] == [True] * 4 + [False] * 2
    assert plt.get_fignums() == [whole.number]
    assert len(plot.history({name: [1.0, 2.0] for name in "abcd"}, ["d", "a"]).axes) == 2


@pytest.mark.parametrize(
    ("history", "options", "error", "words"),
    [
        (3, {}, TypeError, "plot.history: expected what fit\\(\\) returns, its .history"),
        ("loss", {}, TypeError, "plot.history: expected what fit"),
        ([], {}, ValueError, "plot.history: expected a History, got none"),
        ([{"loss": [1.0]}, 3], {}, TypeError, "plot.history: expected what fit.* got 3"),
        (History(), {}, ValueError, "plot.history: history: there are no epochs"),
        ({"a": {"loss": [1.0]}, "b": {}}, {}, ValueError, "plot.history: history 'b': there are no epochs"),
        ({"loss": ["low"]}, {}, TypeError, "plot.history: history: loss: expected one number an epoch"),
        ({"loss": [[1.0, 2.0]]}, {}, ValueError, "plot.history: history: loss: expected one number an epoch"),
        ({"loss": [1.0]}, {"metrics": "mae"}, ValueError, r"metrics: there is no 'mae'; there are \['loss'\]"),
        ({"loss": [1.0]}, {"metrics": []}, ValueError, "metrics: expected at least one"),
        ({"loss": [1.0]}, {"monitor": "val_loss"}, ValueError, "monitor: there is no 'val_loss'; there are"),
        ({"loss": [1.0]}, {"mode": "up"}, ValueError, "mode: expected 'auto', 'min' or 'max', got 'up'"),
        ({"loss": [1.0]}, {"log": 1}, TypeError, "plot.history: log: expected True or False"),
        ({"loss": [1.0]}, {"figure": 3}, TypeError, "plot.history: figure: expected a matplotlib"),
    ],
)
def test_bad_input(history, options, error, words: str) -> None:
    with pytest.raises(error, match=words):
        plot.history(history, **options)
    assert not plt.get_fignums()


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    history = fitted(2)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"pip install 'tauten\[plot\]'"):
        history.plot()
    assert "<svg" in history._repr_html_()


# -- notebooks


class Cells(HTMLParser):
    """Rows of cells, and every tag that was opened; all must be closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tags: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data


def test_a_model_in_a_notebook() -> None:
    """The rows of the summary, in graphs with what each layer reads."""
    made = model()
    found = Cells(made._repr_html_())
    assert found.rows == [
        ["Layer (type)", "Output Shape", "Param #"],
        [f"{made.layers[0].name} (Dense)", "(None, 10)", "650"],
    ]
    assert "Total params: 650 (2.54 KB, float32); Trainable params: 650" in made._repr_html_()
    x = tauten.Input((3,), name="x")
    graph = tauten.Model(x, layers.Add(name="sum")([x, layers.Dense(3, name="inside")(x)]))
    assert Cells(graph._repr_html_()).rows[-1] == ["sum (Add)", "(None, 3)", "0", "x[0][0], inside[0][0]"]
    unbuilt = tauten.Sequential([layers.Dense(3, name="later")])
    assert Cells(unbuilt._repr_html_()).rows[1:] == [["later (Dense)", "?", "0 (unbuilt)"]]


def test_names_are_escaped() -> None:
    bad = "<script>alert('&')<|script>"
    made = tauten.Sequential([tauten.Input((2,)), layers.Dense(1, name=bad)], name=bad)
    history = History()
    history.history, history.epoch = {bad: [1.0, 2.0], "loss": [1.0, 2.0]}, [0, 1]
    for thing in (made, history):
        found = Cells(thing._repr_html_())
        assert "script" not in found.tags
        assert any(bad in cell for row in found.rows for cell in row)


def test_a_history_in_a_notebook() -> None:
    history = fitted(validation_split=0.2)
    page = history._repr_html_()
    best = int(np.argmin(history.history["val_loss"]))
    numbers = [
        [f"{history.history[f'{side}{name}'][epoch]:.4g}" for epoch in (-1, best) for side in ("", "val_")]
        for name in ("loss", "accuracy")
    ]
    assert Cells(page.split("<svg")[0] + "</div>").rows[1:] == [["loss", *numbers[0]], ["accuracy", *numbers[1]]]
    picture = ElementTree.fromstring(page[page.index("<svg") : page.index("</svg>") + 6])
    curves = [
        np.array([point.split(",") for point in line.get("points").split()], dtype=float)
        for line in picture.iter("{http://www.w3.org/2000/svg}polyline")
    ]
    values = np.array([history.history["loss"], history.history["val_loss"]])
    for curve, numbers in zip(curves, values, strict=True):
        assert len(curve) == 6
        assert (np.diff(curve[:, 0]) > 0).all()
        share = (curve[:, 1].max() - curve[:, 1]) / np.ptp(curve[:, 1])
        np.testing.assert_allclose(share, (numbers - numbers.min()) / np.ptp(numbers), atol=0.02)
    words = [text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert f"{values.max():.3g}" in words
    assert f"{values.min():.3g}" in words


@pytest.mark.parametrize(
    ("logs", "svg"),
    [
        ({}, False),
        ({"loss": [1.0]}, False),
        ({"loss": [1.0, 1.0]}, True),
        ({"loss": [1.0, float("nan"), 2.0, 3.0]}, True),
        ({"loss": [float("nan")] * 3}, False),
        ({"loss": [-1e308, 1e308]}, False),
        ({"mae": [1.0, 2.0]}, False),
        ({"loss": ["strange"]}, False),
    ],
)
def test_odd_histories_in_a_notebook(logs, svg: bool) -> None:
    """Nothing that is shown by itself may raise."""
    history = History()
    history.history = logs
    page = history._repr_html_()
    Cells(page)
    assert ("<svg" in page) == svg
    assert "nan," not in page
    assert ",nan" not in page


def test_matplotlib_is_loaded_by_pictures_alone() -> None:
    """Neither by the import nor by notebooks; and a picture needs no display."""
    out = printed(
        "import sys, numpy as np, tauten; from tauten import layers, plot, utils",
        "model = tauten.Sequential([tauten.Input((2,)), layers.Dense(1)])",
        "model.compile('sgd', 'mse')",
        "history = model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0, epochs=2)",
        "pages = len(history._repr_html_()) > 100, len(model._repr_html_()) > 100",
        "before = 'matplotlib' in sys.modules",
        "print(pages, before, len(history.plot().axes), len(utils.plot_model(model, None).axes))",
    )
    assert out == "(True, True) False 1 1\n"
