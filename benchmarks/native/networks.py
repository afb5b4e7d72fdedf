"""The public workloads as csrc/bench/networks.h writes networks."""

from __future__ import annotations

from benchmarks.workloads import Conv, Dense, Embedding, Flatten, Layer, Pool, Recurrent, Workload


def describe(workload: Workload) -> str | None:
    """NAME BATCH SHAPE LAYER ...; None for what csrc/bench cannot build: unequal lengths, bidirectional layers."""
    layers = [_layer(layer) for layer in workload.layers]
    if workload.unequal or None in layers:
        return None
    shape = "x".join(map(str, workload.shape))
    return " ".join([workload.name, str(workload.batch), shape, *filter(None, layers)])


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
            return None if layer.bidirectional else f"{layer.cell}/{layer.units}" + "/last" * (not layer.sequences)
        case Embedding():
            return f"embedding/{layer.vocabulary}/{layer.units}"
