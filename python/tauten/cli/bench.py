"""`tauten bench`: how fast this machine is with Tauten, and with PyTorch where it is installed."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.metadata
import importlib.util
import multiprocessing
import os
import signal
import statistics
import time
from multiprocessing.connection import Connection
from typing import Any

import tauten
from tauten.cli.arguments import above_zero, add_command, add_threads
from tauten.cli.bench_networks import CALLS, WORKLOADS, Call
from tauten.cli.terminal import line, title

BLOCK = 0.1  # seconds of one measurement
WARM_UP = 0.2
PACKAGES = {"Tauten": "tauten", "PyTorch": "torch"}
KINDS = ("training step", "forward, one sample")
EXAMPLES = """\
  tauten bench                            some 15 seconds
  tauten bench lenet_b8 --seconds 60 --threads 1
"""


def add_to(commands: Any) -> None:
    """The parser of `tauten bench`."""
    listed = "\n".join(f"  {name:14}{workload.text}" for name, workload in WORKLOADS.items())
    parser = add_command(
        commands,
        "bench",
        run,
        help="time training steps and forward passes on this machine, beside PyTorch if it is installed",
        description=f"Medians of measurements that take turns, each library in a process of its own, of\n{listed}\n"
        "PyTorch runs eagerly, as its tutorials have it; `python -m benchmarks` in Tauten's sources tries its faster "
        "ways,\nother libraries and more networks.",
        examples=EXAMPLES,
    )
    parser.add_argument("workload", nargs="*", help="of those above; default: all")
    parser.add_argument(
        "--seconds", type=above_zero, default=15.0, metavar="S", help="to take for all (default: %(default)g)"
    )
    add_threads(parser)


def run(options: argparse.Namespace) -> None:
    """Measures and prints a table."""
    for name in options.workload:
        if name not in WORKLOADS:
            raise ValueError(f"no workload {name!r}; there are {', '.join(WORKLOADS)}")
    threads = options.threads or tauten.config.num_threads()
    libraries = ["Tauten", *(["PyTorch"] if importlib.util.find_spec("torch") else [])]
    versions = [f"{one} {importlib.metadata.version(PACKAGES[one])}" for one in libraries]
    print(title(f"{', '.join(versions)}; {tauten.config.isa()} kernels, threads: {threads}; medians in ms"))
    print(f"{'':36}" + "".join(f"{one:>10}" for one in libraries) + "   ratio" * (len(libraries) > 1), flush=True)
    cells = [(name, kind) for name in options.workload or WORKLOADS for kind in range(len(KINDS))]
    with contextlib.ExitStack() as stack:
        sides = [stack.enter_context(Side(one, threads)) for one in libraries]
        end = time.perf_counter() + options.seconds
        for i, (name, kind) in enumerate(cells):
            now = time.perf_counter()
            if i and now > end + options.seconds:
                line("stopped", f"after twice the time, {len(cells) - i} of {len(cells)} measurements before the end")
                break
            rounds = measure(sides, name, kind, now + (end - now) / (len(cells) - i))
            medians = [1000 * statistics.median(times) for times in zip(*rounds, strict=True)]
            ratio = f"{statistics.median(other / own for own, other in rounds):8.2f}" if len(sides) > 1 else ""
            print(f"{name:14}{KINDS[kind]:22}" + "".join(f"{ms:>10.4g}" for ms in medians) + ratio, flush=True)
    busy = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    if busy > 1.5 * (os.cpu_count() or 1):
        line("load", f"{busy:.1f} programs want the {os.cpu_count()} cores: others disturb these times")
    if len(libraries) == 1:
        line("hint", "with PyTorch installed (pip install torch) its times stand beside these")
    else:
        line("ratio", "how much longer PyTorch takes, median of the rounds")


def measure(sides: list[Side], workload: str, kind: int, until: float) -> list[list[float]]:
    """Rounds in which all libraries take their turns, until then, at least one: seconds a call."""
    for side in sides:
        side.start(workload, kind)
    rounds = [[side.block() for side in sides]]
    while time.perf_counter() < until:
        rounds.append([side.block() for side in sides])
    return rounds


class Side:
    """One library in a process of its own."""

    def __init__(self, library: str, threads: int) -> None:
        self.library = library
        context = multiprocessing.get_context("spawn")
        self._connection, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(other, library, threads), daemon=True)
        self._process.start()
        other.close()
        self._answer()

    def start(self, workload: str, kind: int) -> None:
        """Build the network and warm up."""
        self._ask((workload, kind))

    def block(self) -> float:
        """Seconds a call, of one measurement."""
        return float(self._ask(None))

    def _ask(self, what: tuple[str, int] | None) -> Any:
        with contextlib.suppress(ConnectionError):  # _answer() tells why
            self._connection.send(what)
        return self._answer()

    def _answer(self) -> Any:
        try:
            found = self._connection.recv()
        except (EOFError, ConnectionError):
            self._process.join()
            raise RuntimeError(f"{self.library}: its process ended with {self._process.exitcode}") from None
        if isinstance(found, str):
            raise RuntimeError(f"{self.library}: {found}")
        return found

    def __enter__(self) -> Side:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        self._process.join(5)
        if self._process.is_alive():
            self._process.kill()


def _serve(connection: Connection, library: str, threads: int) -> None:
    """The other process: answers until nobody asks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the first process' business
    os.environ["OMP_NUM_THREADS"] = str(threads)  # before PyTorch is there
    call: Call | None = None
    count = 0
    with contextlib.suppress(EOFError, BrokenPipeError):
        try:
            importlib.import_module(PACKAGES[library])  # which may take seconds
            connection.send(None)
        except ImportError as error:
            connection.send(f"cannot be imported: {error}")
            return
        while True:
            asked = connection.recv()
            try:
                if asked is None:
                    assert call is not None
                    connection.send(_seconds(call, count))
                    continue
                name, kind = asked
                call = CALLS[library](WORKLOADS[name], threads)[kind]
                call()
                begin, count = time.perf_counter(), 0
                while time.perf_counter() - begin < WARM_UP:
                    call()
                    count += 1
                count = max(1, round(count * BLOCK / (time.perf_counter() - begin)))
                connection.send(None)
            except Exception as error:
                connection.send(f"{type(error).__name__}: {error}")


def _seconds(call: Call, count: int) -> float:
    begin = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - begin) / count
