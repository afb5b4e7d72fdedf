"""Fetching what comes next in threads while the native step, which gives the GIL back, runs."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

P = TypeVar("P")
R = TypeVar("R")


def ahead(
    fetch: Callable[[P], R], places: Iterable[P], workers: int, depth: int, patient: Callable[[], bool]
) -> Generator[tuple[P, R], None, None]:
    """(place, fetch(place)) for each place, in their order.

    An exception of fetch() comes out where its place would have, with its own traceback. Closing the iterator drops
    what was fetched and not asked for.

    Args:
        fetch: called in one of the threads; in the caller's own without any.
        places: what to call it with.
        workers: threads.
        depth: how many places to be ahead at most.
        patient: asked at the end: wait for calls that still run? Not after Ctrl-C; such a thread ends with its call.
    """
    if workers == 0:
        for place in places:
            yield place, fetch(place)
        return
    from concurrent.futures import ThreadPoolExecutor  # takes as long to import as a tenth of Tauten

    waiting: deque[tuple[P, Future[R]]] = deque()
    pool = ThreadPoolExecutor(workers, "tauten-batches")
    try:
        for place in places:
            waiting.append((place, pool.submit(fetch, place)))
            if len(waiting) > depth:
                place, result = waiting.popleft()
                yield place, result.result()
        while waiting:
            place, result = waiting.popleft()
            yield place, result.result()
    finally:
        pool.shutdown(wait=patient(), cancel_futures=True)
