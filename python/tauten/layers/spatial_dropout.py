"""Dropout of whole channels over one, two or three dimensions: one code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from tauten.config import known_data_format
from tauten.layers._axes import with_axis_last
from tauten.layers._docs import FORMAT, NAME, documented
from tauten.layers.core import Dropping

if TYPE_CHECKING:
    from tauten._core import Network

_ARGUMENTS = """

    While training, each channel of a sample is set to 0 everywhere with probability `rate`; the rest are scaled by
    1 / (1 - rate).

    Source: Tompson et al. 2015, "Efficient object localization using convolutional networks".

    Args:
        rate: share that is dropped, in [0, 1)."""
_SEED = """
        seed: of the masks; default None, one drawn from the generator of tauten.utils.set_random_seed()."""
_RAISES = """

    Raises:
        TypeError, ValueError: for a rate outside [0, 1); when the model is built, for samples of another rank.
    """


class SpatialDropout(Dropping):
    """Base of the layers that drop channels."""

    rank: ClassVar[int]

    def __init_subclass__(cls) -> None:
        documented(cls, _ARGUMENTS, FORMAT if cls.rank > 1 else "", _SEED, NAME, _RAISES)

    def add_to(self, network: Network, edge: int) -> int:
        return network.add_spatial_dropout(self.name, edge, self.rank, self.rate, self.mask_seed)


class SpatialDropout1D(SpatialDropout):
    """Drops whole channels of (batch, steps, channels), sequences of any length included."""

    rank = 1

    def __init__(self, rate: float, seed: int | None = None, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(rate, seed=seed, name=name, **kwargs)


class SpatialDropoutOfImages(SpatialDropout):
    """Base of those that have a data_format."""

    rank = 2

    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(rate, seed=seed, name=name, **kwargs)
        self.data_format = known_data_format(data_format, f"{type(self).__name__}: data_format")

    def add_to(self, network: Network, edge: int) -> int:
        if self.data_format == "channels_last" or len(network.edge_shape(edge)) != self.rank + 1:
            return super().add_to(network, edge)
        last = super().add_to
        return with_axis_last(network, self.name, edge, 0, lambda e: last(network, e))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format}


class SpatialDropout2D(SpatialDropoutOfImages):
    """Drops whole channels of (batch, rows, columns, channels)."""

    rank = 2


class SpatialDropout3D(SpatialDropoutOfImages):
    """Drops whole channels of (batch, depth, rows, columns, channels)."""

    rank = 3
