"""Where batches come from: arrays, memory-mapped arrays, objects that make batches by number, iterables.

Each is a Batches: it says how long an epoch is, if that is known, and gives what a native call reads, batch by batch.
"""

from __future__ import annotations

import mmap
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sized
from contextlib import closing
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from tauten._prefetch import ahead
from tauten._random import set_state, state_of
from tauten._weights import as_array

if TYPE_CHECKING:
    from tauten._random import Shuffler

T = TypeVar("T")
Index = NDArray[np.int64]
# x, y, sample_weight and how messages begin -> what a native call reads, and which of its samples are the batch
Make = Callable[[Any, Any, Any, str], tuple[T, Index]]
Item = tuple[Any, Any, Any]
Several = tuple[bool, bool, bool]


class Order:
    """Which units, samples or batches that are made by number, follow each other; shuffled anew for every pass.

    Attributes:
        units: their numbers; what is set counts from the next pass on.
        size: of a batch.
        at: how many of this pass are done. Whoever takes a batch adds its units.
    """

    def __init__(self, units: Index, size: int, shuffler: Shuffler | None) -> None:
        self.units = units
        self.at = 0
        self.size = size
        self._shuffler = shuffler
        self._order: Index | None = None
        self._before: dict[str, Any] | None = None

    @property
    def batches(self) -> int:
        """Batches of a pass."""
        return -(-len(self.units) // self.size)

    def begin(self) -> None:
        """Begin a pass."""
        self.at = 0
        if self._shuffler is None:
            self._order = self.units
            return
        generator = self._shuffler.generator()
        self._before = state_of(generator)
        self._order = generator.permutation(self.units)

    def stretches(self, batches: int) -> Iterator[Iterator[Index]]:
        """The next so many batches, in stretches that are each of one pass."""
        while batches > 0:
            if self._order is None or self.at >= len(self._order):
                self.begin()
            assert self._order is not None
            rest, size = self._order[self.at :], self.size
            count = min(batches, -(-len(rest) // size))
            batches -= count
            yield (rest[k * size : (k + 1) * size] for k in range(count))

    def state(self) -> dict[str, Any]:
        """Where it stands, as JSON can hold it."""
        return {"units": len(self.units), "size": self.size, "at": self.at, "before": self._before}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Stand there again. The generator is then where it was when that pass began.

        Raises ValueError if the state is of other data.
        """
        mine = {"units": len(self.units), "size": self.size}
        for name, word in (("units", "samples or batches an epoch"), ("size", "samples a batch")):
            if state[name] != mine[name]:
                raise ValueError(f"it stopped within an epoch of {state[name]} {word}, now there are {mine[name]}")
        if (state["before"] is None) != (self._shuffler is None):
            raise ValueError("it stopped within an epoch of another shuffle=")
        if self._shuffler is not None:
            set_state(self._shuffler.generator(), state["before"])
        self.begin()
        self.at = int(state["at"])


class Batches(ABC, Generic[T]):
    """Batches of one kind of data.

    Attributes:
        unit: what a progress bar counts, "samples" or "batches".
        patient: wait for threads at the end; fit sets False when it is interrupted.
    """

    unit = "batches"
    patient = True

    @property
    @abstractmethod
    def per_epoch(self) -> int | None:
        """Batches of an epoch; None if nobody knows."""

    @property
    def samples(self) -> int | None:
        """Samples of an epoch, if they are known beforehand."""
        return None

    @property
    def layout(self) -> tuple[int, int] | None:
        """How many samples take part, and how many are a batch, if that is known beforehand."""
        return None

    @property
    def dry(self) -> bool:
        """Has it ended for good?"""
        return False

    def first(self) -> None:
        """Look at the first batch, so that a model can be built for it."""

    @abstractmethod
    def epoch(self, done: int = 0) -> Generator[tuple[T, Index], None, None]:
        """The batches of an epoch: what a native call reads, and which of its samples; `done` of them are done."""

    def end_epoch(self) -> None:
        """An epoch's batches were taken."""

    def state(self) -> dict[str, Any]:
        """Where it stands, as JSON can hold it."""
        return {}

    def restore(self, state: Mapping[str, Any], within: bool) -> None:
        """Stand there again, `within` an epoch or between two. Raises ValueError if the state is of other data."""


class ArrayBatches(Batches[T]):
    """Batches of data that are checked and ready as a whole.

    Args:
        data: what a native call reads.
        units: the samples that take part.
        size: samples a batch.
        shuffler: draws the order; None keeps it.
        steps: batches an epoch, over several passes or over part of one; None is one pass.
    """

    unit = "samples"

    def __init__(self, data: T, units: Index, size: int, shuffler: Shuffler | None, steps: int | None) -> None:
        self._data = data
        self._order = Order(units, size, shuffler)
        self._steps = steps

    @property
    def per_epoch(self) -> int:
        return self._order.batches if self._steps is None else self._steps

    @property
    def samples(self) -> int | None:
        return len(self._order.units) if self._steps is None else None

    @property
    def layout(self) -> tuple[int, int]:
        return len(self._order.units), self._order.size

    def epoch(self, done: int = 0) -> Generator[tuple[T, Index], None, None]:
        order = self._order
        if self._steps is None and not done:
            order.begin()
        for stretch in order.stretches(self.per_epoch - done):
            for index in stretch:
                order.at += len(index)
                yield self._data, index

    def state(self) -> dict[str, Any]:
        return self._order.state()

    def restore(self, state: Mapping[str, Any], within: bool) -> None:
        if within or self._steps is not None:
            self._order.restore(state)


class FetchedBatches(Batches[T]):
    """Batches that are fetched one by one, by the numbers of their units, perhaps in threads ahead of their use.

    Args:
        make: checks a batch and makes it ready, in the caller's thread.
        order: of the units.
        steps: as for ArrayBatches.
        workers: threads; 0 fetches in the caller's.
        depth: batches to be ahead at most.
        prefix: of messages.
    """

    def __init__(self, make: Make[T], order: Order, steps: int | None, workers: int, depth: int, prefix: str) -> None:
        self._make = make
        self._order = order
        self._steps = steps
        self._workers = workers
        self._depth = depth
        self._prefix = prefix

    @property
    def per_epoch(self) -> int:
        return self._order.batches if self._steps is None else self._steps

    @abstractmethod
    def _fetch(self, index: Index) -> Item:
        """x, y and sample_weight of a batch; may be called in several threads at once."""

    def epoch(self, done: int = 0) -> Generator[tuple[T, Index], None, None]:
        order, batch = self._order, done
        if self._steps is None and not done:
            order.begin()
        for stretch in order.stretches(self.per_epoch - done):
            fetched = ahead(self._fetch, stretch, self._workers, self._depth, lambda: self.patient)
            with closing(fetched):
                for index, item in fetched:
                    order.at += len(index)
                    batch += 1
                    yield self._make(*item, f"{self._prefix}batch {batch}: ")

    def state(self) -> dict[str, Any]:
        return self._order.state()

    def restore(self, state: Mapping[str, Any], within: bool) -> None:
        if within or self._steps is not None:
            self._order.restore(state)


class MappedBatches(FetchedBatches[T]):
    """Batches of arrays too large to be looked at as a whole: a batch's rows are copied, and nothing else is touched.

    Args:
        data: x, y and sample_weight, arrays or lists of arrays; y and weight may be None.
        units: the samples that take part.
        size: samples a batch.
        shuffler, steps, make, prefix: as above.
        several: is each of the three for several inputs or outputs, a list, tuple or dict of such?
    """

    unit = "samples"

    def __init__(
        self,
        data: Item,
        make: Make[T],
        units: Index,
        size: int,
        shuffler: Shuffler | None,
        steps: int | None,
        prefix: str = "",
        several: Several = (False, False, False),
    ) -> None:
        super().__init__(make, Order(units, size, shuffler), steps, workers=1, depth=2, prefix=prefix)
        self._arrays = data
        self._several = several

    @property
    def samples(self) -> int | None:
        return len(self._order.units) if self._steps is None else None

    @property
    def layout(self) -> tuple[int, int]:
        return len(self._order.units), self._order.size

    def first(self) -> None:
        x, y, weight = self._fetch(self._order.units[:1])
        self._make(x, y, weight, self._prefix)

    def _fetch(self, index: Index) -> Item:
        x, y, weight = (taken(*pair, index) for pair in zip(self._arrays, self._several, strict=True))
        return x, y, weight


class NumberedBatches(FetchedBatches[T]):
    """Batches that an object makes by their numbers: x[i] is (x, y) or (x, y, sample_weight), as keras' PyDataset.

    Args:
        x: the object. `workers` threads, if it has that attribute, fetch up to `max_queue_size` batches ahead; without
            it they are fetched between the steps. on_epoch_begin() and on_epoch_end() are called if it has them.
        make, shuffler, steps, prefix: as above. Batches are shuffled, not what is in them.
        targets: is a y needed?

    Raises:
        ValueError, TypeError: for an object that makes no batch, does not say how many, or asks for processes.
    """

    def __init__(
        self,
        x: Any,
        make: Make[T],
        shuffler: Shuffler | None,
        steps: int | None,
        targets: bool = True,
        prefix: str = "",
    ) -> None:
        if getattr(x, "use_multiprocessing", False):
            raise ValueError(
                f"{prefix or 'x: '}use_multiprocessing=True is not supported: workers are threads of this process"
            )
        self._x = x
        self._targets = targets
        count = self._count(prefix)
        if count is None and steps is None:
            raise ValueError(
                f"{prefix or 'x: '}a {type(x).__name__} without an end needs steps_per_epoch, validation_steps or steps"
            )
        self._endless = count is None
        workers = int(getattr(x, "workers", 0) or 0)
        depth = max(int(getattr(x, "max_queue_size", 10) or 0), 1)
        order = Order(np.arange(count or 0, dtype=np.int64), 1, None if count is None else shuffler)
        super().__init__(make, order, steps, workers, depth, prefix)

    def _count(self, prefix: str) -> int | None:
        count = len(self._x) if hasattr(self._x, "__len__") else self._x.num_batches
        if count == 0:
            raise ValueError(f"{prefix or 'x: '}no batches: the {type(self._x).__name__} has the length 0")
        return None if count is None else int(count)

    def first(self) -> None:
        self._make(*self._fetch(self._order.units[:1] if not self._endless else np.zeros(1, np.int64)), self._prefix)

    def epoch(self, done: int = 0) -> Generator[tuple[T, Index], None, None]:
        count = self._count(self._prefix)
        if self._endless:  # batch after batch, over all epochs
            assert self._steps is not None
            self._order.units = np.arange(self._order.at + self._steps - done, dtype=np.int64)
            at = self._order.at
            self._order.begin()
            self._order.at = at
        elif count is not None and count != len(self._order.units):
            self._order.units = np.arange(count, dtype=np.int64)
        _hook(self._x, "on_epoch_begin")
        return super().epoch(done)

    def end_epoch(self) -> None:
        _hook(self._x, "on_epoch_end")

    def state(self) -> dict[str, Any]:
        return {"at": self._order.at} if self._endless else super().state()

    def restore(self, state: Mapping[str, Any], within: bool) -> None:
        if self._endless:
            self._order.at = int(state["at"])
        else:
            super().restore(state, within)

    def _fetch(self, index: Index) -> Item:
        i = int(index[0])
        return unpack(self._x[i], f"{self._prefix}batch number {i}", self._targets)


class IteratedBatches(Batches[T]):
    """Batches that an iterable gives. An iterator can be walked through once, anything else again in every epoch.

    Args:
        x: the iterable.
        make, targets, prefix: as above.
        steps: batches an epoch; None is all that there are.
    """

    def __init__(
        self, x: Iterable[Any], make: Make[T], steps: int | None, targets: bool = True, prefix: str = ""
    ) -> None:
        self._x = x
        self._make = make
        self._steps = steps
        self._targets = targets
        self._prefix = prefix
        self._once = hasattr(x, "__next__")
        self._iterator: Iterator[Any] | None = iter(x) if self._once else None
        self._head: list[Any] = []  # a batch that was looked at and not used yet
        self._drawn = 0  # batches of this pass
        self._dry = False
        self._counted: int | None = None  # batches of a pass, once one has ended

    @property
    def per_epoch(self) -> int | None:
        if self._steps is not None:
            return self._steps
        if isinstance(self._x, Sized) and not self._once:
            return len(self._x)
        return None if self._once else self._counted

    @property
    def dry(self) -> bool:
        if self._once and not self._dry and not self._head:
            self._look()
        return self._dry

    def first(self) -> None:
        if not self._head:
            self._look()
        if self._head:
            self._make(*unpack(self._head[0], f"{self._prefix}batch 1", self._targets), f"{self._prefix}batch 1: ")

    def _look(self) -> None:
        if self._iterator is None:
            self._iterator, self._drawn = iter(self._x), 0
        try:
            self._head = [next(self._iterator)]
        except StopIteration:
            self._end()

    def _end(self) -> None:
        self._counted = self._drawn
        self._dry = self._once
        if not self._once:
            self._iterator = None

    def _next(self) -> list[Any]:
        """The next batch, or none at the end of the pass."""
        if not self._head and not self._dry:
            self._look()
        head, self._head = self._head, []
        self._drawn += len(head)
        return head

    def epoch(self, done: int = 0) -> Generator[tuple[T, Index], None, None]:
        if not self._once:
            if self._steps is None and not done and self._drawn:
                self._iterator, self._head = None, []  # whatever the last epoch left
            _hook(self._x, "on_epoch_begin")
        batch = done
        while self._steps is None or batch < self._steps:
            drawn = self._drawn
            item = self._next()
            if not item:
                if self._once or self._steps is None:
                    break
                if drawn == 0:
                    raise ValueError(f"{self._prefix or 'x: '}no batches: the {type(self._x).__name__} gave none")
                continue  # the epoch goes on with the next pass
            batch += 1
            where = f"{self._prefix}batch {batch}"
            yield self._make(*unpack(item[0], where, self._targets), f"{where}: ")

    def end_epoch(self) -> None:
        if not self._once:
            _hook(self._x, "on_epoch_end")

    def state(self) -> dict[str, Any]:
        return {} if self._once else {"drawn": self._drawn if self._iterator is not None else 0}

    def restore(self, state: Mapping[str, Any], within: bool) -> None:
        """Draw and drop what was done of a pass; an iterator stands where its owner has put it."""
        if self._once or not (within or self._steps is not None):
            return
        self._iterator, self._head, self._drawn = None, [], 0
        for _ in range(int(state["drawn"])):
            if not self._next():
                raise ValueError(f"it stopped behind {state['drawn']} batches, now there are {self._drawn}")


# -- which kind it is


def is_arrays(x: Any) -> bool:
    """Is it an array or a list of some, or what only they refuse with a good message?"""
    if x is None or isinstance(x, (np.ndarray, list, tuple, str, bytes, Mapping, set, frozenset)) or np.isscalar(x):
        return True
    if any(hasattr(x, name) for name in ("__array__", "__array_interface__", "__dlpack__")):
        return True
    try:
        memoryview(x)
        return True
    except TypeError:
        pass
    return not (hasattr(x, "__next__") or hasattr(x, "__iter__") or is_numbered(x))


def is_numbered(x: Any) -> bool:
    """Does it make batches by their numbers?"""
    return hasattr(x, "__getitem__") and (hasattr(x, "__len__") or hasattr(type(x), "num_batches"))


def is_mapped(data: Any) -> bool:
    """Does an array, or one of a list or dict, lie in a mapped file?"""
    if isinstance(data, Mapping):
        data = list(data.values())
    if isinstance(data, (list, tuple)):
        return any(is_mapped(item) for item in data if isinstance(item, (np.ndarray, list, tuple)))
    while isinstance(data, np.ndarray):
        data = data.base
    return isinstance(data.obj if isinstance(data, memoryview) else data, mmap.mmap)


def unpack(item: Any, what: str, targets: bool) -> Item:
    """x, y and sample_weight of what an iterable gave. Raises ValueError for what is no batch."""
    wanted = "(x, y) or (x, y, sample_weight)" if targets else "x, (x,), (x, y) or (x, y, sample_weight)"
    if not isinstance(item, (tuple, list)):
        x, y, weight = item, None, None
    elif 1 <= len(item) <= 3:
        x, y, weight = (*item, None, None)[:3]
    else:
        raise ValueError(f"{what}: expected {wanted}, got a {type(item).__name__} of {len(item)}")
    if targets and y is None:
        raise ValueError(f"{what}: expected {wanted}, got {type(item).__name__} without y")
    return x, y, weight


def counted(data: Item, prefix: str, several: Several = (False, False, False)) -> tuple[Item, int]:
    """Arrays or lists of one number of samples, untouched, and how many. Raises ValueError, TypeError."""
    items: list[Any] = []
    samples: int | None = None
    for item, many, name in zip(data, several, ("x", "y", "sample_weight"), strict=True):
        parts = _parts(item) if many else {"": item}
        for key, part in parts.items():
            what = f"{prefix}{name}{key}"
            parts[key] = part = part if part is None or isinstance(part, (list, tuple)) else as_array(part, what)
            if part is None:
                continue
            count = len(part) if isinstance(part, (list, tuple)) or part.ndim else 0
            if samples is None and not count:
                raise ValueError(f"{what}: no samples")
            if samples is not None and count != samples:
                raise ValueError(f"{what}: expected as many samples as x has, {samples}, got {count}")
            samples = count
        items.append(_like(item, list(parts.values())) if many else parts[""])
    if samples is None:
        raise ValueError(f"{prefix}x: no data given")
    return (items[0], items[1], items[2]), samples


def taken(data: Any, several: bool, index: Index) -> Any:
    """The samples of that numbers, copied."""
    if data is None:
        return None
    if several:
        return _like(data, [taken(part, False, index) for part in _parts(data).values()])
    return [data[i] for i in index] if isinstance(data, (list, tuple)) else data[index]


def _parts(data: Any) -> dict[str, Any]:
    """What a list, tuple or dict holds, by how messages name it."""
    pairs = data.items() if isinstance(data, Mapping) else enumerate(data)
    return {f"[{key!r}]": part for key, part in pairs}


def _like(data: Any, parts: list[Any]) -> Any:
    """The parts, held as those of `data` are."""
    if isinstance(data, Mapping):
        return dict(zip(data, parts, strict=True))
    return tuple(parts) if isinstance(data, tuple) else parts


def _hook(x: Any, name: str) -> None:
    hook = getattr(x, name, None)
    if callable(hook):
        hook()
