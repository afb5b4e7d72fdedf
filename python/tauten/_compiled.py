"""What compile() decided: optimizer, and loss and metrics of each output, checked against the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tauten import losses, metrics, optimizers
from tauten._checks import number
from tauten._registry import serialize
from tauten._structure import by_name

if TYPE_CHECKING:
    from tauten._core import StepResult
    from tauten._graph import Exit, Graph

Metric = metrics.Metric | str


@dataclass(frozen=True)
class Names:
    """What logs call the parts of a result.

    Attributes:
        losses: (number of the output, name), one for each loss where there are several; else none.
        metrics: of each output.
    """

    losses: tuple[tuple[int, str], ...]
    metrics: tuple[tuple[str, ...], ...]

    @property
    def flat(self) -> list[str]:
        """The order of evaluate()'s list behind "loss": losses, then metrics, of several outputs by name."""
        return [name for _, name in self.losses] + self.sorted_metrics

    @property
    def sorted_metrics(self) -> list[str]:
        """Names of the metrics, in compile()'s order for one output."""
        names = [name for each in self.metrics for name in each]
        return sorted(names) if len(self.metrics) > 1 else names


@dataclass(frozen=True)
class Goal:
    """What one output is trained to and judged by."""

    loss: losses.Loss | None
    weight: float
    metrics: list[Metric]

    @property
    def sparse(self) -> bool:
        """Are the targets class numbers?"""
        return self.loss is not None and self.loss.native == losses.SparseCategoricalCrossentropy.native

    def native(self, exit: Exit) -> tuple[str, bool, float, list[str]] | None:
        """For the network. Raises ValueError if it does not go with the output."""
        if self.loss is None:
            return None
        features = exit.shape[-1] if exit.shape else None
        _check(self.loss, str(getattr(exit.layer, "activation", "linear")), exit.layer.name, features)
        names = [metrics.native_name(metric, self.sparse, features) for metric in self.metrics]
        return self.loss.native, self.loss.from_logits, self.weight, names


class Compiled:
    """Optimizer, losses and metrics of a model.

    Args:
        optimizer, loss, metric_list, loss_weights: as compile() has them.
        outputs: names of the model's outputs; None for one that is not known yet.

    Raises:
        ValueError, TypeError: for what names none of Tauten's, and for another number of outputs.
    """

    def __init__(
        self,
        optimizer: optimizers.Optimizer | str | dict[str, Any],
        loss: Any,
        metric_list: Any,
        loss_weights: Any = None,
        outputs: Sequence[str] | None = None,
    ) -> None:
        self.optimizer = optimizers.get(optimizer)
        self._outputs = list(outputs or ["output"])
        self._single = len(self._outputs) == 1
        found = self._losses(loss)
        weights = self._weights(loss_weights)
        chosen = self._metrics(metric_list)
        for name, one, each in zip(self._outputs, found, chosen, strict=True):
            if one is None and each:
                raise ValueError(f"compile: metrics: output {name!r} has no loss, so it gets no targets to judge it by")
        self.loss = found[0] if self._single else loss
        self.goals = [Goal(*goal) for goal in zip(found, weights, chosen, strict=True)]
        self.names = self._named()

    @property
    def native_losses(self) -> list[str | None]:
        """The name of each output's loss in the native core."""
        return [None if goal.loss is None else goal.loss.native for goal in self.goals]

    def configure(self, graph: Graph) -> None:
        """Hand losses and metrics to a finished network. Raises ValueError if they do not go with its outputs."""
        graph.network.compile([goal.native(exit) for goal, exit in zip(self.goals, graph.exits, strict=True)])

    def get_config(self) -> dict[str, Any]:
        """compile()'s arguments."""
        found: list[Any] = [None if goal.loss is None else serialize(goal.loss) for goal in self.goals]
        chosen = [[_config(metric) for metric in goal.metrics] for goal in self.goals]
        config: dict[str, Any] = {"optimizer": serialize(self.optimizer)}
        if self._single:
            config |= {"loss": found[0], "metrics": chosen[0]}
            weights = [goal.weight for goal in self.goals]
            return config if weights == [1.0] else {**config, "loss_weights": weights}
        return config | {"loss": found, "metrics": chosen, "loss_weights": [goal.weight for goal in self.goals]}

    def _losses(self, loss: Any) -> list[losses.Loss | None]:
        if self._single and isinstance(loss, (list, tuple)) and len(loss) == 1:
            loss = loss[0]
        if isinstance(loss, (list, tuple)) or (isinstance(loss, Mapping) and not _is_config(loss)):
            given = by_name(loss, self._outputs, "compile: loss", self._of())
        else:
            given = [loss] * len(self._outputs)
        if all(one is None for one in given):
            raise ValueError("compile: a loss is needed, such as loss='mean_squared_error'")
        return [None if one is None else losses.get(one) for one in given]

    def _weights(self, weights: Any) -> list[float]:
        if weights is None:
            return [1.0] * len(self._outputs)
        if self._single and not isinstance(weights, (list, tuple, Mapping)):
            weights = [weights]
        given = by_name(weights, self._outputs, "compile: loss_weights", self._of())
        return [
            number(one, f"compile: loss_weights of {name!r}", 0.0)
            for name, one in zip(self._outputs, given, strict=True)
        ]

    def _metrics(self, chosen: Any) -> list[list[Metric]]:
        if self._single:
            if isinstance(chosen, Mapping):
                chosen = _listed(by_name(chosen, self._outputs, "compile: metrics", self._of(), partial=True)[0])
            if isinstance(chosen, (list, tuple)) and len(chosen) == 1 and isinstance(chosen[0], (list, tuple)):
                chosen = chosen[0]
            return [metrics.get_all(chosen)]
        if not chosen and (chosen is None or isinstance(chosen, (list, tuple, Mapping))):
            return [[] for _ in self._outputs]
        given = by_name(chosen, self._outputs, "compile: metrics", self._of(), partial=True)
        return [metrics.get_all(_listed(one)) for one in given]

    def _of(self) -> str:
        return f"the model has {len(self._outputs)} output{'s' if len(self._outputs) > 1 else ''}"

    def _named(self) -> Names:
        if self._single:
            return Names((), (tuple(metrics.metric_name(metric) for metric in self.goals[0].metrics),))
        with_loss = [number for number, goal in enumerate(self.goals) if goal.loss is not None]
        several = [(number, f"{self._outputs[number]}_loss") for number in with_loss] if len(with_loss) > 1 else []
        names = [
            tuple(f"{output}_{metrics.metric_name(metric)}" for metric in goal.metrics)
            for output, goal in zip(self._outputs, self.goals, strict=True)
        ]
        flat = ["loss", *(name for _, name in several), *(name for each in names for name in each)]
        for name in flat:
            if flat.count(name) > 1:
                raise ValueError(
                    f"compile: two things would be called {name!r} in the logs; give the output layers other names"
                )
        return Names(tuple(several), tuple(names))


def _listed(chosen: Any) -> Any:
    return chosen if chosen is None or isinstance(chosen, (list, tuple)) else [chosen]


def _is_config(loss: Mapping[str, Any]) -> bool:
    """Is it one loss as serialize() wrote it, and no dict by outputs?"""
    return set(loss) == {"class_name", "config"}


def _config(metric: Metric) -> Any:
    return metric if isinstance(metric, str) else serialize(metric)


def _check(loss: losses.Loss, activation: str, layer: str, features: int | None) -> None:
    name, from_logits = loss.native, loss.from_logits
    if name == losses.MeanSquaredError.native:
        return
    wanted = "sigmoid" if name == losses.BinaryCrossentropy.native else "softmax"
    if not from_logits and activation != wanted:
        raise ValueError(
            f"compile: {name} with from_logits=False needs a model whose last layer is or has the activation "
            f"{wanted!r}, got {activation!r} in layer {layer!r}; add activation={wanted!r} to it, or use "
            f"{type(loss).__name__}(from_logits=True) if it gives logits"
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


class Means:
    """Running means over batches, as Keras computes them: losses by samples, metrics by their output's rows."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._loss = 0.0
        self._samples = 0
        self._losses = [0.0] * len(names.losses)
        self._metrics = [[0.0] * len(each) for each in names.metrics]
        self._rows = [0] * len(names.metrics)

    def add(self, result: StepResult) -> None:
        """Take a batch into account."""
        samples = result.samples
        self._loss += result.loss * samples
        self._samples += samples
        if self._losses:
            losses = result.losses
            for i, (output, _) in enumerate(self._names.losses):
                self._losses[i] += losses[output] * samples
        for output, (found, rows) in enumerate(zip(result.metrics, result.rows, strict=True)):
            sums = self._metrics[output]
            for i, value in enumerate(found):
                sums[i] += value * rows
            self._rows[output] += rows

    def _by_name(self) -> dict[str, float]:
        samples = max(self._samples, 1)
        found = {"loss": self._loss / samples}
        for (_, name), value in zip(self._names.losses, self._losses, strict=True):
            found[name] = value / samples
        for names, sums, rows in zip(self._names.metrics, self._metrics, self._rows, strict=True):
            for name, value in zip(names, sums, strict=True):
                found[name] = value / max(rows, 1)
        return found

    def values(self) -> list[float]:
        """The loss, then the other values in the order of `names`."""
        found = self._by_name()
        return [found["loss"], *(found[name] for name in self._names.flat)]

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
        return dict(sorted(self._by_name().items()))


def _lengths(sums: Any) -> Any:
    """How a tree of numbers is built."""
    if isinstance(sums, dict):
        return {name: _lengths(value) for name, value in sums.items()}
    return [_lengths(value) for value in sums] if isinstance(sums, list) else None
