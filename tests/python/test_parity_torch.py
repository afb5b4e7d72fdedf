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
    nesterov = NETWORKS.index(case) % 2 == 1
    rule = update("sgd", learning_rate=0.02, momentum=0.9, nesterov=nesterov)
    train(case, dtype, rule, lambda weights: torch.optim.SGD(weights, lr=0.02, momentum=0.9, nesterov=nesterov))


def update(kind: str, **settings) -> _core.Update:
    rule = _core.Update(kind)
    for name, value in settings.items():
        setattr(rule, name, value)
    return rule


def adam_epsilon(optimizer: torch.optim.Optimizer, step: int) -> None:
    """Keras adds epsilon before the bias of v is corrected, PyTorch after."""
    for group in optimizer.param_groups:
        group["eps"] = ADAM["epsilon"] / np.sqrt(1 - ADAM["beta_2"] ** (step + 1))


ADAM = {"learning_rate": 0.01, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3}
TORCH_ADAM = {"lr": 0.01, "betas": (0.8, 0.9)}
# Keras has RMSprop's epsilon in the root and PyTorch outside: here it is next to nothing in both.
RULES = {
    "adam": (update("adam", **ADAM), lambda w: torch.optim.Adam(w, **TORCH_ADAM), adam_epsilon),
    "amsgrad": (
        update("adam", **ADAM, amsgrad=True),
        lambda w: torch.optim.Adam(w, **TORCH_ADAM, amsgrad=True),
        adam_epsilon,
    ),
    "adamw": (
        update("adam", **ADAM, weight_decay=0.1),
        lambda w: torch.optim.AdamW(w, **TORCH_ADAM, weight_decay=0.1),
        adam_epsilon,
    ),
    "rmsprop": (
        update("rmsprop", learning_rate=0.001, rho=0.8, epsilon=1e-60),
        lambda w: torch.optim.RMSprop(w, lr=0.001, alpha=0.8, eps=1e-30),
        None,
    ),
    "rmsprop-centered": (
        update("rmsprop", learning_rate=0.001, rho=0.8, momentum=0.5, epsilon=1e-60, centered=True),
        lambda w: torch.optim.RMSprop(w, lr=0.001, alpha=0.8, eps=1e-30, momentum=0.5, centered=True),
        None,
    ),
    "adagrad": (
        update("adagrad", learning_rate=0.02, initial_accumulator_value=0.1, epsilon=1e-30),
        lambda w: torch.optim.Adagrad(w, lr=0.02, initial_accumulator_value=0.1, eps=1e-15),
        None,
    ),
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("case", NETWORKS[:3], ids=str)
def test_rules(case: Case, rule: str) -> None:
    """In float64: steps that are divided by small gradients make much of float32's rounding."""
    native, make, before = RULES[rule]
    train(case, "float64", native, make, before)


def train(case: Case, dtype: str, rule: _core.Update, make, before=None) -> None:
    net = build(case)
    native = Native(net, dtype)
    twin = Twin(net, native.weights, dtype)
    optimizer = make(twin.weights)
    data, losses = list(minibatches(net, STEPS)), []
    for step, (x, y) in enumerate(data):
        if before:
            before(optimizer, step)
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
        result = native.core.train_step([x], [y], index, None, rule)
        assert result.loss == pytest.approx(expected, rel=10 * TOLERANCE[dtype])
    assert np.mean(losses[-10:]) < np.mean(losses[:10])
    for number, (found, wanted, old) in enumerate(zip(native.weights, twin.weights, start, strict=True)):
        wanted = wanted.detach().numpy()
        assert np.abs(wanted - old).max() > 100 * TOLERANCE[dtype], "nothing was learned: the comparison proves nothing"
        assert_close(found, wanted, TOLERANCE[dtype], native.core.parameters[number].name)
