"""Positions repeated, or values put between them, over one, two or three dimensions: one code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from tauten._checks import extents
from tauten.config import known_data_format
from tauten.layers._docs import FORMAT, NAME, RAISES, documented
from tauten.layers.base import Layer

if TYPE_CHECKING:
    from tauten._core import Network
    from tauten.layers._windows import Extents

_INTERPOLATION = """
        interpolation: "nearest" (default), positions are repeated, or "bilinear", values between them at half-pixel
            centres. Keras' "bicubic", "lanczos3" and "lanczos5" are not supported."""


class _UpSampling(Layer):
    rank: ClassVar[int]

    def __init_subclass__(cls) -> None:
        pieces = {1: (), 2: (FORMAT, _INTERPOLATION), 3: (FORMAT,)}
        documented(cls, *pieces[cls.rank], NAME, RAISES.format(more=""))

    def __init__(
        self, size: Extents, data_format: str | None, interpolation: str, name: str | None, **kwargs: Any
    ) -> None:
        super().__init__(name=name, **kwargs)
        cls = type(self).__name__
        self.sizes = extents(size, self.rank, f"{cls}: size")
        self.data_format = known_data_format(data_format, f"{cls}: data_format")
        words = ("nearest", "bilinear") if self.rank == 2 else ("nearest",)
        if not isinstance(interpolation, str) or interpolation.lower() not in words:
            raise ValueError(f"{cls}: interpolation: expected one of {words}, got {interpolation!r}")
        self.interpolation = interpolation.lower()

    @property
    def size(self) -> int | tuple[int, ...]:
        """The factors: in one dimension a number, as in Keras."""
        return self.sizes[0] if self.rank == 1 else self.sizes

    def add_to(self, network: Network, edge: int) -> int:
        first = self.data_format == "channels_first"
        return network.add_upsampling(self.name, edge, self.sizes, self.interpolation, first)

    def get_config(self) -> dict[str, Any]:
        size = self.sizes[0] if self.rank == 1 else list(self.sizes)
        return {**super().get_config(), "size": size}


class UpSampling1D(_UpSampling):
    """Every step repeated: (batch, steps, channels) -> (batch, size · steps, channels).

    Args:
        size: how many times; default 2.
    """

    rank = 1

    def __init__(self, size: int = 2, *, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(size, "channels_last", "nearest", name, **kwargs)


class UpSampling2D(_UpSampling):
    """Rows and columns made more: (batch, rows, columns, channels) -> (batch, s_0 · rows, s_1 · columns, channels).

    Args:
        size: one factor, or one a dimension; default (2, 2).
    """

    rank = 2

    def __init__(
        self,
        size: Extents = (2, 2),
        data_format: str | None = None,
        interpolation: str = "nearest",
        *,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(size, data_format, interpolation, name, **kwargs)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format, "interpolation": self.interpolation}


class UpSampling3D(_UpSampling):
    """Every position repeated: (batch, depth, rows, columns, channels) -> the same with each extent times its size.

    Args:
        size: one factor, or one a dimension; default (2, 2, 2).
    """

    rank = 3

    def __init__(
        self, size: Extents = (2, 2, 2), data_format: str | None = None, *, name: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(size, data_format, "nearest", name, **kwargs)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format}
