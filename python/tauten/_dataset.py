"""Objects that make batches by their numbers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

from tauten._checks import flag, integer


class PyDataset:
    """Base of data sets that make batches by number, as Keras': give it __getitem__ and __len__.

    fit, evaluate and predict take such an object as x, and fit as validation_data. Threads fetch batches ahead of their
    use while the native step runs; the order of the batches, and what comes out, do not depend on them.

    Args:
        workers: threads, in which __getitem__ is called; default 1. With more than one it must bear calls at the same
            time. 0 calls it between the steps, in the thread that called fit.
        use_multiprocessing: Keras', which Tauten does not have: False only.
        max_queue_size: batches to be ahead at most; default 10.

    Raises:
        TypeError, ValueError: for arguments out of range.
    """

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10) -> None:
        self.workers = integer(workers, "PyDataset: workers", 0)
        if flag(use_multiprocessing, "PyDataset: use_multiprocessing"):
            raise ValueError(
                "PyDataset: use_multiprocessing=True is not supported: workers are threads of this process"
            )
        self.use_multiprocessing = False
        self.max_queue_size = integer(max_queue_size, "PyDataset: max_queue_size")

    def __getitem__(self, index: int) -> Any:
        """Batch number `index`: (x, y) or (x, y, sample_weight); for predict also x."""
        raise NotImplementedError(f"{type(self).__name__}: __getitem__ must return a batch")

    @property
    def num_batches(self) -> int | None:
        """How many batches there are: __len__(), if that is there. Overridden to return None there is no end."""
        if hasattr(self, "__len__"):
            return len(self)
        raise NotImplementedError(f"{type(self).__name__}: __len__ or num_batches must say how many batches there are")

    def on_epoch_begin(self) -> None:
        """An epoch begins; no batch is being made."""

    def on_epoch_end(self) -> None:
        """An epoch has ended; no batch is being made."""

    def __iter__(self) -> Iterator[Any]:
        batches = self.num_batches
        for index in count() if batches is None else range(batches):
            yield self[index]
