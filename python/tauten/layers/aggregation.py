"""The chapter's generalised aggregation over one, two or three dimensions: one code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from tauten import initializers, regularizers
from tauten._checks import extents, flag, integer
from tauten._registry import serialize
from tauten.config import known_data_format
from tauten.layers._docs import documented
from tauten.layers._windows import padding_pairs
from tauten.layers.base import InitializerLike, Layer, RegularizerLike, WeightSpec

if TYPE_CHECKING:
    from tauten._core import Network
    from tauten.layers._windows import Extents, PaddingLike

KINDS = {"max": "max", "avg": "average", "sum": "sum"}

_ARGUMENTS = """

    With depth 1 and weights of 1, which are the defaults, it is pooling. A depth of r slides over the m channels too:
    m - r + 1 channels come out. One window serves all channels. There is no bias and no activation. Keras has no such
    layer.

    Output extents: "valid" ⌊(n - k) / s⌋ + 1; "same" ⌈n / s⌉. Padding takes no part: it never wins, and an average is
    over the products inside. Of equal maxima the first takes the gradient.

    Args:
        how: "max" (default), "avg" or "sum" of the element-wise product of the window's weights and what is under it.
        window_size: k, one integer or one a dimension; default 2.
        depth: r, channels of the window; default 1.
        strides: s, one integer or one a dimension; default window_size. Channels are taken one by one.
        padding: "valid" (default), "same", an integer, or (before, after) for each dimension.
        window_initializer: default "ones".
        window_regularizer: default None.
        trainable_window: True trains the weights; default False: they stay what they are, or what set_weights() sets.
        data_format: None or "channels_last".
        name, trainable: as in Layer.

    Raises:
        TypeError, ValueError: for wrong arguments.
    """


class Aggregation(Layer):
    """Base of Aggregation1D, Aggregation2D and Aggregation3D."""

    rank: ClassVar[int]

    def __init_subclass__(cls) -> None:
        documented(cls, _ARGUMENTS)

    def __init__(
        self,
        how: str = "max",
        window_size: Extents = 2,
        depth: int = 1,
        strides: Extents | None = None,
        padding: PaddingLike = "valid",
        window_initializer: InitializerLike = "ones",
        window_regularizer: RegularizerLike = None,
        trainable_window: bool = False,
        data_format: str | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, trainable=trainable, **kwargs)
        cls = type(self).__name__
        if not isinstance(how, str) or how not in KINDS:
            raise ValueError(f"{cls}: how: expected one of {tuple(KINDS)}, got {how!r}")
        self.how = how
        self.window_size = extents(window_size, self.rank, f"{cls}: window_size")
        self.depth = integer(depth, f"{cls}: depth")
        self.strides = self.window_size if strides is None else extents(strides, self.rank, f"{cls}: strides")
        self.padding = padding_pairs(padding, self.rank, f"{cls}: padding")
        self.window_initializer = initializers.get(window_initializer)
        self.window_regularizer = regularizers.get(window_regularizer)
        self.trainable_window = flag(trainable_window, f"{cls}: trainable_window")
        if known_data_format(data_format, f"{cls}: data_format") != "channels_last":
            raise ValueError(
                f"{cls}: data_format: expected 'channels_last', got 'channels_first'; move the channels last"
            )

    def add_to(self, network: Network, edge: int) -> int:
        shape = tuple(network.edge_shape(edge))
        if len(shape) != self.rank + 1:
            raise ValueError(
                f"{self.name}: expected an input of {self.rank} spatial extent(s) and channels, got shape {shape}"
            )
        if self.depth > (shape[-1] or 0):
            raise ValueError(f"{self.name}: depth: expected at most the input's {shape[-1]} channels, got {self.depth}")
        padding = self.padding if isinstance(self.padding, str) else (*self.padding, (0, 0))
        return network.add_aggregate(
            self.name, edge, KINDS[self.how], (*self.window_size, self.depth), (*self.strides, 1), padding
        )

    def weight_specs(self) -> dict[str, WeightSpec]:
        return {"window": WeightSpec(self.window_initializer, self.window_regularizer)}

    def trains(self, weight: str) -> bool:
        return self._trainable and self.trainable_window

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "how": self.how,
            "window_size": list(self.window_size),
            "depth": self.depth,
            "strides": list(self.strides),
            "padding": self.padding if isinstance(self.padding, str) else [list(pair) for pair in self.padding],
            "window_initializer": serialize(self.window_initializer),
            "window_regularizer": serialize(self.window_regularizer),
            "trainable_window": self.trainable_window,
            "data_format": "channels_last",
        }


class Aggregation1D(Aggregation):
    """Maximum, mean or sum of a weighted window over steps and channels (chapter §26.3.4).

    (batch, steps, channels) -> (batch, steps', channels - depth + 1).
    Weights: window (k, depth).
    """

    rank = 1


class Aggregation2D(Aggregation):
    """Maximum, mean or sum of a weighted window over rows, columns and channels (chapter §26.3.4).

    (batch, rows, columns, channels) -> (batch, rows', columns', channels - depth + 1).
    Weights: window (k_rows, k_columns, depth).
    """

    rank = 2


class Aggregation3D(Aggregation):
    """Maximum, mean or sum of a weighted window over three dimensions and channels (chapter §26.3.4).

    (batch, depth, rows, columns, channels) -> (batch, depth', rows', columns', channels - depth + 1).
    Weights: window (k_depth, k_rows, k_columns, depth).
    """

    rank = 3
