"""Losses and metrics beside Keras': values of Keras 3.15.1 on its NumPy backend in float64, written down once."""

import numpy as np
import pytest

from tauten import losses, metrics

Y = np.array([[0.0, 1, 0], [1, 0, 0], [0, 0, 1], [0, 1, 0]])
P = np.array([[0.2, 0.5, 0.3], [0.6, 0.3, 0.1], [0.4, 0.35, 0.25], [0.1, 0.15, 0.75]])
W = np.array([1.0, 2.0, 0.5, 1.5])
LABELS = np.array([1, 0, 2, 1])

# of (Y, P, W); of sparse ones (LABELS, P)
LOSSES = [
    ("MeanSquaredError", {}, 0.2720833),
    ("MeanAbsoluteError", {}, 0.4916667),
    ("MeanAbsolutePercentageError", {}, 245833400.0),
    ("MeanSquaredLogarithmicError", {}, 0.1329237),
    ("Huber", {}, 0.1360417),
    ("LogCosh", {}, 0.1265724),
    ("CosineSimilarity", {}, -0.7712291),
    ("KLDivergence", {}, 1.313403),
    ("Poisson", {}, 0.8544686),
    ("Hinge", {}, 1.325),
    ("SquaredHinge", {}, 1.597083),
    ("CategoricalHinge", {}, 1.29375),
    ("CategoricalCrossentropy", {}, 1.313406),
    ("BinaryCrossentropy", {}, 0.7888168),
    ("CategoricalFocalCrossentropy", {}, 0.1739156),
    ("BinaryFocalCrossentropy", {}, 0.3440419),
    ("CategoricalCrossentropy", {"label_smoothing": 0.1}, 1.348304),
    ("BinaryCrossentropy", {"label_smoothing": 0.1}, 0.822744),
    ("BinaryFocalCrossentropy", {"apply_class_balancing": True, "from_logits": True, "gamma": 1.5}, 0.2512771),
    ("CategoricalFocalCrossentropy", {"alpha": [0.1, 0.2, 0.3], "from_logits": True, "label_smoothing": 0.1}, 0.109199),
    ("Huber", {"delta": 0.2}, 0.07479167),
    ("SparseCategoricalCrossentropy", {"from_logits": False, "ignore_class": 2}, 1.033698),
    ("SparseCategoricalCrossentropy", {"from_logits": True, "ignore_class": 2}, 1.04036),
]
# of the first two rows without, of the others with weights
METRICS = [
    ("Accuracy", {}, 0.0),
    ("BinaryAccuracy", {"threshold": 0.3}, 0.625),
    ("CategoricalAccuracy", {}, 0.5),
    ("TopKCategoricalAccuracy", {"k": 2}, 0.875),
    ("Precision", {}, 0.4),
    ("Precision", {"thresholds": [0.2, 0.55]}, [0.3571429, 0.4]),
    ("Precision", {"top_k": 2}, 0.4375),
    ("Precision", {"class_id": 1, "thresholds": 0.3}, 0.6666667),
    ("Recall", {}, 0.25),
    ("Recall", {"top_k": 1}, 0.5),
    ("AUC", {}, 0.578125),
    ("AUC", {"curve": "PR"}, 0.3625976),
    ("AUC", {"summation_method": "minoring", "num_thresholds": 20}, 0.578125),
    ("AUC", {"curve": "PR", "summation_method": "majoring", "thresholds": [0.2, 0.4, 0.7]}, 0.4910714),
    ("AUC", {"from_logits": True}, 0.578125),
    ("F1Score", {}, [0.7999999, 0.5714285, 0.0]),
    ("F1Score", {"average": "macro", "threshold": 0.3}, 0.4333333),
    ("FBetaScore", {"average": "weighted", "beta": 2.0}, 0.5113636),
    ("FBetaScore", {"average": "micro", "beta": 0.5}, 0.4999999),
    ("R2Score", {}, -0.5924444),
    ("R2Score", {"class_aggregation": None}, [0.6066667, -0.584, -1.8]),
    ("R2Score", {"class_aggregation": "variance_weighted_average", "num_regressors": 2}, -0.7283659),
    ("MeanSquaredError", {}, 0.2504167),
    ("RootMeanSquaredError", {}, 0.5004165),
    ("MeanAbsoluteError", {}, 0.425),
    ("MeanAbsolutePercentageError", {}, 212500000.0),
    ("MeanSquaredLogarithmicError", {}, 0.122281),
    ("CosineSimilarity", {}, 0.5500662),
    ("KLDivergence", {}, 1.185697),
    ("Poisson", {}, 0.7285665),
    ("LogCoshError", {}, 0.1159653),
    ("Hinge", {}, 1.091667),
    ("SquaredHinge", {}, 1.342083),
    ("CategoricalHinge", {}, 1.11875),
    ("BinaryCrossentropy", {"label_smoothing": 0.1}, 0.7272973),
    ("CategoricalCrossentropy", {}, 1.1857),
    ("SparseCategoricalAccuracy", {}, 0.5),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, 0.875),
    ("SparseCategoricalCrossentropy", {}, 1.1857),
]


@pytest.mark.parametrize(("name", "arguments", "value"), LOSSES, ids=str)
def test_losses(name, arguments, value):
    loss = getattr(losses, name)(**arguments)
    found = loss(LABELS, P) if name.startswith("Sparse") else loss(Y, P, W)
    assert found == pytest.approx(value, rel=2e-6)


@pytest.mark.parametrize(("name", "arguments", "value"), METRICS, ids=str)
def test_metrics(name, arguments, value):
    metric = getattr(metrics, name)(**arguments)
    truth = LABELS if name.startswith("Sparse") else Y
    metric.update_state(truth[:2], P[:2])
    metric.update_state(truth[2:], P[2:], sample_weight=W[2:])
    np.testing.assert_allclose(metric.result(), value, rtol=2e-6)
    again = type(metric).from_config(metric.get_config())
    assert again.get_config() == metric.get_config()
    assert metrics.get({"class_name": name, "config": metric.get_config()}).name == metric.name
