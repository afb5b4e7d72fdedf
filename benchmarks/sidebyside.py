"""One workload in several libraries: which variant of each, interleaved rounds, ratios, the table's lines."""

from __future__ import annotations

import math
import os
import re
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from benchmarks import report
from benchmarks.process import Worker, WorkerError
from benchmarks.rivals import RIVALS
from benchmarks.steps import CHECKED_STEPS
from benchmarks.workloads import find

PAUSE = 0.1  # seconds in which the threads of the library before stop spinning


@dataclass(frozen=True)
class Settings:
    """How to measure. kind: "steps" (training) or "inference"."""

    kind: str
    threads: int
    rounds: int
    launches: int
    seconds: float
    quick: bool
    data: str | None

    def worker(self, rival: str, python: str, workload: str) -> Worker:
        """A fresh process of a library."""
        options = {"kind": self.kind, "workload": workload, "data": self.data, "quick": self.quick}
        return Worker(rival, python, "benchmarks.steps:Task", self.threads, **options)


def _scout(name: str, pythons: dict[str, str], settings: Settings) -> dict[str, dict[str, Any]]:
    """By library, what the table says of it before the rounds; libraries that cannot run the workload are left out.

    One process after the other, alone on the machine.
    """
    found = {}
    for rival, python in pythons.items():
        with settings.worker(rival, python, name) as worker:
            variants = worker.ask("scout", seconds=0.25 if settings.quick else 0.6)
            if variants:
                best = next(iter(variants))
                found[rival] = {
                    "version": worker.version,
                    "import_seconds": worker.import_seconds,
                    "variant": best,
                    "variants": variants,
                    "first_seconds": variants[best]["first_seconds"],
                    "blocks_ms": [],
                }
    return found


def _rounds(name: str, pythons: dict[str, str], settings: Settings, result: dict[str, Any], rounds: int) -> None:
    """Fresh processes, and their blocks by turns."""
    with ExitStack() as stack:
        workers, steps = {}, {}
        for rival, library in result.items():
            worker = stack.enter_context(settings.worker(rival, pythons[rival], name))
            said = worker.ask("setup", variant=library["variant"])
            workers[rival] = worker
            steps[rival] = max(2, math.ceil(settings.seconds / said["step_seconds"]))
            library["agreed"], library["data"] = said["agreed"], said["data"]
        order = list(workers)
        for _ in range(rounds):
            for rival in order:
                time.sleep(PAUSE)
                seconds = workers[rival].ask("block", steps=steps[rival])
                result[rival]["blocks_ms"].append(1e3 * seconds / steps[rival])
            order.append(order.pop(0))
        for rival, worker in workers.items():
            if not worker.ask("finish"):
                raise WorkerError(f"{rival}: {name} computes what is not a number")
            result[rival]["peak_mb"] = worker.peak_mb
            result[rival]["above_import_mb"] = worker.peak_mb - worker.imported_mb


def measure(name: str, pythons: dict[str, str], settings: Settings) -> dict[str, Any]:
    """One workload, all libraries that can run it."""
    with tempfile.TemporaryDirectory() as cache:
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = cache  # the first compilation is a first one
        try:
            result = _scout(name, pythons, settings)
            for launch in range(settings.launches if result else 0):
                first, last = (settings.rounds * i // settings.launches for i in (launch, launch + 1))
                _rounds(name, pythons, settings, result, last - first)
        finally:
            del os.environ["TORCHINDUCTOR_CACHE_DIR"]
    for library in result.values():
        library["ms"] = report.summary(library["blocks_ms"])
        if settings.kind == "steps":
            library["gflops"] = find(name).flops / library["ms"]["median"] / 1e6
    if "tauten" in result:
        own = result["tauten"]["blocks_ms"]
        for rival in (other for other in result if other != "tauten"):
            pairs = zip(result[rival]["blocks_ms"], own, strict=True)
            result[rival]["ratio"] = report.summary([theirs / ours for theirs, ours in pairs])
    return result


def best_other(result: dict[str, Any]) -> str | None:
    """The fastest library but Tauten."""
    others = {name: library["ms"]["median"] for name, library in result.items() if name != "tauten"}
    return min(others, key=lambda name: others[name]) if others else None


def agree(result: dict[str, Any]) -> bool:
    """Whether every library computed the same, to a thousandth of the largest number."""
    all_values = [library["agreed"] for library in result.values()]
    if not all_values:
        return True
    largest = max(abs(value) for values in all_values for value in values)
    return all(max(column) - min(column) <= 1e-3 * largest for column in zip(*all_values, strict=True))


def _span(summary: dict[str, float]) -> str:
    return f"{summary['median']:.2f} ({summary['q1']:.2f}–{summary['q3']:.2f})"


def title(name: str, settings: dict[str, Any]) -> str:
    """The workload's name; forward, its batch is 1."""
    return re.sub(r"_b\d+", "_b1", name) if settings["kind"] == "inference" else name


def cells(name: str, result: dict[str, Any], names: list[str]) -> list[str]:
    """One line of the table."""
    row = [name]
    for rival in names:
        if rival not in result:
            row.append("–")
            continue
        ms = result[rival]["ms"]["median"]
        ratio = result[rival].get("ratio")
        row.append(f"{ms:.3g} · {ratio['median']:.2f}" if ratio else f"{ms:.3g}")
    if "tauten" in names:
        best = best_other(result)
        have = "tauten" in result and best
        row.append(f"{_span(result[best]['ratio'])} {RIVALS[best].title}" if have and best else "–")
    row.append("same" if agree(result) else "DIFFERENT")
    return row


def table(whole: dict[str, Any]) -> str:
    """The Markdown table of a run, and what it says below."""
    settings, work = whole["settings"], whole["work"]
    names = [name for name in RIVALS if any(name in result for result in work.values())]
    training = settings["kind"] == "steps"
    header = ["training step, ms" if training else "forward, 1 sample, ms"]
    header += [RIVALS[name].title for name in names]
    if "tauten" in names:
        header.append("fastest other / Tauten")
    header.append(f"loss after {CHECKED_STEPS} steps" if training else "outputs")
    rows = [cells(title(name, settings), result, names) for name, result in work.items()]
    versions = []
    for name in names:
        version = next(result[name]["version"] for result in work.values() if name in result)
        versions.append(f"{RIVALS[name].title} {version}")
    lines = [
        report.markdown(header, rows),
        f"Medians of {settings['rounds']} interleaved rounds in {settings['launches']} launches; behind the dot the "
        "ratio to Tauten's time, paired by round (above 1: Tauten is faster), in the last ratio with quartiles. "
        f"{', '.join(versions)}. {report.machine_line(whole['machine'])}",
        "",
        report.markdown(
            ["variant chosen", *(RIVALS[name].title for name in names)],
            [
                [title(work_name, settings), *(_chosen(result, name) for name in names)]
                for work_name, result in work.items()
            ],
        ),
        "In brackets: seconds for building the model and its first step, compiling included; then peak memory above "
        "that after importing, MB.",
    ]
    return "\n".join(lines) + "\n"


def _chosen(result: dict[str, Any], name: str) -> str:
    if name not in result:
        return "–"
    library = result[name]
    return f"{library['variant']} [{library['first_seconds']:.2f} s, {library['above_import_mb']:.0f} MB]"
