"""utils.plot_model: boxes and arrows are the model's, nothing lies on anything else, and files are what they end in."""

from __future__ import annotations

import sys
from itertools import combinations, pairwise
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

import tauten
from tauten import _layout, layers
from tauten._layout import Edge, Size
from tauten.utils import plot_model

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

DIRECTIONS = ("TB", "BT", "LR", "RL")


# -- models


def chain() -> tauten.Sequential:
    return tauten.Sequential(
        [
            tauten.Input((8, 8, 1)),
            layers.Conv2D(4, 3, activation="relu", name="strokes"),
            layers.Flatten(name="flat"),
            layers.Dense(10, activation="softmax", name="classes", trainable=False),
        ]
    )


def residual(blocks: int = 2) -> tauten.Model:
    inputs = tauten.Input((8, 8, 4), name="image")
    x = inputs
    for number in range(blocks):
        y = layers.Conv2D(4, 3, padding="same", name=f"a{number}")(x)
        y = layers.BatchNormalization(name=f"a fairly long name {number}")(y)
        x = layers.Add(name=f"sum{number}")([x, layers.Conv2D(4, 3, padding="same", name=f"b{number}")(y)])
    return tauten.Model(inputs, x)


def encoder() -> tauten.Model:
    inputs = tauten.Input((6,), name="inside")
    x = layers.Dense(4, name="hidden")(inputs)
    return tauten.Model(inputs, layers.Concatenate(name="both")([layers.ReLU(name="up")(x), x]), name="encoder")


def twin() -> tauten.Model:
    """Three inputs, two outputs, and a model that is called twice."""
    a, b, c = (tauten.Input((n,), name=name) for n, name in ((6, "left"), (6, "right"), (3, "facts")))
    shared = encoder()
    u, v = shared(a), shared(b)
    joined = layers.Concatenate(name="joined")(
        [layers.Subtract(name="apart")([u, v]), layers.Dense(2, name="few")(c), u]
    )
    return tauten.Model([a, b, c], [layers.Dense(1, name="same")(joined), layers.Dense(3, name="kind")(u)], name="twin")


def nested() -> tauten.Model:
    """A model in a model in a model, the middle one a Sequential."""
    inside = tauten.Sequential([tauten.Input((6,)), encoder(), layers.Dense(2, name="last")], name="middle")
    inputs = tauten.Input((6,), name="begin")
    return tauten.Model(inputs, layers.Softmax(name="end")(inside(inputs)), name="outer")


# -- what a figure shows


def boxes(figure) -> dict[str, list[FancyBboxPatch]]:
    """By title; a shared layer's are several."""
    found: dict[str, list[FancyBboxPatch]] = {}
    for patch in figure.axes[0].patches:
        if isinstance(patch, FancyBboxPatch):
            found.setdefault(patch.get_label(), []).append(patch)
    return found


def corners(box: FancyBboxPatch) -> tuple[float, float, float, float]:
    return box.get_x(), box.get_y(), box.get_x() + box.get_width(), box.get_y() + box.get_height()


def ends(figure) -> list[tuple[np.ndarray, np.ndarray]]:
    """Where each edge begins and ends."""
    arrows = [patch for patch in figure.axes[0].patches if isinstance(patch, FancyArrowPatch)]
    return [tuple(arrow._path_original.vertices[[0, -1]]) for arrow in arrows]


def links(figure) -> set[tuple[str, str]]:
    """Titles of the boxes that edges touch at both ends."""
    owners = [(title, corners(box)) for title, several in boxes(figure).items() for box in several]

    def at(point: np.ndarray) -> str:
        near = [
            (x1 - x0, title)
            for title, (x0, y0, x1, y1) in owners
            if x0 - 0.01 <= point[0] <= x1 + 0.01
            and y0 - 0.01 <= point[1] <= y1 + 0.01
            and min(abs(point[0] - x0), abs(point[0] - x1), abs(point[1] - y0), abs(point[1] - y1)) < 0.01
        ]
        assert near, f"an edge ends at {point}, where there is no box"
        return min(near)[1]

    return {(at(begin), at(end)) for begin, end in ends(figure)}


def words(figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def check_apart(figure) -> None:
    """Boxes lie beside each other or one wholly within the other; words within their boxes; all within the picture."""
    figure.canvas.draw()
    all_boxes = [corners(box) for several in boxes(figure).values() for box in several]
    (left, right), (bottom, top) = figure.axes[0].get_xlim(), figure.axes[0].get_ylim()
    for x0, y0, x1, y1 in all_boxes:
        assert left < x0 and x1 < right and top < y0 and y1 < bottom
    for a, b in combinations(all_boxes, 2):
        beside = a[2] < b[0] or b[2] < a[0] or a[3] < b[1] or b[3] < a[1]
        within = [p[0] < q[0] and p[1] < q[1] and p[2] > q[2] and p[3] > q[3] for p, q in ((a, b), (b, a))]
        assert beside or any(within), (a, b)
    inverse = figure.axes[0].transData.inverted()
    texts = [text.get_window_extent().transformed(inverse) for text in figure.axes[0].texts]
    for text in texts:
        assert any(x0 < text.x0 and text.x1 < x1 and y0 < text.ymin and text.ymax < y1 for x0, y0, x1, y1 in all_boxes)
    for a, b in combinations(texts, 2):
        assert not (a.x0 < b.x1 and b.x0 < a.x1 and a.ymin + 1 < b.ymax and b.ymin + 1 < a.ymax)


# -- the picture


def test_a_chain() -> None:
    """Boxes below each other in one line, without the Input, as in Keras."""
    figure = plot_model(chain(), None, show_layer_names=True)
    titles = ["strokes (Conv2D)", "flat (Flatten)", "classes (Dense)"]
    assert list(boxes(figure)) == titles
    assert words(figure) == titles
    assert links(figure) == set(pairwise(titles))
    middles = [box.get_x() + box.get_width() / 2 for (box,) in boxes(figure).values()]
    assert middles == pytest.approx([middles[0]] * 3)
    for begin, end in ends(figure):
        assert begin[0] == pytest.approx(end[0])
        assert begin[1] < end[1]
    check_apart(figure)
    assert words(plot_model(chain(), None)) == ["Conv2D", "Flatten", "Dense"]
    assert not plt.get_fignums()


def test_what_boxes_say() -> None:
    model = chain()
    figure = plot_model(model, None, True, True, True, show_layer_activations=True, show_trainable=True)
    assert words(figure) == [
        "strokes (Conv2D)", "activation: relu", "in: (None, 8, 8, 1)", "out: (None, 6, 6, 4)", "params: 40",
        "dtype: float32", "trainable: yes",
        "flat (Flatten)", "in: (None, 6, 6, 4)", "out: (None, 144)", "dtype: float32",
        "classes (Dense)", "activation: softmax", "in: (None, 144)", "out: (None, 10)", "params: 1,450",
        "dtype: float32", "trainable: no",
    ]  # fmt: skip
    check_apart(figure)
    assert words(plot_model(model, None, show_trainable=True))[-1] == "trainable: no"


@pytest.mark.parametrize("rankdir", DIRECTIONS)
def test_residual(rankdir: str) -> None:
    """Each sum has two arrows, the one past the block does not touch it; the block is straight."""
    figure = plot_model(residual(), None, show_shapes=True, show_layer_names=True, rankdir=rankdir)
    check_apart(figure)
    found = links(figure)
    assert ("image (InputLayer)", "sum0 (Add)") in found
    assert ("b0 (Conv2D)", "sum0 (Add)") in found
    assert ("sum0 (Add)", "sum1 (Add)") in found
    assert len(found) == 10
    along = 0 if rankdir in ("LR", "RL") else 1
    sign = 1 if rankdir in ("TB", "LR") else -1
    for begin, end in ends(figure):
        assert sign * (end[along] - begin[along]) > 0
    for arrow in figure.axes[0].patches:
        if isinstance(arrow, FancyArrowPatch):  # its head points the way
            assert sign * np.diff(arrow._path_original.vertices[-2:, along])[0] > 0.01
    straight = [b[1 - along] - a[1 - along] for a, b in ends(figure)]
    assert sum(abs(bend) < 0.5 for bend in straight) >= 4
    (past,) = [
        arrow._path_original
        for arrow in figure.axes[0].patches
        if isinstance(arrow, FancyArrowPatch) and len(arrow._path_original.vertices) == max(
            len(other._path_original.vertices) for other in figure.axes[0].patches if isinstance(other, FancyArrowPatch)
        )
    ][:1]  # fmt: skip
    points = past.interpolated(20).vertices[1:-1]
    for several in boxes(figure).values():
        for x0, y0, x1, y1 in map(corners, several):
            inside = (points[:, 0] > x0) & (points[:, 0] < x1) & (points[:, 1] > y0) & (points[:, 1] < y1)
            assert not inside.any()


@pytest.mark.parametrize("rankdir", DIRECTIONS)
def test_several_inputs_and_a_shared_model(rankdir: str) -> None:
    """A box for each call, which says so; expanded, the layers of each."""
    figure = plot_model(twin(), None, show_shapes=True, show_layer_names=True, rankdir=rankdir)
    check_apart(figure)
    assert len(boxes(figure)["encoder (Functional)"]) == 2
    assert {f"call {number} of 2, same weights" for number in (1, 2)} <= set(words(figure))
    assert words(figure).count("params: 28") == 2
    assert links(figure) == {
        ("left (InputLayer)", "encoder (Functional)"), ("right (InputLayer)", "encoder (Functional)"),
        ("facts (InputLayer)", "few (Dense)"), ("encoder (Functional)", "apart (Subtract)"),
        ("encoder (Functional)", "joined (Concatenate)"), ("encoder (Functional)", "kind (Dense)"),
        ("apart (Subtract)", "joined (Concatenate)"), ("few (Dense)", "joined (Concatenate)"),
        ("joined (Concatenate)", "same (Dense)"),
    }  # fmt: skip
    expanded = plot_model(twin(), None, show_layer_names=True, expand_nested=True, rankdir=rankdir)
    check_apart(expanded)
    assert len(boxes(expanded)["hidden (Dense)"]) == 2
    assert "inside (InputLayer)" not in boxes(expanded)


@pytest.mark.parametrize("rankdir", DIRECTIONS)
def test_models_within_models(rankdir: str) -> None:
    """Frames around the layers, one in the other; edges go on where they meet a border."""
    figure = plot_model(nested(), None, show_layer_names=True, show_shapes=True, expand_nested=True, rankdir=rankdir)
    check_apart(figure)
    ((outer,), (inner,)) = boxes(figure)["middle (Sequential)"], boxes(figure)["encoder (Functional)"]
    (hidden,) = boxes(figure)["hidden (Dense)"]
    for one, other in ((outer, inner), (inner, hidden)):
        a, b = corners(one), corners(other)
        assert a[0] < b[0]
        assert a[1] < b[1]
        assert a[2] > b[2]
        assert a[3] > b[3]
    across = 1 if rankdir in ("LR", "RL") else 0
    spots = {round(float(end[across]), 3) for _, end in ends(figure) if end[1 - across] in corners(outer)}
    begins = {round(float(begin[across]), 3) for begin, _ in ends(figure)}
    assert spots
    assert spots <= begins
    closed = plot_model(nested(), None, show_layer_names=True)
    assert list(boxes(closed)) == ["begin (InputLayer)", "middle (Sequential)", "end (Softmax)"]


def test_a_layer_that_reads_itself_again() -> None:
    """No loop: two boxes. The same tensor twice is two arrows, side by side."""
    x = tauten.Input((4,))
    again = layers.Dense(4, name="again")
    y = again(again(x))
    figure = plot_model(tauten.Model(x, layers.Add()([y, y])), None)
    assert len(boxes(figure)["Dense"]) == 2
    assert words(figure)[1:5] == ["Dense", "call 1 of 2, same weights", "Dense", "call 2 of 2, same weights"]
    (first, second) = [end for _, end in ends(figure)][-2:]
    assert first[1] == second[1]
    assert abs(first[0] - second[0]) > 5
    check_apart(figure)


def test_names_with_signs() -> None:
    """Neither mathematics nor markup."""
    model = tauten.Sequential([tauten.Input((2,)), layers.Dense(1, name="$x_1$ <b> & é")])
    figure = plot_model(model, None, show_layer_names=True)
    assert words(figure) == ["$x_1$ <b> & é (Dense)"]
    check_apart(figure)


@pytest.mark.parametrize(
    ("name", "begin"), [("m.png", b"\x89PNG"), ("m.svg", b"<?xml"), ("m.PDF", b"%PDF"), ("m", b"\x89PNG")]
)
def test_files(tmp_path: Path, name: str, begin: bytes) -> None:
    figure = plot_model(chain(), tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(begin)
    assert figure is not None


def test_dots_an_inch(tmp_path: Path) -> None:
    sizes = []
    for dpi in (50, 100):
        plot_model(chain(), str(tmp_path / "m.png"), dpi=dpi)
        sizes.append(plt.imread(tmp_path / "m.png").shape[0])
    assert sizes[1] == pytest.approx(2 * sizes[0], abs=2)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: plot_model(3), TypeError, "plot_model: expected a model"),
        (lambda: plot_model(tauten.Sequential([layers.Dense(2)])), ValueError, "plot_model: model .* is not built"),
        (lambda: plot_model(tauten.Sequential()), ValueError, "plot_model: model .* is not built"),
        (lambda: plot_model(chain(), "m.doc"), ValueError, "plot_model: to_file m.doc: expected a file that ends in"),
        (lambda: plot_model(chain(), None, rankdir="UP"), ValueError, "plot_model: rankdir: expected one of TB"),
        (lambda: plot_model(chain(), None, 1), TypeError, "plot_model: show_shapes: expected True or False"),
        (lambda: plot_model(chain(), None, show_dtype=None), TypeError, "plot_model: show_dtype"),
        (lambda: plot_model(chain(), None, dpi=0), ValueError, "plot_model: dpi: expected a number of at least 1"),
        (lambda: plot_model(chain(), 3), TypeError, "plot_model: to_file: expected a path"),
    ],
)
def test_bad_arguments(call, error, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=words):
        call()
    assert not list(tmp_path.iterdir())


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for to_file in (None, "model.png"):
        with pytest.raises(ImportError, match=r"pip install 'tauten\[plot\]'"):
            plot_model(chain(), to_file)


# -- the layout


def test_layout_of_random_graphs() -> None:
    """Gaps are kept, edges lead down and end at their boxes."""
    rng = np.random.default_rng(0)
    for _ in range(6):
        count = int(rng.integers(8, 25))
        sizes = [Size(float(w), float(h)) for w, h in rng.uniform(10, 90, (count, 2))]
        pairs = {(int(rng.integers(target)), target) for target in range(1, count) for _ in range(rng.integers(1, 3))}
        edges = [Edge(a, b) for a, b in sorted(pairs)]
        placed = _layout.layered(sizes, edges)
        spans = [(x - s.across / 2, x + s.across / 2, y) for (x, y), s in zip(placed.centres, sizes, strict=True)]
        for a, b in combinations(spans, 2):
            if a[2] == b[2]:
                assert a[1] + _layout.GAP <= b[0] + 1e-6 or b[1] + _layout.GAP <= a[0] + 1e-6
        assert min(low for low, _, _ in spans) >= -1e-9
        assert max(high for _, high, _ in spans) <= placed.across + 1e-9
        for edge, way in zip(edges, placed.ways, strict=True):
            (x, y), size = placed.centres[edge.source], sizes[edge.source]
            assert way[0] == pytest.approx((x, y + size.along / 2))
            (x, y), size = placed.centres[edge.target], sizes[edge.target]
            assert way[-1][1] == pytest.approx(y - size.along / 2)
            assert abs(way[-1][0] - x) <= size.across / 2
            assert all(b[1] > a[1] - 1e-9 for a, b in pairwise(way))


def test_layout_untangles() -> None:
    """Two sources whose readers stand the other way round: no edges cross. A long edge goes past the box between."""
    sizes = [Size(20, 10)] * 4
    placed = _layout.layered(sizes, [Edge(0, 3), Edge(1, 2)])
    assert [x for x, _ in placed.centres[:2]] == pytest.approx([placed.centres[3][0], placed.centres[2][0]], abs=1e-6)
    placed = _layout.layered(sizes[:3], [Edge(0, 1), Edge(1, 2), Edge(0, 2)])
    passing = [x for x, y in placed.ways[2] if abs(y - placed.centres[1][1]) <= 5]
    assert passing
    assert all(abs(x - placed.centres[1][0]) > 10 + _layout.GAP - 1e-6 for x in passing)


def test_long_edges_of_one_box_share_their_way() -> None:
    """A dense block is a line from each layer, which the others leave, not a bundle."""
    count = 12
    edges = [Edge(a, b) for b in range(1, count) for a in range(b)]
    placed = _layout.layered([Size(40, 20)] * count, edges)
    ways = {(edge.source, edge.target): way for edge, way in zip(edges, placed.ways, strict=True)}
    for b in range(3, count):
        assert ways[0, b][: 2 * b - 2] == ways[0, count - 1][: 2 * b - 2]
    assert placed.across < 40 + 2 * count * (_layout.GAP + 1)
