"""The workers' tasks: blocks of calls of each phase of one convolution, in Tauten and in PyTorch's oneDNN."""

from __future__ import annotations

import ctypes
import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.convolutions.grid import PHASES, Case
from benchmarks.rivals import Library
from benchmarks.sweep.cases import probe
from benchmarks.workloads import Array

Run = Callable[[int], float]  # takes a number of calls, returns their seconds
COMPARED = 32  # values of each result that the libraries must agree on


def sampled(values: Array) -> list[float]:
    """Some of an array's values, spread over all of it."""
    flat = values.reshape(-1)
    return [float(value) for value in flat[np.linspace(0, flat.size - 1, COMPARED).astype(np.int64)]]


class Task:
    """What the driver asks of either library. A variant is one of the ways in which it can run a phase."""

    def start(self, case: Case) -> dict[str, dict[str, Run]]:
        """Lays out a convolution: by phase and variant, what runs and times calls."""
        raise NotImplementedError

    def result(self, phase: str, variant: str) -> Array:
        """What the last call of a phase left, channels last; of the weight gradient the kernel's."""
        raise NotImplementedError

    def setup(self, case: list[int], seconds: float, careful: bool) -> dict[str, Any]:
        """Finds the fastest variant of each phase, and how many calls make a block of so many seconds.

        careful: of several variants only the last, which is the safe one.
        """
        variants = self.start(Case(*case))
        if careful:
            variants = {phase: dict(list(runs.items())[-1:]) for phase, runs in variants.items()}
        self.blocks: dict[str, tuple[Run, int]] = {}
        said: dict[str, Any] = {}
        for phase, runs in variants.items():
            times: dict[str, float] = {}
            for name, run in runs.items():
                run(1)
                times[name] = min(run(1) for _ in range(3))
            best = min(times, key=lambda name: times[name])
            runs[best](1)
            self.blocks[phase] = runs[best], max(1, math.ceil(seconds / times[best]))
            said[phase] = {"variant": best, "agreed": sampled(self.result(phase, best))}
        return said

    def block(self) -> dict[str, float]:
        """ms of a call of each phase, after one that is not counted."""
        times = {}
        for phase, (run, calls) in self.blocks.items():
            run(1)
            times[phase] = 1e3 * run(calls) / calls
        return times


class Tauten(Task):
    """The layer's own phases, by the library that benchmarks.native builds (csrc/bench/convolution.cpp)."""

    def __init__(self, library: Library, team: int, probe: str) -> None:
        """team: threads; probe: path of the library."""
        self.team, self.path = team, probe
        self.native = ctypes.CDLL(probe)
        floats = np.ctypeslib.ndpointer(np.float32, flags="C_CONTIGUOUS")
        pointer = ctypes.c_void_p
        self.native.tauten_convolution_new.argtypes = [ctypes.c_int64 * 6, floats, floats, floats, floats, ctypes.c_int]
        self.native.tauten_convolution_new.restype = pointer
        self.native.tauten_convolution_error.restype = ctypes.c_char_p
        self.native.tauten_convolution_detail.argtypes = [pointer]
        self.native.tauten_convolution_detail.restype = ctypes.c_char_p
        self.native.tauten_convolution_run.argtypes = [pointer, ctypes.c_int, ctypes.c_int64]
        self.native.tauten_convolution_run.restype = ctypes.c_double
        self.native.tauten_convolution_read.argtypes = [pointer, ctypes.c_int, floats]
        self.native.tauten_convolution_free.argtypes = [pointer]
        self.made: int | None = None

    def start(self, case: Case) -> dict[str, dict[str, Run]]:
        if self.made:
            self.native.tauten_convolution_free(self.made)
        e = (ctypes.c_int64 * 6)(case.batch, case.size, case.channels, case.filters, case.kernel, case.stride)
        self.made = self.native.tauten_convolution_new(e, *case.data(), self.team)
        if not self.made:
            raise RuntimeError(self.native.tauten_convolution_error().decode())
        self.case = case
        way = self.native.tauten_convolution_detail(self.made).decode() or "product"
        return {phase: {way: self._runs(number)} for number, phase in enumerate(PHASES)}

    def setup(self, case: list[int], seconds: float, careful: bool) -> dict[str, Any]:
        """And what making the filters anew takes of the input gradient."""
        said = super().setup(case, seconds, careful)
        refresh = self._runs(len(PHASES))
        said["input gradient"]["filters_ms"] = 1e3 * min(refresh(1) for _ in range(5))
        return said

    def _runs(self, phase: int) -> Run:
        return lambda calls: self.native.tauten_convolution_run(self.made, phase, calls)

    def result(self, phase: str, variant: str) -> Array:
        c = self.case
        shapes = {
            "forward": (c.batch, c.output, c.output, c.filters),
            "input gradient": (c.batch, c.size, c.size, c.channels),
            "weight gradient": (c.kernel * c.kernel * c.channels * c.filters + c.filters,),
        }
        values = np.empty(shapes[phase], np.float32)
        self.native.tauten_convolution_read(self.made, PHASES.index(phase), values)
        return values[: -c.filters] if phase == "weight gradient" else values

    def peak(self) -> float:
        """GFLOP/s of multiply-adds on all threads."""
        return probe(self.path, self.team)()


class Torch(Task):
    """oneDNN by way of PyTorch's operators.

    Forward: the operator that frozen models call, weights reordered before. Gradients: convolution_backward, on tensors
    that are channels_last or oneDNN's own; only the latter leave PyTorch no other choice for small ones.
    """

    def __init__(self, library: Library) -> None:
        import torch

        self.torch = torch

    def start(self, case: Case) -> dict[str, dict[str, Run]]:
        torch = self.torch
        last = torch.channels_last
        self.results: dict[tuple[str, str], Any] = {}
        x, w, b, dy = (torch.from_numpy(np.ascontiguousarray(a)) for a in case.data())
        x, dy = x.permute(0, 3, 1, 2), dy.permute(0, 3, 1, 2)
        x, dy = (torch.empty_like(a, memory_format=last).copy_(a) for a in (x, dy))
        w = w.permute(3, 2, 0, 1)
        w, plain = w.contiguous(memory_format=last), w.contiguous()
        pad, step, one = [case.kernel // 2] * 2, [case.stride] * 2, [1, 1]
        packed = torch.ops.mkldnn._reorder_convolution_weight(plain, pad, step, one, 1, list(x.shape))
        own = x.to_mkldnn(), dy.to_mkldnn()
        gradients = {"channels_last": (dy, x, w), "oneDNN's tensors": (own[1], own[0], plain)}

        def forward() -> Any:
            return torch.ops.mkldnn._convolution_pointwise(x, packed, b, pad, step, one, 1, "none", [], "")

        def backward(tensors: tuple[Any, Any, Any], wanted: list[bool]) -> Callable[[], Any]:
            of = torch.ops.aten.convolution_backward
            return lambda: of(*tensors, [case.filters], step, pad, one, False, [0, 0], 1, wanted)

        found = {"forward": {"packed weights": self._runs("forward", "packed weights", forward)}}
        for phase, wanted in (("input gradient", [True, False, False]), ("weight gradient", [False, True, True])):
            found[phase] = {name: self._runs(phase, name, backward(t, wanted)) for name, t in gradients.items()}
        return found

    def _runs(self, phase: str, variant: str, call: Callable[[], Any]) -> Run:
        def run(calls: int) -> float:
            with self.torch.no_grad():
                started = time.perf_counter()
                for _ in range(calls):
                    result = call()
                seconds = time.perf_counter() - started
            self.results[phase, variant] = result
            return seconds

        return run

    def result(self, phase: str, variant: str) -> Array:
        found = self.results[phase, variant]
        if phase != "forward":
            found = found[0 if phase == "input gradient" else 1]
        found = found.to_dense() if found.is_mkldnn else found
        order = (2, 3, 1, 0) if phase == "weight gradient" else (0, 2, 3, 1)
        values: Array = found.permute(*order).contiguous().numpy()
        return values
