"""MLPs on tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tauten.layers import Layer
from tauten.layers._docs import documented
from tauten.sklearn._base import ATTRIBUTES, TRAINING, Estimator, hidden, sizes
from tauten.sklearn._layout import Data
from tauten.sklearn._targets import CLASSES, LABELS, OUTPUTS, Classifier, Regressor
from tauten.sklearn._versions import validate_data

DENSE = """

    Arguments, defaults and training are those of scikit-learn's estimator of this name, but for the solver "lbfgs".

    Args:
        hidden_layer_sizes: units of the hidden layers; default (100,).
        activation: of the hidden layers: "identity", "logistic", "tanh", "relu" (default), or any of
            tauten.activations."""


@dataclass(eq=False, repr=False)
class MLP(Estimator):
    """Dense layers."""

    hidden_layer_sizes: Sequence[int] | int = (100,)
    activation: str = "relu"

    def _read(self, X: Any, reset: bool) -> Data:
        return np.asarray(validate_data(self, X, reset=reset, dtype=[np.float64, np.float32]))

    def _body(self, shape: tuple[int, ...], penalty: Any) -> tuple[tuple[int | None, ...], list[Layer]]:
        units = sizes(self.hidden_layer_sizes, f"{type(self).__name__}: hidden_layer_sizes")
        return shape, hidden(units, self.activation, self.dropout, penalty)


@dataclass(eq=False, repr=False)
class MLPClassifier(MLP, Classifier):
    """A multi-layer perceptron that classifies the rows of a table."""


@dataclass(eq=False, repr=False)
class MLPRegressor(MLP, Regressor):
    """A multi-layer perceptron that predicts numbers from the rows of a table."""


documented(MLPClassifier, DENSE, TRAINING, CLASSES, ATTRIBUTES.format(more=LABELS))
documented(MLPRegressor, DENSE, TRAINING, ATTRIBUTES.format(more=OUTPUTS))
