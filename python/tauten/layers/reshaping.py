"""Layers without weights that move positions: zeros around them, cut off, repeated, axes in another order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from tauten._checks import extents, integer, unpacked
from tauten.config import known_data_format
from tauten.layers.base import Layer
from tauten.layers.convolution import padding_pairs

if TYPE_CHECKING:
    from tauten._core import Network
    from tauten.layers.convolution import Extents

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

    @property
    def padding(self) -> tuple[int, ...] | tuple[tuple[int, int], ...]:
        """(before, after), of each dimension if there are several."""
        return self.amounts[0] if self.rank == 1 else self.amounts


class _Cropping(_Margins):
    sign, argument = -1, "cropping"

    @property
    def cropping(self) -> tuple[int, ...] | tuple[tuple[int, int], ...]:
        """(before, after), of each dimension if there are several."""
        return self.amounts[0] if self.rank == 1 else self.amounts


class ZeroPadding1D(_ZeroPadding):
    """Zeros before and after the steps: (batch, steps, channels) -> (batch, steps', channels).

    Args:
        padding: zeros on both sides, or (before, after); default 1.
        data_format: "channels_last" or "channels_first"; default None, tauten.config.image_data_format().
        name: as in Layer.

    Raises:
        TypeError, ValueError: for wrong arguments.
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
        data_format: "channels_last" or "channels_first"; default None, tauten.config.image_data_format().
        name: as in Layer.

    Raises:
        TypeError, ValueError: for wrong arguments.
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
        data_format: "channels_last" or "channels_first"; default None, tauten.config.image_data_format().
        name: as in Layer.

    Raises:
        TypeError, ValueError: for wrong arguments.
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
        name: as in Layer.

    Raises:
        TypeError, ValueError: for wrong arguments; when the model is built also if nothing would be left.
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
        data_format: "channels_last" or "channels_first"; default None, tauten.config.image_data_format().
        name: as in Layer.

    Raises:
        TypeError, ValueError: for wrong arguments; when the model is built also if nothing would be left.
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
        data_format: "channels_last" or "channels_first"; default None, tauten.config.image_data_format().
        name: as in Layer.

    Raises:
        TypeError, ValueError: for wrong arguments; when the model is built also if nothing would be left.
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


class _UpSampling(Layer):
    rank: ClassVar[int]

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
        name: as in Layer.

    Raises:
        TypeError, ValueError: for wrong arguments.
    """

    rank = 1

    def __init__(self, size: int = 2, *, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(size, "channels_last", "nearest", name, **kwargs)


class UpSampling2D(_UpSampling):
    """Rows and columns made more: (batch, rows, columns, channels) -> (batch, s_0 · rows, s_1 · columns, channels).

    Args:
        size: one factor, or one a dimension; default (2, 2).
        data_format: "channels_last" or "channels_first"; default None, tauten.config.image_data_format().
        interpolation: "nearest" (default), positions are repeated, or "bilinear", values between them at half-pixel
            centres. Keras' "bicubic", "lanczos3" and "lanczos5" are not supported.
        name: as in Layer.

    Raises:
        TypeError, ValueError: for wrong arguments.
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
        data_format: "channels_last" or "channels_first"; default None, tauten.config.image_data_format().
        name: as in Layer.

    Raises:
        TypeError, ValueError: for wrong arguments.
    """

    rank = 3

    def __init__(
        self, size: Extents = (2, 2, 2), data_format: str | None = None, *, name: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(size, data_format, "nearest", name, **kwargs)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format}


class Permute(Layer):
    """Axes in another order: axis j of the output is axis dims[j - 1] of the input.

    Args:
        dims: the axes behind the batch, counted from 1, each once: (2, 1) swaps two.
        name: as in Layer.

    Raises:
        TypeError, ValueError: for what is no permutation; when the model is built also for another number of axes.
    """

    def __init__(self, dims: Sequence[int], *, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        dims = unpacked(dims)
        if isinstance(dims, str) or not isinstance(dims, Sequence):
            raise TypeError(f"Permute: dims: expected a tuple of integers, got {dims!r}")
        axes = tuple(integer(axis, "Permute: dims") for axis in dims)
        if sorted(axes) != list(range(1, len(axes) + 1)) or not axes:
            raise ValueError(f"Permute: dims: expected each of 1, 2, ... once, got {axes}")
        self.dims = axes

    def add_to(self, network: Network, edge: int) -> int:
        return network.add_permute(self.name, edge, [axis - 1 for axis in self.dims])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "dims": list(self.dims)}


class RepeatVector(Layer):
    """The same features at every one of n steps: (batch, features) -> (batch, n, features).

    Args:
        n: how many steps.
        name: as in Layer.

    Raises:
        TypeError, ValueError: for what is no positive integer; when the model is built also for an input that is no
            vector.
    """

    def __init__(self, n: int, *, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.n = integer(n, "RepeatVector: n")

    def add_to(self, network: Network, edge: int) -> int:
        shape = tuple(network.edge_shape(edge))
        if len(shape) != 1:
            raise ValueError(f"{self.name}: expected a vector (features,), got shape {shape}")
        return network.add_upsampling(self.name, network.add_reshape(self.name, edge, (1, -1)), (self.n,))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "n": self.n}
