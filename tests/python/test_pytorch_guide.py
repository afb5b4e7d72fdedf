"""docs/pytorch.md runs as it stands: what needs no PyTorch everywhere, all of it where PyTorch is installed."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tauten
from tauten import layers

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "pytorch.md"
BLOCKS = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.S)
THERE = importlib.util.find_spec("torch") is not None


def printed(blocks: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(GUIDE), "exec"), names)
    return capsys.readouterr().out


def accuracy(what: str, text: str) -> float:
    return float(re.search(rf"^accuracy, {what}: (\S+)$", text, re.M)[1])


def test_without_torch(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = [block for block in BLOCKS if not re.search(r"\b(torch|nn)\b", block)]
    assert len(blocks) >= 5
    text = printed(blocks, capsys)
    assert accuracy("fit", text) > 0.9
    assert accuracy("loop", text) > 0.9
    slope, bias = re.search(r"^slope and bias: (\S+) (\S+)$", text, re.M).groups()
    assert float(slope) == pytest.approx(3, abs=0.2)
    assert float(bias) == pytest.approx(1, abs=0.1)
    assert re.search(r"'conv2d(_\d+)?/kernel': \(3, 3, 1, 16\)", text)


@pytest.mark.skipif(not THERE, reason="needs PyTorch")
def test_guide_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """Weights that were carried over predict what PyTorch does, but for float32's rounding."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the networks are small
    try:
        text = printed(BLOCKS, capsys)
    finally:
        torch.set_num_threads(threads)
    for what in ("PyTorch", "fit", "loop", "DataLoader"):
        assert accuracy(what, text) > 0.9, text
    differences = dict(re.findall(r"^(.*), largest difference: (\S+)$", text, re.M))
    assert sorted(differences) == ["a CNN", "a tagger", "unequal lengths"]
    assert float(differences.pop("a CNN")) < 1e-4  # of logits of some 20
    assert max(map(float, differences.values())) < 1e-6


@pytest.mark.skipif(not THERE, reason="needs PyTorch")
@pytest.mark.parametrize("what", ["Conv1d", "Conv3d", "depthwise", "RNN", "LSTM", "GRU"])
def test_weights_carried_over(what: str) -> None:
    """Each of the guide's functions by itself, where its models have no use for it."""
    import torch

    names: dict[str, Any] = {"np": np}
    (functions,) = (block for block in BLOCKS if "def gru(" in block)
    exec(compile(functions, str(GUIDE), "exec"), names)
    torch.manual_seed(1)
    twin, shape, layer, weights = {
        "Conv1d": (torch.nn.Conv1d(3, 5, 4), (9, 3), layers.Conv1D(5, 4), names["convolution"]),
        "Conv3d": (torch.nn.Conv3d(2, 4, (1, 2, 3)), (4, 5, 6, 2), layers.Conv3D(4, (1, 2, 3)), names["convolution"]),
        "depthwise": (
            torch.nn.Conv2d(3, 6, (2, 3), groups=3),
            (5, 6, 3),
            layers.DepthwiseConv2D((2, 3), depth_multiplier=2),
            lambda state, name: names["depthwise"](state, name, 3),
        ),
        "RNN": (
            torch.nn.RNN(3, 4, batch_first=True),
            (7, 3),
            layers.SimpleRNN(4, return_sequences=True),
            names["lstm"],
        ),
        "LSTM": (torch.nn.LSTM(3, 4, batch_first=True), (7, 3), layers.LSTM(4, return_sequences=True), names["lstm"]),
        "GRU": (torch.nn.GRU(3, 4, batch_first=True), (7, 3), layers.GRU(4, return_sequences=True), names["gru"]),
    }[what]
    model = tauten.Sequential([tauten.Input(shape), layer])
    model.set_weights(weights({f"it.{name}": value.numpy() for name, value in twin.state_dict().items()}, "it"))
    x = np.random.default_rng(1).normal(size=(2, *shape)).astype("float32")
    images = "onv" in type(twin).__name__
    with torch.no_grad():
        there = twin(torch.tensor(np.moveaxis(x, -1, 1))) if images else twin(torch.tensor(x))[0]
    there = np.moveaxis(there.numpy(), 1, -1) if images else there.numpy()
    np.testing.assert_allclose(model.predict(x, verbose=0), there, atol=1e-5)
