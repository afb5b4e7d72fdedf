"""The picture of a model's graph; matplotlib is imported only when one is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tauten import _plots
from tauten._model_boxes import LINE, TEXT, TITLE, TOP, Box, Boxes, Graph, Shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tauten._layout import Point
    from tauten.models import Model

DIRECTIONS = ("TB", "BT", "LR", "RL")
MARGIN = 10.0
NEAR = 0.01
LINES, BORDER = "#444444", "#888888"


def draw(model: Model, shown: Shown, rankdir: str, inputs: bool) -> Figure:
    """The graph of a built model, in a figure of its size; `inputs`: with boxes for the Inputs."""
    plt = _plots.pyplot()
    wired = model._inner()
    assert wired is not None
    sideways = rankdir in ("LR", "RL")
    graph = Boxes(shown, sideways, _width).graph(wired, inputs)
    across, along = graph.placed.across, graph.placed.along
    width, height = (along, across) if sideways else (across, along)
    figure: Figure = plt.figure(figsize=((width + 2 * MARGIN) / 72, (height + 2 * MARGIN) / 72))
    plt.close(figure)  # or a notebook would show it twice
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set_xlim(-MARGIN, width + MARGIN)
    axes.set_ylim(height + MARGIN, -MARGIN)
    _Pen(axes, rankdir, along).graph(graph, 0.0, 0.0)
    return figure


@lru_cache(maxsize=1000)
def _width(text: str, size: float, bold: bool) -> float:
    """In points."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    prop = FontProperties(size=size, weight="bold" if bold else "normal")
    return float(text_to_path.get_text_width_height_descent(text, prop, ismath=False)[0])


@dataclass
class _Pen:
    """Draws in a layout's axes, turned as rankdir says. Deeper things lie above."""

    axes: Any
    rankdir: str
    along: float

    def graph(self, graph: Graph, x: float, y: float, depth: int = 1) -> None:
        """The boxes of a graph that begins at (x, y), then its edges."""
        for box, centre in zip(graph.boxes, graph.placed.centres, strict=True):
            if box is not None:
                self.box(box, x + centre[0], y + centre[1], depth)
        for edge, way in zip(graph.edges, graph.placed.ways, strict=True):
            self.edge([(x + a, y + b) for a, b in way], graph.boxes[edge.target] is not None, depth)

    def box(self, box: Box, x: float, y: float, depth: int) -> None:
        """Around its centre."""
        from matplotlib.patches import FancyBboxPatch

        left, top = x - box.across / 2, y - box.along / 2
        corners = self.turned((left, top)), self.turned((left + box.across, top + box.along))
        (x0, x1), (y0, y1) = (sorted(values) for values in zip(*corners, strict=True))
        style = "round,pad=0,rounding_size=3"
        self.axes.add_patch(
            FancyBboxPatch(
                (x0, y0),
                x1 - x0,
                y1 - y0,
                style,
                facecolor=box.colour,
                edgecolor=BORDER,
                linewidth=0.8,
                zorder=depth,
                label=box.title,
            )
        )
        middle = (x0 + x1) / 2
        at = y0 + TOP + LINE / 2
        if box.graph is None:
            at = (y0 + y1) / 2 - len(box.lines) * LINE / 2
        elif self.rankdir == "BT":  # edges come in from below, and so do the words
            at = y1 - TOP - LINE / 2 - len(box.lines) * LINE
        for i, line in enumerate([box.title, *box.lines]):
            self.axes.text(
                middle,
                at + i * LINE,
                line,
                ha="center",
                va="center_baseline",
                parse_math=False,
                zorder=depth + 0.8,
                size=TEXT if i else TITLE,
                weight="normal" if i else "bold",
                color="#333333" if i else "black",
            )
        if box.graph is not None:
            self.graph(box.graph, left + box.origin[0], top + box.origin[1], depth + 1)

    def edge(self, points: list[Point], arrow: bool, depth: int) -> None:
        """Straight pieces, and curves between them that leave and arrive straight."""
        from matplotlib.patches import FancyArrowPatch
        from matplotlib.path import Path

        places, codes = [points[0]], [Path.MOVETO]
        for i, (x, y) in enumerate(points[1:], 1):
            left, top = places[-1]
            if i % 2 == 0 and abs(x - left) > NEAR:
                middle = (top + y) / 2
                places += [(left, middle), (x, middle), (x, y)]
                codes += [Path.CURVE4] * 3
            elif abs(y - top) > NEAR:  # rounding would turn the arrow round
                places.append((x, y))
                codes.append(Path.LINETO)
        path = Path([self.turned(point) for point in places], codes)
        self.axes.add_patch(
            FancyArrowPatch(
                path=path,
                arrowstyle="-|>" if arrow else "-",
                mutation_scale=9,
                color=LINES,
                linewidth=1.0,
                shrinkA=0,
                shrinkB=0,
                zorder=depth + 0.5,
                capstyle="butt",
                joinstyle="round",
            )
        )

    def turned(self, point: Point) -> Point:
        """From the layout's axes to the picture's."""
        x, y = point
        if self.rankdir in ("BT", "RL"):
            y = self.along - y
        return (y, x) if self.rankdir in ("LR", "RL") else (x, y)
