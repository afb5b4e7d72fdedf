"""Global pooling: one value a channel, over all positions or steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from tauten._checks import flag
from tauten.config import known_data_format
from tauten.layers._docs import ARGS, FORMAT, NAME, RAISES, documented
from tauten.layers.base import Layer

if TYPE_CHECKING:
    from tauten._core import Network


_KEEPDIMS = "\n        keepdims: keep the axes that are pooled over, with extent 1; default False."


class GlobalPooling(Layer):
    """Base of the global pooling layers."""

    rank: ClassVar[int]
    kind: ClassVar[str]

    def __init_subclass__(cls) -> None:
        documented(cls, ARGS, FORMAT, _KEEPDIMS, NAME, RAISES.format(more=""))

    def __init__(
        self, data_format: str | None = None, keepdims: bool = False, *, name: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(name=name, **kwargs)
        cls = type(self).__name__
        self.data_format = known_data_format(data_format, f"{cls}: data_format")
        self.keepdims = flag(keepdims, f"{cls}: keepdims")

    def add_to(self, network: Network, edge: int) -> int:
        first = self.data_format == "channels_first"
        return network.add_global_pool(self.name, edge, self.kind, self.rank, self.keepdims, first)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format, "keepdims": self.keepdims}


class GlobalMaxPooling1D(GlobalPooling):
    """Largest value of each channel over the steps: (batch, steps, channels) -> (batch, channels).

    The number of steps may be None: each sample has its own. It does not support masks, as in Keras: the steps that a
    Masking masks are zeros to it.
    """

    rank, kind = 1, "max"


class GlobalMaxPooling2D(GlobalPooling):
    """Largest value of each channel: (batch, rows, columns, channels) -> (batch, channels)."""

    rank, kind = 2, "max"


class GlobalMaxPooling3D(GlobalPooling):
    """Largest value of each channel: (batch, depth, rows, columns, channels) -> (batch, channels)."""

    rank, kind = 3, "max"


class GlobalAveragePooling1D(GlobalPooling):
    """Mean of each channel over the steps: (batch, steps, channels) -> (batch, channels).

    The number of steps may be None: each sample has its own. It reads masks and ends them: masked steps are not
    counted, and a sample that has no valid step gives zeros (in Keras NaN). With channels_first it does not support
    masks, whose steps are the first axis.
    """

    rank, kind = 1, "average"

    @property
    def supports_masking(self) -> bool:  # type: ignore[override]
        """Does it read masks?"""
        return self.data_format == "channels_last"

    ends_mask = True


class GlobalAveragePooling2D(GlobalPooling):
    """Mean of each channel: (batch, rows, columns, channels) -> (batch, channels)."""

    rank, kind = 2, "average"


class GlobalAveragePooling3D(GlobalPooling):
    """Mean of each channel: (batch, depth, rows, columns, channels) -> (batch, channels)."""

    rank, kind = 3, "average"
