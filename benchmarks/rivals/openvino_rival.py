"""OpenVINO's CPU plugin with the latency hint, in float32. Runs forward only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import openvino

from benchmarks.rivals import onnx_graph
from benchmarks.workloads import Array, Workload


class Library:
    """OpenVINO with a number of threads."""

    def __init__(self, threads: int) -> None:
        self.version = str(openvino.__version__).split("-")[0]
        self.config = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": str(threads),
            "INFERENCE_PRECISION_HINT": "f32",
        }

    def variants(self, workload: Workload, quick: bool) -> tuple[str, ...]:
        return ()

    def model(self, *_: Any) -> Any:
        raise NotImplementedError("OpenVINO does not train")

    def predictor_variants(self, workload: Workload, quick: bool) -> tuple[str, ...]:
        return ("latency hint",) if workload.cells <= onnx_graph.RECURRENT.keys() else ()

    def predictor(self, workload: Workload, weights: list[Array], variant: str) -> Callable[[Array], Array]:
        model = openvino.Core().read_model(onnx_graph.model(workload, weights), b"")
        model.reshape([workload.batch, *workload.shape])
        compiled = openvino.compile_model(model, "CPU", self.config)
        request = compiled.create_infer_request()
        return lambda x: np.asarray(request.infer([x], share_inputs=True, share_outputs=True)[0])
