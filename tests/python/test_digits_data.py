"""The digits in the package are scikit-learn's, value for value, and their licence lies beside them."""

from importlib.resources import files

import numpy as np
import pytest

DATA = files("tauten") / "data"


def test_digits_equal_sklearn() -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    expected = datasets.load_digits()
    with (DATA / "digits.npz").open("rb") as file, np.load(file) as archive:
        images, labels = archive["images"], archive["labels"]
    assert images.dtype == labels.dtype == np.uint8
    assert images.shape == (1797, 8, 8)
    np.testing.assert_array_equal(images, expected.images)
    np.testing.assert_array_equal(labels, expected.target)


def test_digits_licence_is_installed() -> None:
    text = (DATA / "LICENSE-digits.txt").read_text(encoding="utf-8")
    assert "CC BY 4.0" in text
    assert "E. Alpaydin, C. Kaynak" in text
