"""What X may be: tables, series, images and volumes by layout, lists of unequal length; labels for every step."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn")
from sklearn.model_selection import cross_val_score

from data import digits
from tauten.sklearn import CNNClassifier, CNNRegressor, MLPClassifier, RNNClassifier, RNNRegressor, SequenceTagger

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]
ONE = {"max_iter": 1, "random_state": 0}


def images(samples: int = 60):
    x, y = digits()
    return x[:samples], y[:samples]


def assert_same(a, b) -> None:
    for one, other in zip(a.model_.get_weights(), b.model_.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def random(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape)


LAYOUTS = {  # layout -> shape of X, and its axes in the order in which the network has them
    "samples, steps": ((20, 6), None),
    "samples, steps, features": ((20, 6, 3), (0, 1, 2)),
    "samples, features, steps": ((20, 6, 3), (0, 2, 1)),
    "samples, rows, columns": ((20, 6, 4), None),
    "samples, rows, columns, channels": ((20, 6, 4, 3), (0, 1, 2, 3)),
    "samples, channels, rows, columns": ((20, 3, 6, 4), (0, 2, 3, 1)),
    "samples, depth, rows, columns": ((20, 4, 6, 3), None),
    "samples, depth, rows, columns, channels": ((20, 4, 6, 3, 2), (0, 1, 2, 3, 4)),
    "samples, channels, depth, rows, columns": ((20, 2, 4, 6, 3), (0, 2, 3, 4, 1)),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(layout) -> None:
    shape, order = LAYOUTS[layout]
    x, y = random(*shape), np.arange(20) % 2
    inside = x[..., None] if order is None else x.transpose(order)
    model = CNNClassifier(3, layout=layout, **ONE).fit(x, y)
    assert model.model_.input_shape == (None, *inside.shape[1:])
    probability = model.predict_proba(x)
    np.testing.assert_allclose(probability, model.model_.predict(inside, verbose=0), rtol=1e-6)
    rank = inside.ndim - 2
    last = CNNClassifier(3, layout="channels_last", **ONE).fit(inside, y)
    assert type(last.model_.layers[0]).__name__ == f"Conv{rank}D"
    assert_same(model, last)
    first = CNNClassifier(3, layout="Channels_First", **ONE).fit(np.moveaxis(inside, -1, 1), y)
    assert_same(model, first)
    flat = CNNClassifier(3, layout=layout, input_shape=shape[1:], **ONE).fit(x.reshape(20, -1), y)
    assert_same(model, flat)
    assert flat.n_features_in_ == x[0].size
    if len(shape) > 2:
        assert model.n_features_in_ == inside.shape[-1]
        if order is not None and rank > 0:
            listed = CNNClassifier(3, layout=layout, **ONE).fit(list(x), y)
            assert_same(model, listed)
    regressor = CNNRegressor(3, layout=layout, **ONE).fit(x, random(20))
    assert regressor.predict(x).shape == (20,)


def test_what_is_ambiguous_is_refused() -> None:
    x, y = images()
    with pytest.raises(ValueError) as caught:
        CNNClassifier(**ONE).fit(x, y)
    assert str(caught.value) == (
        "CNNClassifier: X of shape (60, 8, 8) can be read in several ways: pass layout='samples, steps, features' or "
        "'samples, features, steps' or 'samples, rows, columns'"
    )
    with pytest.raises(ValueError, match=r"pass layout='samples, steps, features' or 'samples, features, steps'$"):
        RNNClassifier(**ONE).fit(x, y)
    with pytest.raises(ValueError, match=r"layout='channels' does not name the axes of X of shape \(60, 8, 8\)"):
        CNNClassifier(layout="channels", **ONE).fit(x, y)
    with pytest.raises(ValueError, match=r"does not name the axes of X of shape \(60, 64\): pass 'samples, steps'$"):
        CNNClassifier(layout="samples, rows, columns", **ONE).fit(x.reshape(60, -1), y)
    with pytest.raises(ValueError, match=r"expected 2 to 3 axes, got shape \(60, 8, 8, 1\)"):
        RNNClassifier(layout="samples, steps, features", **ONE).fit(x[..., None], y)
    with pytest.raises(ValueError, match="layout=3 does not name"):
        CNNClassifier(layout=3, **ONE).fit(x, y)
    with pytest.raises(ValueError, match=r"input_shape=\(8, 7\): expected X of two axes"):
        CNNClassifier(input_shape=(8, 7), layout="samples, rows, columns", **ONE).fit(x.reshape(60, -1), y)
    with pytest.raises(ValueError, match="dim 3"):
        MLPClassifier(**ONE).fit(x, y)


def test_series_of_unequal_length() -> None:
    x, y = images()
    cut = [image[: 4 + number % 5] for number, image in enumerate(x)]
    kind = {"units": 8, "max_iter": 3, "random_state": 0}
    model = RNNClassifier(**kind).fit(cut, y)
    assert model.n_features_in_ == 8
    assert model.predict(cut).shape == (60,)
    np.testing.assert_allclose(model.predict_proba(cut[7:8])[0], model.predict_proba(cut)[7], rtol=1e-5)
    turned = RNNClassifier(layout="samples, features, steps", **kind).fit([one.T for one in cut], y)
    assert_same(model, turned)
    boxed = np.empty(60, dtype=object)
    boxed[:] = cut
    assert_same(model, RNNClassifier(**kind).fit(boxed, y))
    # what was learned from lists reads arrays, too, of any number of steps: as the lists, or as layout says
    np.testing.assert_array_equal(model.predict(x[:, :3]), model.predict(list(x[:, :3])))
    assert model.score(x, y) == model.score(list(x), y)
    np.testing.assert_array_equal(turned.predict(x[:, :3].transpose(0, 2, 1)), model.predict(x[:, :3]))

    one = [image[:, 0] for image in cut]
    univariate = RNNClassifier(**kind).fit(one, y)
    assert univariate.model_.input_shape == (None, None, 1)
    np.testing.assert_array_equal(univariate.predict(x[:, :3, 0]), univariate.predict(list(x[:, :3, 0])))
    numbers = RNNRegressor(**kind).fit(cut, x.mean(axis=(1, 2)))
    assert numbers.predict(cut).shape == (60,)

    with pytest.raises(ValueError, match=r"X\[1\]: expected 8 features as X\[0\] has, got shape \(5, 7\)"):
        RNNClassifier().fit([cut[0], cut[1][:, :7]], [0, 1])
    with pytest.raises(ValueError, match=r"X: expected samples of shape \(None, 8\) as in fit .*got \(8, 7\)"):
        model.predict(x[:, :, :7])
    with pytest.raises(ValueError, match=r"RNNClassifier: X of shape \(60, 8, 8\) can be read in several ways"):
        model.fit(x, y)
    with pytest.raises(ValueError, match=r"X\[1\].* contains NaN"):
        RNNClassifier().fit([cut[0], np.full((3, 8), np.nan)], [0, 1])
    with pytest.raises(ValueError, match="input_shape is for X of two axes, got a list of series"):
        RNNClassifier(input_shape=(8, 8)).fit(cut, y)
    with pytest.raises(ValueError, match="recurrent estimators take series of unequal length"):
        CNNClassifier().fit(cut, y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        RNNClassifier().fit(cut, y[:-1])
    with pytest.raises(ValueError, match="expected a series"):
        RNNClassifier().fit([np.zeros((2, 2, 2))] * 2, [0, 1])


def test_data_frames() -> None:
    pandas = pytest.importorskip("pandas")
    x, y = images()
    frame = pandas.DataFrame(x.reshape(60, -1), columns=[f"pixel {i}" for i in range(64)])
    kind = {"layout": "samples, rows, columns", "input_shape": (8, 8), **ONE}
    for model in (MLPClassifier(**ONE), CNNClassifier(4, **kind), RNNClassifier(4, **ONE)):
        model.fit(frame, pandas.Series(y).astype(str))
        assert list(model.feature_names_in_) == list(frame.columns)
        assert model.n_features_in_ == 64
        assert set(model.predict(frame)) <= set("0123456789")
        with pytest.raises(ValueError, match="feature names"):
            model.predict(frame.rename(columns={"pixel 0": "first"}))
    model.fit(list(x), y)
    assert not hasattr(model, "feature_names_in_")


def running_signs(samples: int = 150):
    """Series, and for every step whether their sum so far is below 0, near it or above."""
    rng = np.random.default_rng(0)
    x = [rng.normal(size=(rng.integers(3, 12), 1)) for _ in range(samples)]
    names = np.array(["below", "near", "above"])
    return x, [names[np.digitize(np.cumsum(one), [-1, 1])] for one in x]


def test_tagger() -> None:
    x, y = running_signs()
    model = SequenceTagger(16, "gru", bidirectional=False, max_iter=40, learning_rate_init=0.02, random_state=0)
    assert model.fit(x, y) is model
    assert list(model.classes_) == ["above", "below", "near"]
    assert model.score(x, y) > 0.85
    found, probability = model.predict(x), model.predict_proba(x)
    assert [len(one) for one in found] == [len(one) for one in x]
    np.testing.assert_allclose(probability[3].sum(axis=1), 1.0)
    np.testing.assert_array_equal(found[3], model.classes_[probability[3].argmax(axis=1)])
    np.testing.assert_allclose(model.predict_log_proba(x)[3], np.log(probability[3]))
    right = np.concatenate([a == b for a, b in zip(found, y, strict=True)])
    assert model.score(x, y) == pytest.approx(right.mean())
    first = [np.arange(len(one)) == 0 for one in x]
    assert model.score(x, y, sample_weight=first) == pytest.approx(
        np.mean([a[0] == b[0] for a, b in zip(found, y, strict=True)])
    )
    assert model.model_.layers[0].units == 16
    scores = cross_val_score(model.set_params(max_iter=2), x, y, cv=3)
    assert scores.shape == (3,)
    assert len(set(scores)) > 1


def test_tagger_of_arrays_weights_and_going_on() -> None:
    x = random(40, 7, 2)
    y = (x.sum(axis=2) > 0).astype(int)
    kind = {"units": 6, "max_iter": 2, "random_state": 0, "layout": "samples, steps, features"}
    model = SequenceTagger(**kind).fit(x, y)
    assert model.predict(x).shape == (40, 7)
    assert model.predict_proba(x).shape == (40, 7, 2)
    assert type(model.model_.layers[0]).__name__ == "Bidirectional"
    listed = SequenceTagger(**{**kind, "layout": None}).fit(list(x), list(y))
    np.testing.assert_allclose(model.predict_proba(x), np.stack(listed.predict_proba(list(x))), rtol=1e-5)
    np.testing.assert_array_equal(listed.predict(x), model.predict(x))

    weight = np.linspace(0.1, 2.0, 40)
    samples = SequenceTagger(**kind).fit(x, y, sample_weight=weight)
    steps = SequenceTagger(**kind).fit(x, y, sample_weight=10 * np.repeat(weight[:, None], 7, axis=1))
    for one, other in zip(samples.model_.get_weights(), steps.model_.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    classes = SequenceTagger(class_weight={1: 5.0}, **kind).fit(x, y)
    assert_same(classes, SequenceTagger(**kind).fit(x, y, sample_weight=np.where(y == 1, 5.0, 1.0)))
    both = SequenceTagger(class_weight={1: 5.0}, **kind).fit(x, y, sample_weight=weight)
    product = np.where(y == 1, 5.0, 1.0) * weight[:, None]
    assert_same(both, SequenceTagger(**kind).fit(x, y, sample_weight=product))

    parts = SequenceTagger(shuffle=False, **kind).partial_fit(x, y, classes=[0, 1]).partial_fit(x, y)
    assert_same(parts, SequenceTagger(shuffle=False, **kind).fit(x, y))
    early = SequenceTagger(early_stopping=True, **kind).fit(list(x), list(y), sample_weight=list(product))
    assert len(early.validation_scores_) == 2

    with pytest.raises(ValueError, match=r"y: expected a label a step, shape \(40, 7\), got \(40,\)"):
        SequenceTagger(**kind).fit(x, y[:, 0])
    with pytest.raises(ValueError, match=r"y\[1\]: expected 7 labels, one a step, got \(6,\)"):
        SequenceTagger().fit(list(x), [y[0], y[1, :6], *y[2:]])
    with pytest.raises(ValueError, match=r"expected labels of \[0, 1\], got \[2\] too"):
        parts.partial_fit(x, y + 1)
    with pytest.raises(ValueError, match="at least 2 classes"):
        SequenceTagger(**kind).fit(x, np.zeros((40, 7)))
    with pytest.raises(ValueError, match="negative"):
        SequenceTagger(**kind).fit(x, y, sample_weight=-weight)
    with pytest.raises(ValueError, match="SequenceTagger: sample_weight"):
        SequenceTagger(**kind).fit(x, y, sample_weight=weight[:3])
