"""The public workloads as csrc/bench/networks.h writes networks."""

from __future__ import annotations

from benchmarks.workloads import Conv, Dense, Embedding, Flatten, Layer, Pool, Recurrent, Residual, Workload


def describe(workload: Workload) -> str | None:
    """NAME BATCH SHAPE LAYER ...; None for what csrc/bench cannot build: unequal lengths, residual blocks."""
    layers = [text for layer in workload.layers if (text := _layer(layer))]
    if workload.unequal or len(layers) < len(workload.layers):
        return None
    shape = "x".join(map(str, workload.shape))
    return " ".join([workload.name, str(workload.batch), shape, *layers])


def _layer(layer: Layer) -> str | None:
    match layer:
        case Conv():
            return f"conv/{layer.filters}/{layer.kernel}"
        case Pool():
            return f"max_pool/{layer.size}"
        case Flatten():
            return "flatten"
        case Dense():
            return f"dense/{layer.units}/{layer.activation}"
        case Recurrent():
            kind = f"bi{layer.cell}" if layer.bidirectional else layer.cell
            return f"{kind}/{layer.units}" + "/last" * (not layer.sequences)
        case Embedding():
            return f"embedding/{layer.vocabulary}/{layer.units}"
        case Residual():
            return None
