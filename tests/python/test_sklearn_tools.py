"""The estimators in scikit-learn's tools and between processes."""

from __future__ import annotations

import copy
import inspect
import pickle
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("sklearn")
from joblib import Parallel, delayed
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import tauten
import tauten.sklearn
from data import digits
from tauten.sklearn import CNNClassifier, MLPClassifier, MLPRegressor, RNNClassifier, SequenceTagger

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]
ALL = [getattr(tauten.sklearn, name) for name in tauten.sklearn.__all__]


def table(samples: int = 200):
    images, labels = digits()
    return images.reshape(len(images), -1)[:samples], labels[:samples]


def run(code: str, *arguments: str) -> str:
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_import_is_lazy() -> None:
    assert run("import sys, tauten; print('sklearn' in sys.modules, 'tauten.sklearn' in sys.modules)") == "False False"


def test_without_sklearn() -> None:
    code = "import sys; sys.modules['sklearn'] = None\ntry:\n import tauten.sklearn\nexcept ImportError as e: print(e)"
    assert run(code) == "tauten.sklearn needs scikit-learn: pip install 'tauten[sklearn]'"


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_arguments(kind) -> None:
    """Every argument is described, kept as it came, cloned and shown."""
    parameters = inspect.signature(kind).parameters
    own = kind()
    for name, parameter in parameters.items():
        assert parameter.default is getattr(own, name)
        described = kind.__doc__.split("Args:")[1].split("Attributes:")[0].replace(",", " ").replace(":", " ")
        assert name in described.split(), name
    assert set(own.get_params()) == set(parameters)
    other = clone(kind(max_iter=7, dropout=0.5))
    assert (other.max_iter, other.dropout) == (7, 0.5)
    assert "max_iter=7" in repr(other)
    assert not [name for name in vars(own) if name.endswith("_")]
    table = kind in (MLPClassifier, MLPRegressor)
    assert own.batch_size == ("auto" if table else 32)
    assert is_classifier(own) == kind.__name__.endswith("Classifier")
    assert is_regressor(own) == kind.__name__.endswith("Regressor")


def test_pipeline_and_searches() -> None:
    x, y = table()
    names = np.array([f"digit {label}" for label in y])
    kind = {"input_shape": (8, 8), "layout": "samples, rows, columns", "max_iter": 6, "learning_rate_init": 0.01}
    pipeline = make_pipeline(StandardScaler(), CNNClassifier(8, hidden_layer_sizes=(), random_state=0, **kind))
    search = GridSearchCV(pipeline, {"cnnclassifier__filters": [4, 8], "cnnclassifier__alpha": [0.0, 0.1]}, cv=2)
    search.fit(x, names)
    assert search.best_score_ > 0.7
    assert search.predict(x[:3]).tolist() == names[:3].tolist()
    model = MLPClassifier((16,), max_iter=20, learning_rate_init=0.02, random_state=0)
    alone = cross_val_score(model, x, y, cv=2)
    np.testing.assert_array_equal(cross_val_score(model, x, y, cv=2, n_jobs=2), alone)
    assert alone.min() > 0.7


def learned(model, x):
    return model.predict_proba(x), [w.numpy() for w in model.model_.weights]


def test_pickles_go_to_other_processes() -> None:
    x, y = table()
    model = MLPClassifier((8,), max_iter=2, dropout=0.2, random_state=0).fit(x, y)
    expected = learned(model, x)
    for arrays in Parallel(n_jobs=2, backend="loky")(delayed(learned)(model, x) for _ in range(2)):
        np.testing.assert_array_equal(arrays[0], expected[0])
        for one, other in zip(arrays[1], expected[1], strict=True):
            np.testing.assert_array_equal(one, other)


def plain(state) -> bool:
    """Arrays, numbers, strings and containers of these alone?"""
    if isinstance(state, dict):
        return all(plain(key) and plain(value) for key, value in state.items())
    if isinstance(state, (list, tuple)):
        return all(map(plain, state))
    return state is None or isinstance(state, (bool, int, float, str, np.ndarray, np.generic, np.random.Generator))


@pytest.mark.parametrize(
    "way", [lambda model: pickle.loads(pickle.dumps(model)), copy.deepcopy], ids=["pickle", "copy"]
)
def test_copies_go_on_to_the_bit(way) -> None:
    """A copy predicts the same and trains on in the same way, dropout and an optimizer's memory included."""
    x, y = table(100)
    tauten.utils.set_random_seed(3)
    before = tauten._random.state_of(tauten._random.generator())
    kinds = [
        (MLPClassifier((8,), dropout=0.2, random_state=0), x, y),
        (CNNClassifier(4, layout="channels_last", dropout=0.2, random_state=0), x.reshape(100, 8, 8, 1), y),
        (RNNClassifier(4, bidirectional=True, dropout=0.2, random_state=0), list(x[:, :, None]), y),
        (SequenceTagger(4, solver="sgd", random_state=0), list(x[:, :, None]), list((x > 0.5).astype(int))),
    ]
    for model, data, targets in kinds:
        classes = [0, 1] if isinstance(targets, list) else np.arange(10)
        model.partial_fit(data, targets, classes=classes)
        assert plain(model.__getstate__())
        other = way(model)
        for _ in range(2):
            for one, its in zip(model.model_.get_weights(), other.model_.get_weights(), strict=True):
                np.testing.assert_array_equal(one, its)
            np.testing.assert_array_equal(np.stack(model.predict(data)), np.stack(other.predict(data)))
            assert (model.n_iter_, model.loss_curve_) == (other.n_iter_, other.loss_curve_)
            model.partial_fit(data, targets)
            other.partial_fit(data, targets)
    assert tauten._random.state_of(tauten._random.generator()) == before


def test_the_model_within_is_whole(tmp_path) -> None:
    x, y = table()
    model = MLPClassifier((8,), max_iter=2, random_state=0).fit(x, y)
    model.model_.save(tmp_path / "inside.safetensors")
    loaded = tauten.models.load_model(tmp_path / "inside.safetensors")
    np.testing.assert_allclose(loaded.predict(x, verbose=0), model.predict_proba(x), rtol=1e-6)
    assert [layer.name for layer in loaded.layers] == ["hidden_1", "outputs"]
    assert loaded.name == "mlp_classifier"
