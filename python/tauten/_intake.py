"""What fit, evaluate and predict were handed, as batches: which kind of data it is, and how it is cut."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from tauten._batches import (
    ArrayBatches,
    Batches,
    Index,
    Item,
    IteratedBatches,
    Make,
    MappedBatches,
    NumberedBatches,
    Several,
    counted,
    is_arrays,
    is_mapped,
    is_numbered,
)
from tauten._checks import integer
from tauten._loops import every, split_off

if TYPE_CHECKING:
    from tauten._class_weight import ClassWeight
    from tauten._feeding import Feed, Inputs
    from tauten._random import Shuffler
    from tauten.training import Trainer

T = TypeVar("T")


@dataclass(frozen=True)
class Samples(Generic[T]):
    """Samples that are not cut into batches yet.

    Attributes:
        data: mapped arrays as they are, or what is ready for a native call.
        mapped: is it the former?
        units: those that take part.
        make: for mapped arrays.
        prefix: of messages.
        several: for mapped arrays, as MappedBatches wants it.
    """

    data: Any
    mapped: bool
    units: Index
    make: Make[T]
    prefix: str = ""
    several: Several = (False, False, False)

    def cut(
        self,
        size: int | None,
        steps: int | None,
        shuffler: Shuffler | None = None,
        what: str = "fit: validation_batch_size",
        again: bool = False,
    ) -> Batches[T]:
        """Batches of that size; by default 32, or what makes so many steps of one pass, as in Keras.

        Without `again` an epoch has not more steps than a pass.
        """
        count = len(self.units)
        usual = 32 if steps is None else max(-(-count // steps), 1)
        size = usual if size is None else integer(size, what)
        if steps is not None and not again:
            steps = min(steps, -(-count // size))
        if self.mapped:
            return MappedBatches(self.data, self.make, self.units, size, shuffler, steps, self.prefix, self.several)
        return ArrayBatches(self.data, self.units, size, shuffler, steps)


def to_train_on(
    model: Trainer,
    data: Item,
    weights: ClassWeight | None,
    size: int | None,
    shuffler: Shuffler | None,
    steps: int | None,
    share: float,
    validated: bool,
) -> tuple[Batches[Feed], Any]:
    """Batches to train on, and the Samples that are held back, if there are any. Raises ValueError, TypeError."""
    if not is_arrays(data[0]):
        _only_batches(data, size, "fit")
        if share and not validated:
            raise ValueError("fit: validation_split needs arrays; pass validation_data")
        return _batches_of(model, data[0], _maker(model, weights), shuffler, steps, "fit: x"), None
    samples = _samples(model, data, weights, "")
    train, held = split_off(len(samples.units), 0.0 if validated else share)
    batches = replace(samples, units=train).cut(size, steps, shuffler, "fit: batch_size", again=True)
    _build(model, batches)
    if not len(held):
        return batches, None
    plain = (
        samples if weights is None else _samples(model, data, None, "")
    )  # classes are not weighted there, as in Keras
    return batches, replace(plain, units=held)


def to_validate_on(
    model: Trainer, data: Any, size: int | None, own_size: int | None, steps: int | None
) -> Batches[Feed]:
    """validation_data as batches of `size`; what gives batches may have no size of its own."""
    prefix = "validation_data: "
    if not is_arrays(data):
        return to_test_on(model, (data, None, None), own_size, steps, "fit", prefix)
    if not isinstance(data, (tuple, list)) or len(data) not in (2, 3):
        raise ValueError(
            f"fit: validation_data: expected (x, y), (x, y, sample_weight) or batches of these, got "
            f"{type(data).__name__}"
        )
    x, y, weight = (*data, None)[:3]
    return to_test_on(model, (x, y, weight), size, steps, "fit", prefix)


def to_test_on(
    model: Trainer, data: Item, size: int | None, steps: int | None, what: str = "evaluate", prefix: str = ""
) -> Batches[Feed]:
    """Batches of x, y and sample_weight in their order, for one pass or for `steps`."""
    if not is_arrays(data[0]):
        _only_batches(data, size, what)
        batches = _batches_of(model, data[0], _maker(model, None), None, steps, f"{what}: {prefix}x", prefix)
        _check_any(batches, what, prefix)
        return batches
    batches = _samples(model, data, None, prefix).cut(size, steps, what=f"{what}: {prefix}batch_size")
    _build(model, batches)
    if what != "fit" and batches.layout is not None:
        model._carrier().check_batches(*batches.layout, what)
    return batches


def to_predict(model: Trainer, x: Any, size: int | None, steps: int | None) -> Batches[Inputs]:
    """Batches of x in their order, for one pass or for `steps`."""

    def make(x: Any, y: Any, weight: Any, prefix: str) -> tuple[Inputs, Index]:
        data = model._input(x, f"{prefix}x")
        return data, np.arange(data.samples, dtype=np.int64)

    if not is_arrays(x):
        _only_batches((x, None, None), size, "predict")
        batches = _batches_of(model, x, make, None, steps, "predict: x", targets=False)
        _check_any(batches, "predict", "")
        return batches
    samples: Samples[Inputs]
    if is_mapped(x):
        several = _several(model, (x, None, None))
        arrays, count = counted((x, None, None), "", several)
        samples = Samples(arrays, True, np.arange(count, dtype=np.int64), make, several=several)
    else:
        data, units = make(x, None, None, "")
        samples = Samples(data, False, units, make)
    batches = samples.cut(size, steps, what="predict: batch_size")
    _build(model, batches)
    assert batches.layout is not None
    model._carrier().check_batches(*batches.layout, "predict")
    return batches


def check_stateful(model: Trainer, batches: Batches[Feed], held: Batches[Feed] | None) -> None:
    """Raise ValueError if a stateful model would meet batches of unequal sizes, as far as that is known."""
    carrier = model._carrier()
    if batches.layout is not None:
        carrier.check_batches(*batches.layout, "fit")
    if held is not None and held.layout is not None:
        carrier.check_batches(*held.layout, "fit: validation")
        if batches.layout is not None:
            carrier.check_validation(min(batches.layout), min(held.layout))


def weighted(model: Trainer, y: Any, given: Any, weights: ClassWeight, prefix: str = "") -> Any:
    """sample_weight with the classes' weights in it."""
    assert model._compiled is not None
    if len(model._compiled.goals) > 1:
        raise ValueError(
            f"fit: {prefix}class_weight: expected a model of one output; give sample_weight for each output"
        )
    return weights.sample_weight(y, given, model._compiled.goals[0].sparse, prefix)


def _samples(model: Trainer, data: Item, weights: ClassWeight | None, prefix: str) -> Samples[Feed]:
    make = _maker(model, weights)
    if any(map(is_mapped, data)):
        several = _several(model, data)
        data, count = counted(data, prefix, several)
        return Samples(data, True, np.arange(count, dtype=np.int64), make, prefix, several)
    feed, units = make(*data, prefix)
    return Samples(feed, False, units, make, prefix)


def _several(model: Trainer, data: Item) -> Several:
    """Which of x, y and sample_weight are lists, tuples or dicts for several inputs or outputs."""
    inputs = getattr(model, "input_names", ()) if model._graph is not None else ()
    outputs = getattr(model, "output_names", ()) if model._graph is not None else ()
    held = [isinstance(part, (list, tuple, Mapping)) for part in data]
    x, y, weight = (many and each for many, each in zip((len(inputs) > 1, *[len(outputs) > 1] * 2), held, strict=True))
    return x, y, weight


def _maker(model: Trainer, weights: ClassWeight | None) -> Make[Feed]:
    """What checks x, y and sample_weight and makes them ready to be trained or tested on."""

    def make(x: Any, y: Any, weight: Any, prefix: str) -> tuple[Feed, Index]:
        if weights is not None:
            weight = weighted(model, y, weight, weights, prefix)
        feed = model._feed(x, y, weight, prefix)
        return feed, every(feed)

    return make


def _batches_of(
    model: Trainer,
    x: Any,
    make: Make[T],
    shuffler: Shuffler | None,
    steps: int | None,
    what: str,
    prefix: str = "",
    targets: bool = True,
) -> Batches[T]:
    """Batches from what gives or makes some; builds the model for the first one if need be."""
    batches: Batches[T]
    if is_numbered(x) and not hasattr(x, "__next__"):
        batches = NumberedBatches(x, make, shuffler, steps, targets, prefix)
    elif isinstance(x, Iterable):
        batches = IteratedBatches(x, make, steps, targets, prefix)
    else:
        raise TypeError(f"{what}: expected arrays or batches, got {type(x).__name__}")
    _build(model, batches)
    return batches


def _build(model: Trainer, batches: Batches[Any]) -> None:
    """See to it that the model is built, so that callbacks and bars have what they need to know."""
    if model._graph is None:
        batches.first()
    model._graph_now()


def _check_any(batches: Batches[Any], what: str, prefix: str) -> None:
    if what != "fit" and batches.dry:
        raise ValueError(f"{what}: {prefix}x: no batches: the iterator gave none")


def _only_batches(data: Item, size: int | None, what: str) -> None:
    kind = type(data[0]).__name__
    for value, name in ((data[1], "y"), (data[2], "sample_weight")):
        if value is not None:
            raise ValueError(f"{what}: {name}: a {kind} as x gives batches, which have their {name} in them")
    if size is not None:
        raise ValueError(f"{what}: batch_size: a {kind} as x gives batches, which have a size")
