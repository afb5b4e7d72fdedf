"""ONNX Runtime's CPU provider, all graph optimizations on. Runs forward only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import onnxruntime

from benchmarks.rivals import onnx_graph
from benchmarks.workloads import Array, Workload


class Library:
    """ONNX Runtime with a number of threads within an operation."""

    def __init__(self, threads: int) -> None:
        self.version = str(onnxruntime.__version__)
        self.options = onnxruntime.SessionOptions()
        self.options.intra_op_num_threads = threads
        self.options.inter_op_num_threads = 1
        self.options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL

    def variants(self, workload: Workload, quick: bool) -> tuple[str, ...]:
        return ()

    def model(self, *_: Any) -> Any:
        raise NotImplementedError("ONNX Runtime trains in another package")

    def predictor_variants(self, workload: Workload, quick: bool) -> tuple[str, ...]:
        return ("session.run",) if workload.cells <= onnx_graph.RECURRENT.keys() else ()

    def predictor(self, workload: Workload, weights: list[Array], variant: str) -> Callable[[Array], Array]:
        model = onnx_graph.model(workload, weights)
        session = onnxruntime.InferenceSession(model, self.options, providers=["CPUExecutionProvider"])
        return lambda x: session.run(None, {"x": x})[0]
