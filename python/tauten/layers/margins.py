"""Zeros around positions, and positions cut off, over one, two or three dimensions: one code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from tauten.config import known_data_format
from tauten.layers._docs import FORMAT, NAME, RAISES, documented
from tauten.layers._windows import padding_pairs
from tauten.layers.base import Layer

if TYPE_CHECKING:
    from tauten._core import Network

Amounts = int | Sequence[int | Sequence[int]]


class _Margins(Layer):
    """Base of padding and cropping: (before, after) for each spatial dimension."""

    rank: ClassVar[int]
    sign: ClassVar[int]  # 1: zeros around it; -1: cut off
    argument: ClassVar[str]

    def __init__(self, amounts: Amounts, data_format: str | None, name: str | None, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        cls = type(self).__name__
        if isinstance(amounts, str):
            raise TypeError(f"{cls}: {self.argument}: expected integers, got {amounts!r}")
        pairs = padding_pairs(amounts, self.rank, f"{cls}: {self.argument}")
        self.amounts: tuple[tuple[int, int], ...] = () if isinstance(pairs, str) else pairs
        self.data_format = known_data_format(data_format, f"{cls}: data_format")

    def add_to(self, network: Network, edge: int) -> int:
        amounts = [(self.sign * before, self.sign * after) for before, after in self.amounts]
        return network.add_margins(self.name, edge, amounts, self.data_format == "channels_first")

    def get_config(self) -> dict[str, Any]:
        pairs = [list(pair) for pair in self.amounts]
        return {
            **super().get_config(),
            self.argument: pairs[0] if self.rank == 1 else pairs,
            "data_format": self.data_format,
        }


class _ZeroPadding(_Margins):
    sign, argument = 1, "padding"

    def __init_subclass__(cls) -> None:
        documented(cls, FORMAT, NAME, RAISES.format(more=""))

    @property
    def padding(self) -> tuple[int, ...] | tuple[tuple[int, int], ...]:
        """(before, after), of each dimension if there are several."""
        return self.amounts[0] if self.rank == 1 else self.amounts


class _Cropping(_Margins):
    sign, argument = -1, "cropping"

    def __init_subclass__(cls) -> None:
        more = "; when the model is built also if nothing would be left"
        documented(cls, FORMAT if cls.rank > 1 else "", NAME, RAISES.format(more=more))

    @property
    def cropping(self) -> tuple[int, ...] | tuple[tuple[int, int], ...]:
        """(before, after), of each dimension if there are several."""
        return self.amounts[0] if self.rank == 1 else self.amounts


class ZeroPadding1D(_ZeroPadding):
    """Zeros before and after the steps: (batch, steps, channels) -> (batch, steps', channels).

    Args:
        padding: zeros on both sides, or (before, after); default 1.
    """

    rank = 1

    def __init__(
        self, padding: Amounts = 1, data_format: str | None = None, *, name: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(padding, data_format, name, **kwargs)


class ZeroPadding2D(_ZeroPadding):
    """Zeros around rows and columns: (batch, rows, columns, channels) -> (batch, rows', columns', channels).

    Args:
        padding: zeros on every side, one number a dimension, or ((top, bottom), (left, right)); default (1, 1).
    """

    rank = 2

    def __init__(
        self, padding: Amounts = (1, 1), data_format: str | None = None, *, name: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(padding, data_format, name, **kwargs)


class ZeroPadding3D(_ZeroPadding):
    """Zeros all around: (batch, depth, rows, columns, channels) -> (batch, depth', rows', columns', channels).

    Args:
        padding: zeros on every side, one number a dimension, or three pairs (before, after); default ((1, 1), (1, 1),
            (1, 1)).
    """

    rank = 3

    def __init__(
        self,
        padding: Amounts = ((1, 1), (1, 1), (1, 1)),
        data_format: str | None = None,
        *,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(padding, data_format, name, **kwargs)


class Cropping1D(_Cropping):
    """Steps cut off: (batch, steps, channels) -> (batch, steps', channels).

    Args:
        cropping: steps cut off on both sides, or (before, after); default (1, 1).
    """

    rank = 1

    def __init__(self, cropping: Amounts = (1, 1), *, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(cropping, "channels_last", name, **kwargs)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["data_format"]
        return config


class Cropping2D(_Cropping):
    """Rows and columns cut off: (batch, rows, columns, channels) -> (batch, rows', columns', channels).

    Args:
        cropping: cut off on every side, one number a dimension, or ((top, bottom), (left, right)); default ((0, 0), (0,
            0)).
    """

    rank = 2

    def __init__(
        self,
        cropping: Amounts = ((0, 0), (0, 0)),
        data_format: str | None = None,
        *,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(cropping, data_format, name, **kwargs)


class Cropping3D(_Cropping):
    """Three dimensions cut: (batch, depth, rows, columns, channels) -> (batch, depth', rows', columns', channels).

    Args:
        cropping: cut off on every side, one number a dimension, or three pairs (before, after); default ((1, 1), (1,
            1), (1, 1)).
    """

    rank = 3

    def __init__(
        self,
        cropping: Amounts = ((1, 1), (1, 1), (1, 1)),
        data_format: str | None = None,
        *,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(cropping, data_format, name, **kwargs)
