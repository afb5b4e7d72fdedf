"""Data files of the `tauten` command: what is read of them, and what is said of bad ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from command import digit_rows, flowers, write_csv, write_series
from tauten.cli import data
from tauten.cli.data import columns, preparation, scaling, targets
from tauten.cli.data.contents import label
from tauten.cli.data.splitting import split


def table(tmp_path: Path, text: str, **options: Any) -> data.Table:
    path = tmp_path / "table.csv"
    path.write_text(text)
    found = data.read(str(path), **options)
    assert isinstance(found, data.Table)
    return found


# -- CSV


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("header", [True, False])
def test_delimiter_and_header_are_found(tmp_path: Path, delimiter: str, header: bool) -> None:
    names, rows = flowers()
    path = tmp_path / "iris.csv"
    write_csv(path, names if header else None, rows, delimiter)
    found = data.read(str(path))
    assert isinstance(found, data.Table)
    assert found.named == header
    assert found.names == (names if header else [f"column {i}" for i in range(1, 6)])
    assert found.rows == [list(map(str, row)) for row in rows]
    assert found.lines[:2] == ([2, 3] if header else [1, 2])


def test_quotes_marks_blanks_and_empty_lines(tmp_path: Path) -> None:
    found = table(tmp_path, '\ufeffname , size\n\n"a, ""b""\nc", 1\n  d ,2\n')
    assert (found.names, found.rows, found.lines) == (["name", "size"], [['a, "b"\nc', "1"], ["d", "2"]], [3, 5])


def test_header_may_be_said(tmp_path: Path) -> None:
    assert table(tmp_path, "2019,2020\n1,2\n", header=True).names == ["2019", "2020"]
    assert table(tmp_path, "a,b\nc,d\n", header=False).rows == [["a", "b"], ["c", "d"]]
    assert table(tmp_path, "2019,2020\n1,2\n", expected=["2020"]).names == ["2019", "2020"]
    assert not table(tmp_path, "2019,2020\n1,2\n").named
    assert table(tmp_path, "a;b,c\n1;2,3\n", delimiter=";").names == ["a", "b,c"]
    assert table(tmp_path, ",b\n1,2\n").names == ["column 1", "b"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("\n \n", "the file is empty"),
        ("a,b\n", "a header and no rows"),
        ("a,b\n1,2\n3\n", "line 3: 1 values, expected 2 as in line 1"),
        ("a,b\n1,2,3\n", "line 2: 3 values, expected 2"),
        ("a,a\n1,2\n", "the column 'a' is there twice"),
        ('a,b\n1,"2\n', "line 2: "),
        ("a,b\n1,\0\n", "zero bytes"),
    ],
)
def test_bad_csv(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        table(tmp_path, text)


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"a,b\n\xff,2\n")
    (tmp_path / "a.xlsx").write_bytes(b"")
    with pytest.raises(ValueError, match=r"not UTF-8 text \(byte 5\)"):
        data.read(str(tmp_path / "a.csv"))
    with pytest.raises(ValueError, match=r"ends in \.csv.* got '\.xlsx'"):
        data.read(str(tmp_path / "a.xlsx"))
    with pytest.raises(FileNotFoundError, match="no such file"):
        data.read(str(tmp_path / "b.csv"))
    with pytest.raises(IsADirectoryError, match="got a folder"):
        data.read(str(tmp_path))


# -- columns

CARS = "id,fuel,doors,power,price\n1,gas,2,70,9.5\n2,diesel,4,90,12\n3,gas,4,60,8\n"


def test_columns_are_told_apart(tmp_path: Path) -> None:
    cars = table(tmp_path, CARS)
    found = columns.learn(cars, drop=["id"], categorical=["3"])
    assert [(one.name, one.categories) for one in found.features] == [
        ("fuel", ["diesel", "gas"]),
        ("doors", ["2", "4"]),
        ("power", None),
    ]
    assert found.numeric == [False] * 4 + [True]
    np.testing.assert_array_equal(found.encode(cars), [[0, 1, 1, 0, 70], [1, 0, 0, 1, 90], [0, 1, 0, 1, 60]])
    assert found.targets(cars) == ["9.5", "12", "8"]
    assert columns.Columns.from_json(found.to_json()) == found


@pytest.mark.parametrize(("target", "name"), [("fuel", "fuel"), ("1", "id"), ("-2", "power"), (None, "price")])
def test_target_by_name_and_number(tmp_path: Path, target: str | None, name: str) -> None:
    assert columns.learn(table(tmp_path, CARS), target).target == name


def test_new_tables_may_lack_the_target_and_have_another_order(tmp_path: Path) -> None:
    found = columns.learn(table(tmp_path, CARS), drop=["id"])
    expected = [[0, 1, 2, 55]]
    for text in ("power,doors,fuel\n55,2,gas\n", "9,gas,2,55\n", "9,gas,2,55,1\n", "gas,2,55\n"):
        np.testing.assert_array_equal(found.encode(table(tmp_path, text)), expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fuel,power\ngas,55\n", "columns missing: 'doors'; there are 'fuel', 'power'"),
        ("gas,55\n", "expected 5 or 4 or 3 columns, got 2"),
        (
            "fuel,doors,power\nwater,2,55\n",
            "line 2, column 'fuel': 'water' was not there in training; known are 'diesel'",
        ),
        ("fuel,doors,power\ngas,2,x\n", "line 2, column 'power': 'x' is no number"),
        ("fuel,doors,power\ngas,2,\n", "line 2, column 'power': the value is missing"),
        ("fuel,doors,power\ngas,2,inf\n", "line 2, column 'power': 'inf' is not finite"),
        ("fuel,doors,power\nNA,2,55\n", "line 2, column 'fuel': the value is missing"),
    ],
)
def test_bad_new_tables(tmp_path: Path, text: str, message: str) -> None:
    found = columns.learn(table(tmp_path, CARS), drop=["id"])
    with pytest.raises(ValueError, match=message):
        found.encode(table(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (CARS, {"target": "x"}, "no column 'x'; there are 'id', 'fuel'"),
        (CARS, {"target": "6"}, "no column '6'"),
        (CARS, {"target": "0"}, "no column '0'"),
        (CARS, {"drop": ["cost"]}, "no column 'cost'"),
        (CARS, {"categorical": ["price"]}, "--task classification"),
        (CARS, {"drop": ["doors"], "categorical": ["doors"]}, "contradict"),
        (CARS, {"drop": ["1", "2", "3", "4"]}, "no columns are left"),
        ("a,b\n1,2\n,3\n?,4\n", {}, r"line 3, column 'a': the value is missing \(2 in this column\)"),
        ("a,b\n1,2\nNaN,3\n", {}, "line 3, column 'a': the value is missing"),
        ("a,b\n1,2\n2,3\n12 kg,4\n", {}, "line 4, column 'a': '12 kg' is no number, but most of the column is"),
        ("a;b\n1,5;2\n-2;3\n", {}, "line 2, column 'a': '1,5': numbers with a decimal comma are not read"),
        ("a,b\n" + "".join(f"n{i},1\n" for i in range(200)), {}, "column 'a' has 200 different texts"),
    ],
)
def test_bad_columns(tmp_path: Path, text: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        found = table(tmp_path, text)
        columns.learn(found, **options).encode(found)


def test_missing_target(tmp_path: Path) -> None:
    found = table(tmp_path, "a,b\n1,2\n2,\n")
    with pytest.raises(ValueError, match="line 3, column 'b': the value is missing"):
        columns.learn(found).targets(found)


# -- targets


@pytest.mark.parametrize(
    ("texts", "task", "classes"),
    [
        (["b", "a", "b"], "classification", ["a", "b"]),
        (["10", "9", "10", "9"], "classification", ["9", "10"]),
        (["1.0", "2.0", "1.0", "2.0"], "classification", ["1", "2"]),
        (["1", "2", "3"], "regression", []),
        (["0.5", "1", "0.5", "1"], "regression", []),
        ([str(i % 30) for i in range(90)], "regression", []),
    ],
)
def test_task_is_seen_from_the_target(texts: list[str], task: str, classes: list[str]) -> None:
    found = targets.learn("y", texts, str)
    assert (found.task, found.classes) == (task, classes)
    assert targets.Target.from_json(found.to_json()) == found


def test_task_may_be_forced() -> None:
    texts = ["3", "1", "2"]
    assert targets.learn("y", texts, str, "classification").encode(texts, str).tolist() == [2, 0, 1]
    assert targets.learn("y", texts * 4, str, "regression").encode(texts, str).tolist() == [3, 1, 2]


def test_bad_targets() -> None:
    with pytest.raises(ValueError, match=r"at 1, 'y': 'x' is no number, which a regression needs"):
        targets.learn("y", ["1", "x"], "at {}".format, "regression")
    with pytest.raises(ValueError, match="always 'a'"):
        targets.learn("y", ["a", "a"], str)
    found = targets.learn("y", ["a", "b"], str)
    with pytest.raises(ValueError, match=r"at 1, 'y': the class 'c' was not there in training; known are 'a', 'b'"):
        found.encode(["a", "c"], "at {}".format)


def test_labels_are_the_same_in_all_files() -> None:
    assert [label(value) for value in (1, 1.0, "1.0", np.int64(1), "01", "a.e", 0.5, "1e400", True)] == [
        "1", "1", "1", "1", "01", "a.e", "0.5", "1e400", "True",
    ]  # fmt: skip


# -- NumPy's files


def test_npy_and_npz(tmp_path: Path) -> None:
    x, y = np.arange(12.0).reshape(3, 4), np.array([1, 2, 1])
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", y[:, None])
    np.savez(tmp_path / "a.npz", x=x, y=y)
    np.savez(tmp_path / "b.npz", images=x, labels=y)
    for name, target in (("x.npy", str(tmp_path / "y.npy")), ("a.npz", None), ("b.npz", "labels")):
        found = data.read(str(tmp_path / name), target=target)
        np.testing.assert_array_equal(found.x, x)
        assert found.y == ["1", "2", "1"]
    alone = data.read(str(tmp_path / "x.npy"))
    assert alone.y is None
    np.save(tmp_path / "x.npy", np.arange(3))
    assert data.read(str(tmp_path / "x.npy")).x.shape == (3, 1)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": np.ones((2, 3))}, r"no targets 'y'; there are 'x' \(2, 3\)"),
        ({"a": np.ones(2), "b": np.ones(2), "y": np.ones(2)}, "expected the samples under 'x'"),
        ({"x": np.ones((2, 3)), "y": np.ones(3)}, "3 targets for 2 samples"),
        ({"x": np.ones((2, 3)), "y": np.ones((2, 3))}, "expected one target a sample"),
        ({"x": np.array([[1, np.nan]]), "y": np.ones(1)}, r"sample 1, column 2: the value is missing \(NaN\)"),
        ({"x": np.full((2, 2, 2), np.inf), "y": np.ones(2)}, r"sample 1, value \(0, 0\): the value is not finite"),
        ({"x": np.array([["a"]]), "y": np.ones(1)}, "expected numbers, got dtype <U1"),
        ({"x": np.ones((0, 3)), "y": np.ones(0)}, "there are no samples"),
    ],
)
def test_bad_npz(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(ValueError, match=message):
        data.read(str(tmp_path / "a.npz"))


def test_damaged_numpy_files(tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(b"")
    (tmp_path / "a.npz").write_bytes(b"PK\x03\x04 and no more")
    np.save(tmp_path / "o.npy", np.array([{}, 1], dtype=object), allow_pickle=True)
    for name in ("a.npy", "a.npz", "o.npy"):
        with pytest.raises(ValueError, match=f"{name}: not a .np. file that can be read"):
            data.read(str(tmp_path / name))


# -- .ts


def test_ts_of_equal_and_unequal_lengths(tmp_path: Path) -> None:
    for unequal in (False, True):
        series, labels = digit_rows(6, unequal)
        path = tmp_path / "digits.ts"
        flag = str(not unequal).lower()
        write_series(
            path, [f"@equalLength {flag}", "@dimensions 8", "@classLabel true d0 d1 d2 d3 d4 d5"], series, labels
        )
        found = data.read(str(path))
        assert isinstance(found.x, list) == unequal
        assert (found.y, found.task) == (labels, "classification")
        for one, wanted in zip(found.x, series, strict=True):
            np.testing.assert_array_equal(one, wanted)
        assert found.place(1) == f"{path}: line 7"


def test_ts_of_a_regression_and_without_labels(tmp_path: Path) -> None:
    path = tmp_path / "a.ts"
    series = [np.array([[1.0], [2.0]]), np.array([[3.0], [4.0]])]
    write_series(path, ["@problemName a", "@univariate true", "@targetLabel true"], series, [0.5, 1.5])
    found = data.read(str(path))
    assert (found.task, found.y, found.x.shape) == ("regression", ["0.5", "1.5"], (2, 2, 1))
    write_series(path, ["@univariate true", "@classLabel false"], series, None)
    found = data.read(str(path))
    assert (found.task, found.y, found.x.shape) == (None, None, (2, 2, 1))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "there is no @data"),
        ("@data\n", "no series behind @data"),
        ("1,2:a\n", "line 1: expected @ and a word"),
        ("@colour red\n@data\n1\n", "line 1: unknown @colour"),
        ("@dimensions\n@data\n1\n", "line 1: @dimensions has no value"),
        ("@dimensions two\n@data\n1\n", "@dimensions: expected a positive number, got 'two'"),
        ("@univariate maybe\n@data\n1\n", "@univariate: expected true or false"),
        ("@classLabel true\n@data\n1:a\n", "no labels behind it"),
        ("@timeStamps true\n@data\n(0,1):a\n", "time stamps are not read"),
        ("@classLabel true a b\n@data\n1,2\n", "expected a series and, behind a colon, its label"),
        ("@classLabel true a b\n@data\n1,2:c\n", "line 3: label 'c' is not among those of @classLabel"),
        ("@dimensions 2\n@data\n1,2\n", "line 3: 1 dimensions, but the header says 2"),
        ("@data\n1,2:3\n", "line 2: dimension 2 has 1 values, dimension 1 has 2"),
        ("@data\n1,?,2\n", "line 2: dimension 1, value 2: the value is missing"),
        ("@data\n1,2:1,x\n", "line 2: dimension 2, value 2: 'x' is no finite number"),
        ("@data\n1,nan\n", "line 2: dimension 1, value 2: the value is missing"),
        ("@data\n1,2\n1,2:1,2\n", "line 3: 2 dimensions, expected 1 as in line 2"),
        ("@equalLength true\n@seriesLength 3\n@data\n1,2\n", "a series of 2 values, but @seriesLength is 3"),
    ],
)
def test_bad_ts(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "a.ts"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        data.read(str(path))


def test_options_of_other_kinds_of_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.ts"
    path.write_text("@data\n1,2\n")
    for options in ({"delimiter": ";"}, {"header": True}, {"target": "y"}):
        with pytest.raises(ValueError, match="--"):
            data.read(str(path), **options)


# -- preparation, scaling, split


def test_preparation_keeps_shape_and_says_what_came(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.ones((4, 2, 6)), y=[0, 1, 0, 1])
    contents = data.read(str(tmp_path / "a.npz"))
    made, x, y = preparation.learn(contents, shape=(3, 4, 1))
    assert (x.shape, made.shape, y.tolist()) == ((4, 3, 4, 1), (3, 4, 1), [0, 1, 0, 1])
    kept = preparation.Preparation.from_metadata({"train": made.to_json()}, "m")
    assert kept == made
    with pytest.raises(ValueError, match=r"samples of 12 numbers \(2, 6\) cannot be given the shape 5,1 \(5\)"):
        preparation.learn(contents, shape=(5, 1))
    plain = preparation.learn(contents)[0]
    np.savez(tmp_path / "b.npz", x=np.ones((1, 2, 5)))
    with pytest.raises(ValueError, match=r"sample 1: the model was trained on samples of shape \(2, 6\), got \(2, 5\)"):
        plain.samples(data.read(str(tmp_path / "b.npz"), needs_target=False))
    with pytest.raises(ValueError, match="trained on arrays or series"):
        plain.samples(table(tmp_path, "a,b\n1,2\n"))


def test_damaged_metadata_are_told() -> None:
    for metadata, message in (
        ({}, "not one of `tauten train`"),
        ({"train": {}}, "damaged"),
        ({"train": {"version": 1, "columns": None, "target": 1}}, "damaged"),
        ({"train": {"version": 99}}, "newer Tauten"),
    ):
        with pytest.raises(ValueError, match=message):
            preparation.Preparation.from_metadata(metadata, "m")


def test_moments() -> None:
    x = np.random.default_rng(0).normal(5, 3, (50, 4, 3))
    x[..., 1] = 7
    mean, variance = scaling.moments(x, np.array([True, True, False]))
    np.testing.assert_allclose(mean, [x[..., 0].mean(), 7, 0])
    np.testing.assert_allclose(variance, [x[..., 0].var(), 1, 1])
    unequal = [x[0], x[1, :2]]
    mean, variance = scaling.moments(unequal, np.array([True, True, True]))
    rows = np.concatenate(unequal)
    np.testing.assert_allclose(mean, rows.mean(axis=0))
    np.testing.assert_allclose(variance, [rows[:, 0].var(), 1, rows[:, 2].var()])


def test_split_takes_of_each_class_its_share() -> None:
    y = np.array([0] * 50 + [1] * 30 + [2] * 20 + [3])
    train, held = split(y, 0.2, True, 1)
    assert sorted([*train, *held]) == list(range(101))
    assert np.bincount(y[held], minlength=4).tolist() == [10, 6, 4, 0]
    assert not np.array_equal(split(y, 0.2, True, 2)[1], held)
    assert np.array_equal(split(y, 0.2, True, 1)[1], held)
    assert len(split(y, 0.5, False, 1)[1]) == 50
    with pytest.raises(ValueError, match="nothing to validate on"):
        split(np.zeros(2), 0.1, False, 1)
