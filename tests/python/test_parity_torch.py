"""A hundred training steps beside PyTorch on real data, from the same weights: the same weights come out."""

from __future__ import annotations

import numpy as np
import pytest

from examples import Case
from native import Native
from numerics import assert_close
from parity_networks import BATCH, NETWORKS, build, minibatches
from tauten import _core
from torch_twin import Twin, as_torch, torch  # skips all this where there is no torch

TOLERANCE = {"float64": 1e-10, "float32": 1e-4}  # of the largest weight; not to be loosened
STEPS = 100


@pytest.mark.parametrize("case", NETWORKS, ids=str)
def test_reference(case: Case) -> None:
    """The reference's own loss and gradients against PyTorch's autograd."""
    net = build(case)
    twin = Twin(net, net.weights, "float64")
    for x, y in minibatches(net, 2):
        inputs = as_torch(x, "float64").requires_grad_(x.dtype.kind == "f")
        loss = twin.loss(inputs, as_torch(y, "float64"))
        loss.backward()
        found = net.gradients(x, y)
        assert_close(found.loss, loss.item(), 1e-12, "loss")
        for number, (g, w) in enumerate(zip(found.gradients, twin.weights, strict=True)):
            wanted = np.zeros_like(g) if w.grad is None else w.grad.numpy()  # states have none
            assert_close(g, wanted, 1e-12, f"gradient {number}")
            w.grad = None
        if inputs.grad is not None:
            assert_close(found.inputs, inputs.grad.numpy(), 1e-12, "gradient of the inputs")


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("case", NETWORKS, ids=str)
def test_training(case: Case, dtype: str) -> None:
    """SGD with momentum (every other network Nesterov's) and penalties."""
    net = build(case)
    native = Native(net, dtype)
    twin = Twin(net, native.weights, dtype)
    nesterov = NETWORKS.index(case) % 2 == 1
    optimizer = torch.optim.SGD(twin.weights, lr=0.02, momentum=0.9, nesterov=nesterov)
    data, losses = list(minibatches(net, STEPS)), []
    for x, y in data:
        optimizer.zero_grad()
        loss = twin.loss(as_torch(x, dtype), as_torch(y, dtype))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    arrays = [np.concatenate(part) for part in zip(*data, strict=True)]
    x, y = (_core.Source(a.astype(dtype) if a.dtype.kind == "f" else a) for a in arrays)
    start = native.weights
    for step, expected in enumerate(losses):
        index = np.arange(step * BATCH, (step + 1) * BATCH)
        result = native.core.train_step([x], [y], index, None, 0.02, 0.9, nesterov)
        assert result.loss == pytest.approx(expected, rel=10 * TOLERANCE[dtype])
    assert np.mean(losses[-10:]) < np.mean(losses[:10])
    for number, (found, wanted, old) in enumerate(zip(native.weights, twin.weights, start, strict=True)):
        wanted = wanted.detach().numpy()
        assert np.abs(wanted - old).max() > 100 * TOLERANCE[dtype], "nothing was learned: the comparison proves nothing"
        assert_close(found, wanted, TOLERANCE[dtype], native.core.parameters[number].name)
