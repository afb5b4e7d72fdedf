"""Convolutional networks on series, images and volumes: one code, the layout says how many dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from tauten import layers
from tauten.layers import Layer
from tauten.layers._docs import documented
from tauten.sklearn._base import ATTRIBUTES, TRAINING, activation_of, dropped, hidden, sizes
from tauten.sklearn._layout import IMAGES, LAYOUTS
from tauten.sklearn._shaped import Shaped
from tauten.sklearn._targets import CLASSES, LABELS, OUTPUTS, Classifier, Regressor

CONVOLUTIONS = {1: layers.Conv1D, 2: layers.Conv2D, 3: layers.Conv3D}
POOLINGS = {1: layers.MaxPooling1D, 2: layers.MaxPooling2D, 3: layers.MaxPooling3D}

NETWORK = """

    Convolutions ("same" padding), each with its activation and max pooling; then dense layers. One, two or three
    dimensions, as the layout of X has them.

    Args:
        filters: of the convolutions; default (32, 64).
        kernel_size: an integer, or one a dimension; default 3.
        pool_size: the same; default 2. 1 is no pooling. Odd extents keep their last window.
        hidden_layer_sizes: units of the dense layers; default (64,).
        activation: of convolutions and dense layers: scikit-learn's names or any of tauten.activations; default
            "relu".""" + LAYOUTS.format(more=IMAGES, lists="")
DEFAULTS = TRAINING.replace(' "auto" is 200, or all if there are fewer.', ' default 32; "auto" is 200.')


@dataclass(eq=False, repr=False)
class CNN(Shaped):
    """Convolutions and dense layers."""

    filters: Sequence[int] | int = (32, 64)
    kernel_size: int | Sequence[int] = 3
    pool_size: int | Sequence[int] = 2
    hidden_layer_sizes: Sequence[int] | int = (64,)
    activation: str = "relu"
    batch_size: int | str = field(default=32, kw_only=True)

    _ranks: ClassVar[tuple[int, ...]] = (1, 2, 3)
    _unequal: ClassVar[bool] = False

    def _body(self, shape: tuple[int, ...], penalty: Any) -> tuple[tuple[int | None, ...], list[Layer]]:
        owner, rank = type(self).__name__, len(shape) - 1
        activation = activation_of(self.activation)
        found: list[Layer] = []
        for place, count in enumerate(sizes(self.filters, f"{owner}: filters"), 1):
            found.append(
                CONVOLUTIONS[rank](
                    count,
                    self.kernel_size,
                    padding="same",
                    data_format="channels_last",
                    activation=activation,
                    kernel_regularizer=penalty,
                    name=f"convolution_{place}",
                )
            )
            if np.any(np.asarray(self.pool_size) != 1):
                found.append(
                    POOLINGS[rank](self.pool_size, padding="same", data_format="channels_last", name=f"pooling_{place}")
                )
            found += dropped(self.dropout, f"convolution_dropout_{place}")
        found.append(layers.Flatten(data_format="channels_last", name="flatten"))
        units = sizes(self.hidden_layer_sizes, f"{owner}: hidden_layer_sizes")
        return shape, found + hidden(units, self.activation, self.dropout, penalty)


@dataclass(eq=False, repr=False)
class CNNClassifier(CNN, Classifier):
    """A convolutional network that classifies series, images or volumes."""


@dataclass(eq=False, repr=False)
class CNNRegressor(CNN, Regressor):
    """A convolutional network that predicts numbers from series, images or volumes."""


documented(CNNClassifier, NETWORK, DEFAULTS, CLASSES, ATTRIBUTES.format(more=LABELS))
documented(CNNRegressor, NETWORK, DEFAULTS, ATTRIBUTES.format(more=OUTPUTS))
