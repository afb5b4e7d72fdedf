"""A workload as an ONNX model; its input and output are (batch, ...), channels last."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from benchmarks.workloads import (
    EPSILON,
    Array,
    Conv,
    Dense,
    Embedding,
    Flatten,
    Pool,
    Recurrent,
    Residual,
    Workload,
    after,
    channels_first_rows,
)

OPSET = 18
RECURRENT = {"rnn": "RNN", "gru": "GRU", "lstm": "LSTM"}


class _Graph:
    """Nodes and constants, one value after the other."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.value = "x"

    def constant(self, array: Array) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def add(self, operator: str, *more: str, **attributes: Any) -> None:
        """value := operator(value, more ...)"""
        output = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, [self.value, *more], [output], **attributes))
        self.value = output


def _gates(weight: Array, cell: str) -> Array:
    """(n, gates * units) -> (gates * units, n); the LSTM's in Keras' order i f c o -> ONNX' order i o f c."""
    if cell == "lstm":
        i, f, c, o = np.split(weight, 4, axis=-1)
        weight = np.concatenate([i, o, f, c], axis=-1)
    return weight.T


def _biases(bias: Array, cell: str) -> Array:
    """Of the input, then of the state, which only the GRU has in Keras."""
    if cell == "gru":
        return bias.T.ravel()  # transposed by _gates
    return np.concatenate([bias, np.zeros_like(bias)])


def _recurrent(graph: _Graph, layer: Recurrent, weights: list[Array]) -> None:
    """From and to (steps, batch, features)."""
    assert layer.sequences, "the last state alone is another output of these operators"
    directions = 1 + layer.bidirectional
    each = [[_gates(weights.pop(0), layer.cell) for _ in range(3)] for _ in range(directions)]
    kernel = graph.constant(np.stack([one[0] for one in each]))
    recurrent = graph.constant(np.stack([one[1] for one in each]))
    bias = graph.constant(np.stack([_biases(one[2], layer.cell) for one in each]))
    # the reset gate behind the product, as Keras' reset_after
    reset = {"linear_before_reset": 1} if layer.cell == "gru" else {}
    graph.add(
        RECURRENT[layer.cell],
        kernel,
        recurrent,
        bias,
        hidden_size=layer.units,
        direction="bidirectional" if layer.bidirectional else "forward",
        **reset,
    )
    if layer.bidirectional:  # (steps, direction, batch, units) -> (steps, batch, direction * units)
        graph.add("Transpose", perm=[0, 2, 1, 3])
        graph.add("Reshape", graph.constant(np.array([0, 0, -1])))
    else:
        graph.add("Squeeze", graph.constant(np.array([1])))


def _residual(graph: _Graph, layer: Residual, weights: list[Array], dimensions: int) -> None:
    """relu(x + F(x)), channels first."""
    x = graph.value
    for end in range(2):
        kernel = graph.constant(np.moveaxis(weights.pop(0), (-1, -2), (0, 1)))
        graph.add("Conv", kernel, auto_pad="SAME_UPPER", kernel_shape=[layer.kernel] * dimensions)
        graph.add("BatchNormalization", *(graph.constant(weights.pop(0)) for _ in range(4)), epsilon=EPSILON)
        if end == 0:
            graph.add("Relu")
    graph.add("Add", x)
    graph.add("Relu")


def model(workload: Workload, weights: list[Array]) -> bytes:
    """The serialized model, for a batch of any size; its output is before the softmax."""
    weights = list(weights)
    graph = _Graph()
    shape = workload.shape
    spatial = len(shape) - 1
    if workload.convolutional:
        graph.add("Transpose", perm=[0, spatial + 1, *range(1, spatial + 1)])
    elif workload.recurrent:
        graph.add("Transpose", perm=[1, 0, *([2] if spatial else [])])
    for layer in workload.layers:
        if isinstance(layer, Conv):
            kernel = graph.constant(np.moveaxis(weights.pop(0), (-1, -2), (0, 1)))
            graph.add("Conv", kernel, graph.constant(weights.pop(0)), auto_pad="SAME_UPPER")
            graph.add("Relu")
            shape = (*shape[:-1], layer.filters)
        elif isinstance(layer, Residual):
            _residual(graph, layer, weights, spatial)
        elif isinstance(layer, Pool):
            graph.add("MaxPool", kernel_shape=[layer.size] * spatial, strides=[layer.size] * spatial)
            shape = (*(extent // layer.size for extent in shape[:-1]), shape[-1])
        elif isinstance(layer, Flatten):
            graph.add("Flatten")
            weights[0] = channels_first_rows(weights[0], shape)
            shape = (int(np.prod(shape)),)
        elif isinstance(layer, Embedding):
            table = graph.constant(weights.pop(0))
            output = f"v{len(graph.nodes)}"
            graph.nodes.append(helper.make_node("Gather", [table, graph.value], [output]))
            graph.value = output
            shape = (*shape, layer.units)
        elif isinstance(layer, Dense):
            graph.add("MatMul", graph.constant(weights.pop(0)))
            graph.add("Add", graph.constant(weights.pop(0)))
            if layer.activation == "relu":
                graph.add("Relu")
            shape = (*shape[:-1], layer.units)
        else:
            _recurrent(graph, layer, weights)
            shape = after(layer, shape)
    if workload.per_step:
        graph.add("Transpose", perm=[1, 0, 2])
    kind = TensorProto.INT32 if isinstance(workload.layers[0], Embedding) else TensorProto.FLOAT
    inputs = [helper.make_tensor_value_info("x", kind, ["batch", *workload.shape])]
    outputs = [helper.make_tensor_value_info(graph.value, TensorProto.FLOAT, None)]
    whole = helper.make_graph(graph.nodes, workload.name, inputs, outputs, graph.constants)
    built = helper.make_model(whole, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
    return bytes(built.SerializeToString())
