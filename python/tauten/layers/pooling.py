"""Max and average pooling over one, two or three dimensions: one code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from tauten._checks import extents
from tauten.config import known_data_format
from tauten.layers._docs import FORMAT, NAME, RAISES, documented
from tauten.layers._windows import padding_pairs
from tauten.layers.base import Layer

if TYPE_CHECKING:
    from tauten._core import Network
    from tauten.layers._windows import Extents, PaddingLike


_ARGUMENTS = """

    Output extents: "valid" ⌊(n - k) / s⌋ + 1; "same" ⌈n / s⌉. Padding is never the largest and never counted.

    Args:
        pool_size: k, one integer or one a dimension; default 2.
        strides: s, one integer or one a dimension; default pool_size.
        padding: "valid" (default), "same", an integer, or (before, after) for each dimension (not in Keras)."""


class Pooling(Layer):
    """Base of the pooling layers."""

    rank: ClassVar[int]
    kind: ClassVar[str]

    def __init_subclass__(cls) -> None:
        documented(cls, _ARGUMENTS, FORMAT, NAME, RAISES.format(more=""))

    def __init__(
        self,
        pool_size: Extents = 2,
        strides: Extents | None = None,
        padding: PaddingLike = "valid",
        data_format: str | None = None,
        *,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        cls = type(self).__name__
        self.pool_size = extents(pool_size, self.rank, f"{cls}: pool_size")
        self.strides = self.pool_size if strides is None else extents(strides, self.rank, f"{cls}: strides")
        self.padding = padding_pairs(padding, self.rank, f"{cls}: padding")
        self.data_format = known_data_format(data_format, f"{cls}: data_format")

    def add_to(self, network: Network, edge: int) -> int:
        first = self.data_format == "channels_first"
        return network.add_pool(self.name, edge, self.kind, self.pool_size, self.strides, self.padding, first)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "pool_size": list(self.pool_size),
            "strides": list(self.strides),
            "padding": self.padding if isinstance(self.padding, str) else [list(pair) for pair in self.padding],
            "data_format": self.data_format,
        }


class MaxPooling1D(Pooling):
    """Largest value of each window (chapter §26.3).

    (batch, steps, channels) -> (batch, steps', channels).
    """

    rank, kind = 1, "max"


class MaxPooling2D(Pooling):
    """Largest value of each window (chapter §26.3).

    (batch, rows, columns, channels) -> (batch, rows', columns', channels).
    """

    rank, kind = 2, "max"


class MaxPooling3D(Pooling):
    """Largest value of each window (chapter §26.3).

    (batch, depth, rows, columns, channels) -> (batch, depth', rows', columns', channels).
    """

    rank, kind = 3, "max"


class AveragePooling1D(Pooling):
    """Mean of each window (chapter §26.3).

    (batch, steps, channels) -> (batch, steps', channels).
    """

    rank, kind = 1, "average"


class AveragePooling2D(Pooling):
    """Mean of each window (chapter §26.3).

    (batch, rows, columns, channels) -> (batch, rows', columns', channels).
    """

    rank, kind = 2, "average"


class AveragePooling3D(Pooling):
    """Mean of each window (chapter §26.3).

    (batch, depth, rows, columns, channels) -> (batch, depth', rows', columns', channels).
    """

    rank, kind = 3, "average"
