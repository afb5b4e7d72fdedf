"""What all estimators share: training and its arguments, seeds, warm starts, and how they are pickled."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from tauten import _random, optimizers, regularizers, saving
from tauten._checks import flag, integer, number, unpacked
from tauten._naming import snake_case
from tauten.layers import Dense, Dropout, Input, Layer
from tauten.models import Sequential
from tauten.sklearn._layout import Data, take
from tauten.sklearn._watch import Watch

if TYPE_CHECKING:
    from typing_extensions import Self

Array = NDArray[Any]
RULES = ("constant", "invscaling", "adaptive")
ACTIVATIONS = {"identity": "linear", "logistic": "sigmoid"}  # scikit-learn's names
PREDICTED = 512  # samples a native call

TRAINING = """
        solver: "adam" (default) or "sgd".
        alpha: of the L2 penalty alpha / (2·batch_size)·ΣW², scikit-learn's, over kernels, not biases; default 0.0001.
        batch_size: samples a step; "auto" is 200, or all if there are fewer.
        learning_rate: for "sgd" "constant" (default); "invscaling", learning_rate_init / (t + 1)^power_t after t
            samples; or "adaptive", divided by 5 where else the training would stop.
        learning_rate_init: default 0.001.
        power_t: of "invscaling"; default 0.5.
        max_iter: epochs at most; default 200.
        shuffle: new order in every epoch; default True.
        random_state: an integer for the same results each time, a numpy.random.RandomState, or None (default) for
            NumPy's global generator, of which one number is drawn a fit. Tauten's global generator is left alone.
        tol, n_iter_no_change: the training stops when the loss, or with early_stopping the score, was not better by tol
            for more than so many epochs; default 0.0001 and 10.
        verbose: True shows bars, 2 a line an epoch; default False.
        warm_start: fit goes on from the weights of the fit before; default False.
        momentum, nesterovs_momentum: of "sgd"; default 0.9 and True.
        early_stopping: hold back validation_fraction of the samples (0.1), stop by their score, and keep the best
            epoch's weights; default False.
        beta_1, beta_2, epsilon: of "adam"; default 0.9, 0.999, 1e-8.
        dropout: share of the outputs of each hidden layer that is dropped while training; default 0."""
ATTRIBUTES = """

    Attributes:
        model_: the trained tauten.Sequential, to look into or to save.
        n_iter_: epochs of the last fit; partial_fit counts on.
        loss_curve_, loss_, best_loss_: training loss of the epochs, penalties included; the last; the lowest.
        validation_scores_, best_validation_score_: with early_stopping; else None.
        n_features_in_, feature_names_in_: as in scikit-learn; of series and images features, or channels.{more}

    Raises:
        TypeError, ValueError: in fit, for arguments and data that do not fit.
        FloatingPointError: in fit, where the loss is no longer finite.
    """


class Call(NamedTuple):
    """One call of fit or partial_fit: does it begin from nothing, is it partial_fit, and its `classes`."""

    anew: bool
    incremental: bool
    classes: Any


class Samples(NamedTuple):
    """Data and targets as the network takes them, weights for training, and weights for scores."""

    data: Data
    targets: Data
    weight: Any
    plain: Any

    def take(self, index: Array) -> Samples:
        """Some of them."""
        weight, plain = (None if part is None else take(part, index) for part in (self.weight, self.plain))
        return Samples(take(self.data, index), take(self.targets, index), weight, plain)


class Head(NamedTuple):
    """The outputs of a network and its loss, which is multiplied by `scale`."""

    units: int
    activation: str
    loss: str
    metrics: list[str]
    scale: float = 1.0


@dataclass(eq=False, repr=False, kw_only=True)
class Estimator(BaseEstimator):
    """Base of the estimators. Arguments are checked in fit, as scikit-learn wants it."""

    solver: str = "adam"
    alpha: float = 0.0001
    batch_size: int | str = "auto"
    learning_rate: str = "constant"
    learning_rate_init: float = 0.001
    power_t: float = 0.5
    max_iter: int = 200
    shuffle: bool = True
    random_state: int | np.random.RandomState | None = None
    tol: float = 1e-4
    verbose: bool | int = False
    warm_start: bool = False
    momentum: float = 0.9
    nesterovs_momentum: bool = True
    early_stopping: bool = False
    validation_fraction: float = 0.1
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    n_iter_no_change: float = 10
    dropout: float = 0.0

    # -- what a kind of estimator says

    def _read(self, X: Any, reset: bool) -> Data:
        """X as the network takes it; without `reset` it must be as in fit. Raises ValueError, TypeError."""
        raise NotImplementedError

    def _learn(self, y: Any, data: Data, call: Call) -> Data:
        """y as the network takes it; sets what is to be known of targets. Raises ValueError for what cannot be."""
        raise NotImplementedError

    def _weighted(self, sample_weight: Any, targets: Data, data: Data) -> tuple[Any, Any]:
        """Weights for training, whose mean is 1, and for scores; each an array or None."""
        weight = None
        if sample_weight is not None:
            weight = _check_sample_weight(sample_weight, data, dtype=np.float64)
        return (None if weight is None else balanced(weight, type(self).__name__)), weight

    def _head(self) -> Head:
        raise NotImplementedError

    def _body(self, shape: tuple[int, ...], penalty: Any) -> tuple[tuple[int | None, ...], list[Layer]]:
        """The shape of the Input for samples of that shape, and the layers below the last."""
        raise NotImplementedError

    def _goodness(self, targets: Data, outputs: Data, weight: Any) -> float:
        """The score of outputs of the network."""
        raise NotImplementedError

    def _strata(self, targets: Data) -> Array | None:
        """What held-back samples are to have the same shares of; None for nothing."""
        return None

    # -- training

    def _train(self, X: Any, y: Any, sample_weight: Any, incremental: bool, classes: Any = None) -> Self:
        owner = type(self).__name__
        self._check_arguments()
        if incremental and self.early_stopping:
            raise ValueError(f"{owner}: partial_fit does not support early_stopping=True")
        if incremental and getattr(self, "class_weight", None) == "balanced":
            raise ValueError(
                f"{owner}: partial_fit does not see all samples that class_weight='balanced' would count: pass a dict "
                "of weights"
            )
        anew = not hasattr(self, "model_") or not (incremental or self.warm_start)
        if anew and hasattr(self, "model_"):
            del self.model_  # a fit that fails leaves an estimator that is not fitted
        data = self._read(X, anew)
        if y is None:
            raise ValueError(f"{owner}: fit requires y to be passed, but the target y is None")
        targets = self._learn(y, data, Call(anew, incremental, classes))
        samples, held = Samples(data, targets, *self._weighted(sample_weight, targets, data)), None
        goes_on = incremental and not anew
        if not goes_on:
            seed = check_random_state(self.random_state).randint(2**31 - 1)
            self._generator = np.random.default_rng(seed)
        if self.early_stopping:
            samples, held = self._held_back(samples)
        count = len(samples.data)
        size = min(200, count) if self.batch_size == "auto" else min(int(self.batch_size), count)
        model = self.model_ if goes_on else self._made(data, size, None if anew else self.model_)
        watch = Watch(
            self.tol,
            self.n_iter_no_change,
            self.learning_rate if self.solver == "sgd" else "constant",
            (self.learning_rate_init, self.power_t),
            count,
            None if held is None else self._scorer(model, held),
        )
        if not anew:
            watch.seen = self.t_
        if goes_on:
            watch.best_loss, watch.waited = self._best
        model._shuffler.adopt(_random.state_of(np.random.default_rng(self._generator.integers(2**63))))
        model.fit(
            samples.data,
            samples.targets,
            batch_size=size,
            epochs=1 if incremental else self.max_iter,
            verbose=int(self.verbose),
            callbacks=[watch],
            shuffle=self.shuffle,
            sample_weight=samples.weight,
        )
        self._keep(model, watch, anew, goes_on)
        if not (incremental or watch.converged):
            warnings.warn(
                f"{owner}: max_iter={self.max_iter} epochs are over and the training has not converged yet",
                ConvergenceWarning,
                stacklevel=3,
            )
        return self

    def _keep(self, model: Sequential, watch: Watch, anew: bool, goes_on: bool) -> None:
        before, epochs = [] if anew else self.loss_curve_, self.n_iter_ if goes_on else 0
        scored = watch.scores or None
        self.model_: Sequential = model
        self.loss_curve_: list[float] = [*before, *watch.losses]
        self.loss_ = watch.losses[-1]
        self.t_: int = watch.seen
        self.n_iter_: int = epochs + len(watch.losses)
        self._best: tuple[float, int] = watch.best_loss, watch.waited
        self.best_loss_ = None if scored else watch.best_loss
        self.validation_scores_ = scored
        self.best_validation_score_ = watch.best_score if scored else None

    def _made(self, data: Data, size: int, before: Sequential | None) -> Sequential:
        """A compiled network for these data, with the weights of `before`."""
        head = self._head()
        penalty = regularizers.L2(self.alpha / (2 * size)) if self.alpha else None
        with _random.drawing_from(self._generator):
            shape, body = self._body(np.shape(data[0]), penalty)
            last = Dense(head.units, head.activation, kernel_regularizer=penalty, name="outputs")
            model = Sequential([Input(shape, name="inputs"), *body, last], name=snake_case(type(self).__name__))
        if before is not None:
            try:
                model.set_weights(before.get_weights())
            except ValueError as error:
                raise ValueError(
                    f"{type(self).__name__}: warm_start: the network is no longer that of the fit before: {error}"
                ) from None
        model.compile(self._optimizer(), head.loss, metrics=head.metrics, loss_weights=[head.scale])
        return model

    def _optimizer(self) -> optimizers.Optimizer:
        if self.solver == "adam":
            return optimizers.Adam(self.learning_rate_init, self.beta_1, self.beta_2, self.epsilon)
        nesterov = self.nesterovs_momentum and self.momentum > 0
        return optimizers.SGD(self.learning_rate_init, self.momentum, nesterov)

    def _held_back(self, samples: Samples) -> tuple[Samples, Samples]:
        """Samples to train on and to score."""
        owner, count = type(self).__name__, len(samples.data)
        held = math.ceil(self.validation_fraction * count)
        if not 2 <= held < count:
            raise ValueError(
                f"{owner}: validation_fraction={self.validation_fraction} would hold back {held} of {count} samples: "
                "expected at least 2, and some to train on"
            )
        seed, strata = int(self._generator.integers(2**31)), self._strata(samples.targets)
        parts = train_test_split(np.arange(count), test_size=held, stratify=strata, random_state=seed)
        kept, back = (samples.take(index) for index in parts)
        for weight in (kept.weight, back.plain):
            if weight is not None and not any(np.any(one) for one in weight):
                raise ValueError(
                    f"{owner}: early_stopping: the {held} samples that are held back, or the {count - held} others, "
                    "all have the weight 0"
                )
        return kept, back

    def _scorer(self, model: Sequential, held: Samples) -> Callable[[], float]:
        return lambda: self._goodness(held.targets, model.predict(held.data, PREDICTED, verbose=0), held.plain)

    def _check_arguments(self) -> None:
        """Raise TypeError or ValueError for an argument out of range."""

        def what(name: str) -> str:
            return f"{type(self).__name__}: {name}"

        for name, allowed in (("solver", ("adam", "sgd")), ("learning_rate", RULES)):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{what(name)}: expected one of {allowed}, got {getattr(self, name)!r}")
        if self.batch_size != "auto":
            integer(self.batch_size, what("batch_size"))
        integer(self.max_iter, what("max_iter"))
        if self.n_iter_no_change != np.inf:
            integer(self.n_iter_no_change, what("n_iter_no_change"))
        for name in ("alpha", "learning_rate_init", "power_t", "tol"):
            number(getattr(self, name), what(name), 0.0)
        for name in ("momentum", "dropout", "validation_fraction"):
            number(getattr(self, name), what(name), 0.0, 1.0)
        for name in ("shuffle", "warm_start", "nesterovs_momentum", "early_stopping"):
            flag(getattr(self, name), what(name))

    # -- afterwards

    def _outputs(self, X: Any) -> Any:
        """The network's outputs for X."""
        check_is_fitted(self, "model_")
        return self.model_.predict(self._read(X, False), PREDICTED, verbose=0)

    def __getstate__(self) -> dict[str, Any]:
        """All attributes; of the model its configuration and arrays, the optimizer's included."""
        state = dict(super().__getstate__())
        if "model_" in state:
            state["model_"] = saving.packed(state["model_"])
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "model_" in state:
            model = saving.unpacked(state["model_"], type(self).__name__)
            state = {**state, "model_": model}
        super().__setstate__(state)


def balanced(weight: Array, owner: str) -> Array:
    """Weights whose mean is 1, so that the steps are as large as without. Raises ValueError for negative ones."""
    if np.any(weight < 0):
        raise ValueError(f"{owner}: sample_weight: negative values in data: expected weights of at least 0")
    if not np.any(weight):
        raise ValueError(f"{owner}: sample_weight: all weights are 0")
    return np.asarray(weight / weight.mean())


def activation_of(name: str) -> str:
    """Tauten's name of an activation of scikit-learn's; others as they are."""
    return ACTIVATIONS.get(name, name) if isinstance(name, str) else name


def sizes(value: Any, what: str) -> list[int]:
    """An integer or several, each at least 1, as a list. Raises TypeError or ValueError that begins with `what`."""
    value = unpacked(value)
    return [integer(size, what) for size in (value if isinstance(value, (list, tuple)) else [value])]


def hidden(units: list[int], activation: str, dropout: float, penalty: Any) -> list[Layer]:
    """Dense layers of so many units, each with its dropout."""
    found: list[Layer] = []
    for place, count in enumerate(units, 1):
        found.append(Dense(count, activation_of(activation), kernel_regularizer=penalty, name=f"hidden_{place}"))
        found += dropped(dropout, f"dropout_{place}")
    return found


def dropped(rate: float, name: str) -> list[Layer]:
    """A layer that drops, if any is to be dropped."""
    return [Dropout(rate, name=name)] if rate else []
