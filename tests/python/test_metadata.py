"""model.metadata: what a user attaches to a model is in its file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tauten
from tauten import layers

KEPT = {"classes": ["a", "ß"], "mean": [0.1, -1e-300], "deep": {"none": None, "yes": True, "count": 3}}


def model() -> tauten.Sequential:
    return tauten.Sequential([tauten.Input((2,)), layers.Dense(1)])


def test_metadata_survive_saving_and_saving_again(tmp_path: Path) -> None:
    one = model()
    assert one.metadata == {}
    one.metadata = KEPT
    one.save(tmp_path / "a.safetensors")
    two = tauten.models.load_model(tmp_path / "a.safetensors")
    assert two.metadata == KEPT
    two.save(tmp_path / "b.safetensors")
    assert tauten.models.load_model(tmp_path / "b.safetensors", compile=False).metadata == KEPT


def test_graphs_and_checkpoints_have_them_too(tmp_path: Path) -> None:
    inputs = tauten.Input((2,))
    one = tauten.Model(inputs, layers.Dense(1)(inputs))
    one.metadata["epoch"] = "any"
    one.compile("sgd", "mse")
    path = tmp_path / "a.safetensors"
    one.fit(np.ones((4, 2)), np.ones(4), verbose=0, callbacks=[tauten.callbacks.ModelCheckpoint(path)])
    assert tauten.models.load_model(path).metadata == {"epoch": "any"}


def test_files_without_metadata(tmp_path: Path) -> None:
    model().save(tmp_path / "a.safetensors")
    assert tauten.models.load_model(tmp_path / "a.safetensors").metadata == {}


@pytest.mark.parametrize(
    ("metadata", "error"),
    [
        ([1], TypeError),
        ({"a": np.ones(2)}, TypeError),
        ({"a": float("nan")}, ValueError),
        ({"a": (1, 2)}, TypeError),
        ({1: "a"}, TypeError),
        ({"a": {1, 2}}, TypeError),
    ],
)
def test_what_json_cannot_hold_is_refused_and_the_file_stays(tmp_path: Path, metadata: Any, error: type) -> None:
    one, path = model(), tmp_path / "a.safetensors"
    one.save(path)
    before = path.read_bytes()
    one.metadata = metadata
    with pytest.raises(error, match=f"model {one.name!r}: metadata: "):
        one.save(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.safetensors"]


def test_metadata_that_are_no_dict_are_told(tmp_path: Path) -> None:
    one, path = model(), tmp_path / "a.safetensors"
    one.metadata = {"mark": "here"}
    one.save(path)
    damaged = path.read_bytes().replace(rb"{\"mark\": \"here\"}", rb"[\"mark\", \"here\"]")
    assert damaged != path.read_bytes()
    path.write_bytes(damaged)
    with pytest.raises(ValueError, match=r"a.safetensors: the metadata in the file is no dict"):
        tauten.models.load_model(path)
