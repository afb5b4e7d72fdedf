"""scikit-learn's own checks of estimators."""

from __future__ import annotations

from functools import partial

import pytest

pytest.importorskip("sklearn", "1.6", reason="these checks are those of scikit-learn 1.6 and later")
from sklearn.utils.estimator_checks import parametrize_with_checks

from tauten.sklearn import MLPClassifier, MLPRegressor, RNNClassifier

FAST = partial(dict, max_iter=15, learning_rate_init=0.05, batch_size=32, random_state=0)
EXPECTED = {
    "check_sample_weight_equivalence_on_dense_data": "repeated samples make other minibatches than weights do; of one "
    "batch it is tested in test_weights_are_repetitions"
}


@pytest.mark.usefixtures("one_thread")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks(
    [
        MLPClassifier((16,), **FAST()),
        MLPRegressor((16,), **FAST()),
        RNNClassifier(8, "gru", **FAST()),
    ],
    expected_failed_checks=lambda estimator: EXPECTED,
)
def test_checks(estimator, check) -> None:
    check(estimator)
