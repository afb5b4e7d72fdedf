"""What compile() decided: optimizer, loss and metrics, checked against the model's output."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from tauten import losses, metrics, optimizers
from tauten._registry import serialize

if TYPE_CHECKING:
    from tauten._core import StepResult
    from tauten._graph import Graph
    from tauten.layers.base import Layer


class Compiled:
    """Optimizer, loss and metrics of a model.

    Raises:
        ValueError, TypeError: for what names none of Tauten's.
    """

    def __init__(
        self,
        optimizer: optimizers.SGD | str | dict[str, Any],
        loss: losses.Loss | str | dict[str, Any] | Callable[..., Any] | None,
        metric_list: Sequence[metrics.Identifier] | None,
    ) -> None:
        if loss is None:
            raise ValueError("compile: a loss is needed, such as loss='mean_squared_error'")
        self.optimizer = optimizers.get(optimizer)
        self.loss = losses.get(loss)
        self.metrics = metrics.get_all(metric_list)
        self.names = [metrics.metric_name(metric) for metric in self.metrics]

    @property
    def sparse(self) -> bool:
        """Are the targets class numbers?"""
        return self.loss.native == losses.SparseCategoricalCrossentropy.native

    def configure(self, graph: Graph, layers: Sequence[Layer]) -> None:
        """Hand loss and metrics to a finished network. Raises ValueError if they do not go with its output."""
        features = graph.output_shape[-1] if graph.output_shape else None
        self._check(str(getattr(layers[-1], "activation", "linear")), layers[-1].name, features)
        native = [metrics.native_name(metric, self.sparse, features) for metric in self.metrics]
        graph.network.compile(self.loss.native, self.loss.from_logits, native)

    def _check(self, activation: str, layer: str, features: int | None) -> None:
        name, from_logits = self.loss.native, self.loss.from_logits
        if name == losses.MeanSquaredError.native:
            return
        wanted = "sigmoid" if name == losses.BinaryCrossentropy.native else "softmax"
        if not from_logits and activation != wanted:
            raise ValueError(
                f"compile: {name} with from_logits=False needs a model whose last layer is or has the activation "
                f"{wanted!r}, got {activation!r} in layer {layer!r}; add activation={wanted!r} to it, or use "
                f"{type(self.loss).__name__}(from_logits=True) if it gives logits"
            )
        if from_logits and activation in ("softmax", "sigmoid"):
            raise ValueError(
                f"compile: {name} with from_logits=True needs logits, got the activation {activation!r} in layer "
                f"{layer!r}; remove the activation or use from_logits=False"
            )
        if wanted == "softmax" and features == 1:
            raise ValueError(
                f"compile: {name} needs at least two classes, got an output of one feature from layer {layer!r}; "
                "for two classes as 0 and 1 use a sigmoid and 'binary_crossentropy'"
            )

    def get_config(self) -> dict[str, Any]:
        """compile()'s arguments."""
        return {
            "optimizer": serialize(self.optimizer),
            "loss": serialize(self.loss),
            "metrics": [metric if isinstance(metric, str) else serialize(metric) for metric in self.metrics],
        }


class Means:
    """Running means over batches, as Keras computes them: the loss by samples, the metrics by rows."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = list(names)
        self._loss = 0.0
        self._samples = 0
        self._metrics = [0.0] * len(self._names)
        self._rows = 0

    def add(self, result: StepResult) -> None:
        """Take a batch into account."""
        self._loss += result.loss * result.samples
        self._samples += result.samples
        for i, value in enumerate(result.metrics):
            self._metrics[i] += value * result.rows
        self._rows += result.rows

    def values(self) -> list[float]:
        """The loss, then the metrics in compile()'s order."""
        return [self._loss / max(self._samples, 1)] + [value / max(self._rows, 1) for value in self._metrics]

    def state(self) -> dict[str, Any]:
        """The sums so far, as JSON can hold them."""
        return {name: deepcopy(value) for name, value in vars(self).items() if name != "_names"}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from such sums. Raises ValueError if they are of other metrics."""
        fresh = self.state()
        if _lengths(fresh) != _lengths(dict(state)):
            raise ValueError("its model was compiled with other losses or metrics")
        vars(self).update(deepcopy(dict(state)))

    def logs(self) -> dict[str, float]:
        """Name -> mean, sorted by name."""
        return dict(sorted(zip(["loss", *self._names], self.values(), strict=True)))


def _lengths(sums: Any) -> Any:
    """How a tree of numbers is built."""
    if isinstance(sums, dict):
        return {name: _lengths(value) for name, value in sums.items()}
    return [_lengths(value) for value in sums] if isinstance(sums, list) else None
