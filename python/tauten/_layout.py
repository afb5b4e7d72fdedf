"""Where the boxes of a directed acyclic graph lie: ranks, an order within them, positions, and ways for the edges.

After Sugiyama, Tagawa and Toda (1981). All lengths are the caller's; x runs across the ranks, y along, downwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

GAP = 16.0  # between neighbours of a rank
STEP = 26.0  # between ranks
ORDER_SWEEPS, PLACE_STEPS = 12, 400
# How much an edge wants to be straight: between boxes, at the ends of a long one; within a long one and along a chain.
SHORT, END, STRAIGHT = 4.0, 1.0, 300.0

Point = tuple[float, float]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Size:
    """What is to be placed.

    Attributes:
        across, along: extents.
        ends: None, or "first" or "last" for what must lie in a rank of its own at that end.
    """

    across: float
    along: float
    ends: str | None = None


@dataclass(frozen=True)
class Edge:
    """From one box to another, by number.

    Attributes:
        leaves, enters: where, across, from the box's centre. None: it leaves at the centre, and enters beside the other
            edges.
    """

    source: int
    target: int
    leaves: float | None = None
    enters: float | None = None


@dataclass
class Placed:
    """The result; nothing is left of or above 0.

    Attributes:
        centres: of the boxes.
        ways: the points of each edge, from border to border. The first piece leads straight along, and so does every
            other one; those between lead from one x to another.
        across, along: extents of the whole.
    """

    centres: list[Point]
    ways: list[list[Point]]
    across: float
    along: float


@dataclass
class _Node:
    size: Size
    box: int | None  # None: a place where a long edge passes a rank
    rank: int
    x: float = 0.0
    y: float = 0.0
    above: list[_Link] = field(default_factory=list)
    below: list[_Link] = field(default_factory=list)


@dataclass
class _Link:
    """Between neighbouring ranks."""

    upper: _Node
    lower: _Node
    leaves: float = 0.0
    enters: float = 0.0

    @property
    def weight(self) -> float:
        if (self.upper.box is None) != (self.lower.box is None):
            return END
        return STRAIGHT if self.upper.box is None or len(self.upper.below) == len(self.lower.above) == 1 else SHORT


def layered(sizes: Sequence[Size], edges: Sequence[Edge]) -> Placed:
    """Place boxes, which are numbered so that edges lead to larger numbers."""
    ranks = _ranks(sizes, edges)
    nodes = [_Node(size, i, rank) for i, (size, rank) in enumerate(zip(sizes, ranks, strict=True))]
    rows: list[list[_Node]] = [[] for _ in range(max(ranks) + 1)]
    for node in nodes:
        rows[node.rank].append(node)
    trunks: dict[tuple[int, float], list[_Link]] = {}
    chains = [_chain(nodes[edge.source], nodes[edge.target], edge, rows, trunks) for edge in edges]
    _order(rows)
    _enter(edges, chains, rows)
    _place(rows)
    left = min(node.x - node.size.across / 2 for row in rows for node in row)
    right = max(node.x + node.size.across / 2 for row in rows for node in row)
    bands, y = [], 0.0
    for row in rows:
        bands.append((y, y + max(node.size.along for node in row)))
        y = bands[-1][1] + STEP
        for node in row:
            node.x -= left
            node.y = sum(bands[-1]) / 2
    ways = [_way(links, bands) for links in chains]
    return Placed([(node.x, node.y) for node in nodes], ways, right - left, y - STEP)


def _way(links: list[_Link], bands: list[tuple[float, float]]) -> list[Point]:
    """From border to border: through each rank on a straight line."""
    source, target = links[0].upper, links[-1].lower
    x = source.x + links[0].leaves
    points = [(x, source.y + source.size.along / 2), (x, bands[source.rank][1])]
    for link in links[:-1]:
        points += [(link.lower.x, y) for y in bands[link.lower.rank]]
    x = target.x + links[-1].enters
    return [*points, (x, bands[target.rank][0]), (x, target.y - target.size.along / 2)]


def _ranks(sizes: Sequence[Size], edges: Sequence[Edge]) -> list[int]:
    """The longest way from a source; sources close to what reads them."""
    first = int(any(size.ends == "first" for size in sizes))
    ranks = [0 if size.ends == "first" else first for size in sizes]
    reads: list[list[int]] = [[] for _ in sizes]
    for edge in edges:
        reads[edge.target].append(edge.source)
    for i, sources in enumerate(reads):
        ranks[i] = max([ranks[i], *(ranks[source] + 1 for source in sources)])
    for i, size in enumerate(sizes):
        readers = [ranks[edge.target] for edge in edges if edge.source == i]
        if not reads[i] and size.ends is None and readers:
            ranks[i] = min(readers) - 1
    others = [rank for rank, size in zip(ranks, sizes, strict=True) if size.ends != "last"]
    last = max(others, default=-1) + 1
    return [last if size.ends == "last" else rank for rank, size in zip(ranks, sizes, strict=True)]


def _chain(
    source: _Node, target: _Node, edge: Edge, rows: list[list[_Node]], trunks: dict[tuple[int, float], list[_Link]]
) -> list[_Link]:
    """Links from rank to rank, through places of no extent; long edges from one point share them: `trunks`."""
    leaves = edge.leaves or 0.0
    trunk = trunks.setdefault((edge.source, leaves), [])
    while len(trunk) < target.rank - source.rank - 1:
        passing = _Node(Size(0.0, 0.0), None, source.rank + len(trunk) + 1)
        rows[passing.rank].append(passing)
        trunk.append(_link(trunk[-1].lower if trunk else source, passing, 0.0 if trunk else leaves))
    links = trunk[: target.rank - source.rank - 1]
    last = _link(links[-1].lower if links else source, target, 0.0 if links else leaves)
    last.enters = edge.enters or 0.0
    return [*links, last]


def _link(upper: _Node, lower: _Node, leaves: float) -> _Link:
    link = _Link(upper, lower, leaves)
    upper.below.append(link)
    lower.above.append(link)
    return link


def _order(rows: list[list[_Node]]) -> None:
    """Few crossings: ranks by the mean place of what their boxes are linked to, down and up again; the best of all."""
    best = [list(row) for row in rows]
    least = _crossings(rows)
    for sweep in range(ORDER_SWEEPS):
        if not least:
            break
        down = sweep % 2 == 0
        for row in rows[1:] if down else rows[-2::-1]:
            spots = {id(node): spot for other in rows for spot, node in enumerate(other)}
            wanted = {}
            for node in row:
                found = [spots[id(link.upper if down else link.lower)] for link in (node.above if down else node.below)]
                wanted[id(node)] = sum(found) / len(found) if found else spots[id(node)]
            row.sort(key=lambda node: wanted[id(node)])
        count = _crossings(rows)
        if count < least:
            best, least = [list(row) for row in rows], count
    for row, order in zip(rows, best, strict=True):
        row[:] = order


def _crossings(rows: list[list[_Node]]) -> int:
    count = 0
    for row, following in pairwise(rows):
        spots = {id(node): spot for spot, node in enumerate(following)}
        ends = [(i, link.leaves, spots[id(link.lower)]) for i, node in enumerate(row) for link in node.below]
        for i, (upper, leaves, lower) in enumerate(ends):
            count += sum((upper, leaves) < (u, v) and lower > w for u, v, w in ends[i + 1 :])
            count += sum((upper, leaves) > (u, v) and lower < w for u, v, w in ends[i + 1 :])
    return count


def _enter(edges: Sequence[Edge], chains: list[list[_Link]], rows: list[list[_Node]]) -> None:
    """Let the edges into a box enter it beside each other, in the order in which they come."""
    spots = {id(node): spot for row in rows for spot, node in enumerate(row)}
    coming: dict[int, list[_Link]] = {}
    for edge, links in zip(edges, chains, strict=True):
        if edge.enters is None:
            coming.setdefault(edge.target, []).append(links[-1])
    for found in coming.values():
        found.sort(key=lambda link: (spots[id(link.upper)], link.leaves))
        apart = min(14.0, 0.7 * found[0].lower.size.across / max(len(found) - 1, 1))
        for place, link in enumerate(found):
            link.enters = (place - (len(found) - 1) / 2) * apart


def _place(rows: list[list[_Node]]) -> None:
    """x: the least Σ weight · (difference along a link)² with the gaps kept; by ADMM (Boyd et al. 2011, §5)."""
    nodes = [node for row in rows for node in row]
    numbers = {id(node): i for i, node in enumerate(nodes)}
    links = [link for node in nodes for link in node.below]
    pairs = [pair for row in rows for pair in pairwise(row)]
    ends = np.array([[numbers[id(link.upper)], numbers[id(link.lower)]] for link in links], np.int64).reshape(-1, 2)
    sides = np.array([[numbers[id(left)], numbers[id(right)]] for left, right in pairs], np.int64).reshape(-1, 2)
    bends = np.array([link.leaves - link.enters for link in links])
    weights = np.array([link.weight for link in links])
    least = np.array([(a.size.across + b.size.across) / 2 + GAP for a, b in pairs])
    count = len(nodes)
    system = _laplacian(ends, weights, count) + _laplacian(sides, np.ones(len(pairs)), count) + 1e-6 * np.eye(count)
    inverse = np.linalg.inv(system)
    pull = _spread(ends, weights * bends, count)
    z, u = least.copy(), np.zeros(len(pairs))
    x = inverse @ (pull + _spread(sides, z, count))
    for _ in range(PLACE_STEPS if pairs else 0):
        gaps = x[sides[:, 1]] - x[sides[:, 0]]
        z = np.maximum(least, gaps + u)
        u += gaps - z
        x = inverse @ (pull + _spread(sides, z - u, count))
    for row in rows:  # what is left to keep the gaps to the last bit
        offsets = np.cumsum([0.0, *((a.size.across + b.size.across) / 2 + GAP for a, b in pairwise(row))])
        free = [float(x[numbers[id(node)]] - offset) for node, offset in zip(row, offsets, strict=True)]
        for node, place, offset in zip(row, _rising(free), offsets, strict=True):
            node.x = place + float(offset)


def _laplacian(pairs: NDArray[np.int64], weights: Floats, count: int) -> Floats:
    """Of Σ weight · (x[second] - x[first])²."""
    matrix = np.zeros((count, count))
    first, second = pairs.T
    np.add.at(matrix, (first, first), weights)
    np.add.at(matrix, (second, second), weights)
    np.add.at(matrix, (first, second), -weights)
    np.add.at(matrix, (second, first), -weights)
    return matrix


def _spread(pairs: NDArray[np.int64], values: Floats, count: int) -> Floats:
    """What each pair's value is to its ends: added to the second, taken from the first."""
    added, taken = (np.bincount(pairs[:, end], values, count) for end in (1, 0))
    return np.asarray(added - taken)


def _rising(values: list[float]) -> list[float]:
    """The rising sequence that is nearest: neighbours that fall are pooled."""
    pools: list[tuple[float, int]] = []  # mean, length
    for value in values:
        mean, length = value, 1
        while pools and pools[-1][0] > mean:
            before, count = pools.pop()
            mean, length = (mean * length + before * count) / (length + count), length + count
        pools.append((mean, length))
    return [mean for mean, length in pools for _ in range(length)]
