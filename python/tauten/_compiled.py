"""What compile() decided: optimizer, and loss and metrics of each output, checked against the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from tauten import losses, metrics, optimizers
from tauten._checks import number
from tauten._registry import serialize
from tauten._structure import by_name

if TYPE_CHECKING:
    from tauten._core import StepResult
    from tauten._graph import Exit, Graph
    from tauten._judging import Seen

Metric = metrics.Metric | str

_in_use: dict[int, object] = {}  # id of a metric in Python -> the call that uses it


@dataclass(frozen=True)
class Names:
    """What logs call the parts of a result.

    Attributes:
        losses: (number of the output, name), one for each loss where there are several; else none.
        native: of each output's metrics that the core computes.
        metrics: all metrics, in compile()'s order for one output, by name for several.
    """

    losses: tuple[tuple[int, str], ...]
    native: tuple[tuple[str, ...], ...]
    metrics: tuple[str, ...]

    @property
    def flat(self) -> list[str]:
        """The order of evaluate()'s list behind "loss": losses, then metrics."""
        return [name for _, name in self.losses] + list(self.metrics)


@dataclass(frozen=True)
class Judged:
    """A metric that Python computes.

    Attributes:
        output: the number of the output that it judges.
        name: in the logs.
        weighted: does it get sample weights?
    """

    output: int
    name: str
    metric: metrics.Metric
    weighted: bool


@dataclass(frozen=True)
class Goal:
    """What one output is trained to and judged by.

    Attributes:
        weight: of the loss in the sum.
        weighted: metrics that get sample weights.
    """

    loss: losses.Loss | None
    weight: float
    metrics: list[Metric]
    weighted: list[Metric] = field(default_factory=list)

    @property
    def kind(self) -> str | None:
        """The loss' name in the core: "outside" if Python computes it."""
        return None if self.loss is None else self.loss.native or "outside"

    @property
    def in_core(self) -> bool:
        """Does the core compute the loss?"""
        return self.loss is not None and self.loss.native is not None

    @property
    def smoothing(self) -> float:
        """The share of the core's targets that goes to all classes."""
        return float(getattr(self.loss, "label_smoothing", 0.0)) if self.in_core else 0.0

    @property
    def sparse(self) -> bool:
        """Are the targets class numbers?"""
        return isinstance(self.loss, losses.SparseCategoricalCrossentropy)

    @property
    def native_metrics(self) -> list[Metric]:
        """Those that the core computes: of targets as they are, without weights."""
        if not self.in_core or self.smoothing:
            return []
        return [metric for metric in self.metrics if isinstance(metric, str) or metric.native is not None]

    @property
    def python_metrics(self) -> list[Metric]:
        """The others, those with weights behind."""
        native = {id(metric) for metric in self.native_metrics}
        return [metric for metric in self.metrics if id(metric) not in native] + self.weighted

    @property
    def in_python(self) -> bool:
        """Does Python compute anything of it?"""
        return self.loss is not None and (not self.in_core or bool(self.python_metrics))

    def native(self, exit: Exit) -> tuple[str, bool, float, list[str]] | None:
        """For the network. Raises ValueError if it does not go with the output."""
        if self.loss is None or self.kind is None:
            return None
        features = exit.shape[-1] if exit.shape else None
        if self.in_core:
            _check(self.loss, str(getattr(exit.layer, "activation", "linear")), exit.layer.name, features)
        names = [metrics.native_name(metric, self.sparse, features) for metric in self.native_metrics]
        return self.kind, self.loss.from_logits, self.weight, names


class Compiled:
    """Optimizer, losses and metrics of a model.

    Args:
        optimizer, loss, metric_list, loss_weights, weighted_metrics: as compile() has them.
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
        weighted_metrics: Any = None,
    ) -> None:
        self.optimizer = optimizers.get(optimizer)
        self._outputs = list(outputs or ["output"])
        self._single = len(self._outputs) == 1
        found = self._losses(loss)
        weights = self._weights(loss_weights)
        chosen, weighted = self._metrics(metric_list), self._metrics(weighted_metrics, "weighted_metrics")
        for name, one, each, others in zip(self._outputs, found, chosen, weighted, strict=True):
            if one is None and (each or others):
                raise ValueError(f"compile: metrics: output {name!r} has no loss, so it gets no targets to judge it by")
        self.loss = found[0] if self._single else loss
        self.goals = [Goal(*goal) for goal in zip(found, weights, chosen, weighted, strict=True)]
        self.in_python = any(goal.in_python for goal in self.goals)
        self.plain = not self.in_python and not any(goal.smoothing for goal in self.goals)  # the core alone, y as it is
        self._judged: list[Judged] = []
        self.named: dict[str, Metric] = {}  # name in the logs -> metric
        self.names = self._named()

    @contextmanager
    def judging(self) -> Iterator[bool]:
        """For means(): may the metrics' own objects be used? One call at a time may, another one's gets copies.

        The calls are those of all models that were compiled with such an object.
        """
        call = object()
        objects = {id(judged.metric) for judged in self._judged}
        try:
            yield bool(objects) and all(_in_use.setdefault(number, call) is call for number in objects)
        finally:
            for number in objects:
                if _in_use.get(number) is call:
                    del _in_use[number]

    def means(self, own: bool) -> Means:
        """Running means that begin anew; with the metrics' own objects or with copies of them."""
        return Means(self.names, self._judged if own else deepcopy(self._judged))

    def configure(self, graph: Graph) -> None:
        """Hand losses and metrics to a finished network. Raises ValueError if they do not go with its outputs."""
        graph.network.compile([goal.native(exit) for goal, exit in zip(self.goals, graph.exits, strict=True)])

    def get_config(self) -> dict[str, Any]:
        """compile()'s arguments."""
        found: list[Any] = [None if goal.loss is None else serialize(goal.loss) for goal in self.goals]
        chosen = [[_config(metric) for metric in goal.metrics] for goal in self.goals]
        weighted = [[_config(metric) for metric in goal.weighted] for goal in self.goals]
        config: dict[str, Any] = {"optimizer": serialize(self.optimizer)}
        if any(weighted):
            config["weighted_metrics"] = weighted[0] if self._single else weighted
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

    def _metrics(self, chosen: Any, what: str = "metrics") -> list[list[Metric]]:
        what = f"compile: {what}"
        if self._single:
            if isinstance(chosen, Mapping):
                chosen = _listed(by_name(chosen, self._outputs, what, self._of(), partial=True)[0])
            if isinstance(chosen, (list, tuple)) and len(chosen) == 1 and isinstance(chosen[0], (list, tuple)):
                chosen = chosen[0]
            return [metrics.get_all(chosen)]
        if not chosen and (chosen is None or isinstance(chosen, (list, tuple, Mapping))):
            return [[] for _ in self._outputs]
        given = by_name(chosen, self._outputs, what, self._of(), partial=True)
        return [metrics.get_all(_listed(one)) for one in given]

    def _of(self) -> str:
        return f"the model has {len(self._outputs)} output{'s' if len(self._outputs) > 1 else ''}"

    def _named(self) -> Names:
        with_loss = [number for number, goal in enumerate(self.goals) if goal.loss is not None]
        several = [(number, f"{self._outputs[number]}_loss") for number in with_loss] if len(with_loss) > 1 else []
        taken = ["loss", *(name for _, name in several)]
        names: list[str] = []
        for weighted in (False, True):
            for output, goal in zip(self._outputs, self.goals, strict=True):
                for metric in goal.weighted if weighted else goal.metrics:
                    name = base = (
                        metrics.metric_name(metric) if self._single else f"{output}_{metrics.metric_name(metric)}"
                    )
                    count = 0
                    while weighted and name in taken:
                        count += 1
                        name = f"{base}_{count}"
                    if name in taken:
                        raise ValueError(
                            f"compile: two things would be called {name!r} in the logs; give the output layers other "
                            "names"
                        )
                    taken.append(name)
                    names.append(name)
        return self._parted(several, names)

    def _judge(self, output: int, name: str, metric: Metric, weighted: bool) -> None:
        """Have Python compute a metric; for an object in several places by copies in all but the first."""
        own = metrics.in_python(metric)
        if any(judged.metric is own for judged in self._judged):
            own = deepcopy(own)
        self._judged.append(Judged(output, name, own, weighted))

    def _parted(self, several: list[tuple[int, str]], names: list[str]) -> Names:
        """Names of metrics, all outputs' and then all with weights, as the core's and as Python's."""
        native: list[tuple[str, ...]] = []
        rest = iter(names)
        for output, goal in enumerate(self.goals):
            in_core = {id(metric) for metric in goal.native_metrics}
            own = [(metric, next(rest)) for metric in goal.metrics]
            self.named.update((name, metric) for metric, name in own)
            native.append(tuple(name for metric, name in own if id(metric) in in_core))
            for metric, name in own:
                if id(metric) not in in_core:
                    self._judge(output, name, metric, False)
        for output, goal in enumerate(self.goals):
            own = [(metric, next(rest)) for metric in goal.weighted]
            self.named.update((name, metric) for metric, name in own)
            for metric, name in own:
                self._judge(output, name, metric, True)
        return Names(tuple(several), tuple(native), tuple(names if self._single else sorted(names)))


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
    """Running means over batches, as Keras computes them: losses by samples, metrics by their output's rows.

    Args:
        names: of the parts.
        judged: metrics in Python; they are reset.
    """

    def __init__(self, names: Names, judged: Sequence[Judged] = ()) -> None:
        self._names = names
        self._judged = list(judged)
        for own in self._judged:
            own.metric.reset_state()
        self._loss = 0.0
        self._samples = 0
        self._losses = [0.0] * len(names.losses)
        self._metrics = [[0.0] * len(each) for each in names.native]
        self._rows = [0] * len(names.native)

    def add(self, result: StepResult, seen: Sequence[Seen | None] = ()) -> None:
        """Take a batch into account; what metrics in Python see of each output."""
        for own in self._judged:
            shown = seen[own.output]
            assert shown is not None
            own.metric.update_state(shown[0], shown[1], sample_weight=shown[2] if own.weighted else None)
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
        for names, sums, rows in zip(self._names.native, self._metrics, self._rows, strict=True):
            for name, value in zip(names, sums, strict=True):
                found[name] = value / max(rows, 1)
        for own in self._judged:
            found[own.name] = _number(own.metric.result(), own.name)
        return found

    def values(self) -> list[float]:
        """The loss, then the other values in the order of `names`."""
        found = self._by_name()
        return [found["loss"], *(found[name] for name in self._names.flat)]

    def state(self) -> dict[str, Any]:
        """The sums so far, as JSON can hold them."""
        state = {name: deepcopy(value) for name, value in vars(self).items() if name not in ("_names", "_judged")}
        return {**state, "in_python": {own.name: own.metric.get_state() for own in self._judged}}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from such sums. Raises ValueError if they are of other metrics."""
        sums = deepcopy(dict(state))
        in_python = sums.pop("in_python", {})
        fresh = self.state()
        if _lengths({**fresh, "in_python": None}) != _lengths({**sums, "in_python": None}) or set(in_python) != set(
            fresh["in_python"]
        ):
            raise ValueError("its model was compiled with other losses or metrics")
        for own in self._judged:
            own.metric.set_state(in_python[own.name])
        vars(self).update(sums)

    def logs(self) -> dict[str, float]:
        """Name -> mean, sorted by name."""
        return dict(sorted(self._by_name().items()))


def _number(value: Any, name: str) -> float:
    """A metric's result for the logs. Raises ValueError for what is no number."""
    found = np.asarray(value)
    if found.size != 1 or found.dtype.kind not in "fiub":
        got = f"an array of shape {found.shape}" if found.dtype.kind in "fiub" else type(value).__name__
        raise ValueError(f"metric {name!r}: result() must give a number for the logs, got {got}")
    return float(found.reshape(()))


def _lengths(sums: Any) -> Any:
    """How a tree of numbers is built."""
    if isinstance(sums, dict):
        return {name: _lengths(value) for name, value in sums.items()}
    return [_lengths(value) for value in sums] if isinstance(sums, list) else None
