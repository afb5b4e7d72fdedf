"""Metrics in Python: Keras' protocol in fit and evaluate, and their values beside scikit-learn's."""

import numpy as np
import pytest
from sklearn import metrics as sk

import tauten
from refusals import check
from resumable import Kill
from tauten import callbacks, layers, metrics

RANDOM = np.random.default_rng(0)
X, Y = RANDOM.normal(size=(40, 5)), RANDOM.integers(0, 3, 40)
WEIGHT = RANDOM.uniform(0.2, 2, 40)


def model(chosen=None, weighted=None, loss="sparse_categorical_crossentropy"):
    tauten.utils.set_random_seed(1)
    made = tauten.Sequential(
        [tauten.Input((5,)), layers.Dense(6, activation="tanh"), layers.Dense(3, activation="softmax")]
    )
    made.compile(tauten.optimizers.Adam(0.02), loss, metrics=chosen, weighted_metrics=weighted)
    return made


class Recorder(metrics.Metric):
    """Share of rows that are right; counts what it is called for."""

    def __init__(self, name="recorder"):
        super().__init__(name=name)
        self.right = self.add_variable()
        self.rows = 0
        self.resets = 0

    def update_state(self, y_true, y_pred, sample_weight=None):
        assert sample_weight is None
        y_true = y_true.argmax(-1) if y_true.ndim > 1 else y_true
        self.right.assign_add((y_pred.argmax(-1) == y_true).sum())
        self.rows += len(y_true)

    def result(self):
        return self.right / max(self.rows, 1)

    def reset_state(self):
        self.right.assign(0)
        self.rows = 0
        self.resets += 1


def right(y_true, y_pred):
    y_true = y_true.argmax(-1) if y_true.ndim > 1 else y_true
    return y_pred.argmax(-1) == y_true


def test_objects_and_functions_say_what_the_native_metric_says():
    recorder = Recorder()
    made = model(["accuracy", recorder, right])
    history = made.fit(X, Y, batch_size=16, epochs=3, validation_data=(X[:20], Y[:20]), verbose=0).history
    for prefix in ("", "val_"):
        np.testing.assert_allclose(history[f"{prefix}recorder"], history[f"{prefix}accuracy"], rtol=1e-6)
        np.testing.assert_allclose(history[f"{prefix}right"], history[f"{prefix}accuracy"], rtol=1e-6)
    assert recorder.rows == 20  # the validation's, which came last
    assert recorder.resets >= 6
    assert made.metrics_names == ["loss", "accuracy", "recorder", "right"]
    others = made.evaluate(X, Y, verbose=0)[1:]
    assert others == pytest.approx([others[0]] * 3)
    assert made.train_on_batch(X, Y, return_dict=True)["right"] == pytest.approx(others[0])  # from before the update
    assert made.test_on_batch(X, Y, return_dict=True)["recorder"] == recorder.result()


def test_an_evaluation_within_an_epoch_leaves_its_means_alone():
    class Evaluates(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.evaluate(X[:8], Y[:8], verbose=0)

    histories = [
        model([right, Recorder()]).fit(X, Y, batch_size=16, verbose=0, callbacks=more).history
        for more in ([], [Evaluates()])
    ]
    assert histories[0] == histories[1]


def test_weighted_metrics_have_the_weights_and_metrics_have_not():
    made = model(["accuracy", right], ["accuracy", right, metrics.SparseCategoricalCrossentropy("entropy")])
    assert made.metrics_names == ["loss", "accuracy", "right", "accuracy_1", "right_1", "entropy"]
    p = made.predict(X)
    found = made.evaluate(X, Y, sample_weight=WEIGHT, batch_size=7, verbose=0, return_dict=True)
    hits = p.argmax(-1) == Y
    assert found["right"] == pytest.approx(hits.mean()) == found["accuracy"]
    assert found["right_1"] == pytest.approx(np.average(hits, weights=WEIGHT), rel=1e-6) == found["accuracy_1"]
    assert found["entropy"] == pytest.approx(np.average(-np.log(p[np.arange(40), Y]), weights=WEIGHT), rel=1e-5)
    weighed = made.train_on_batch(X, Y, class_weight={0: 3.0}, return_dict=True)["right_1"]
    assert weighed == pytest.approx(np.average(hits, weights=np.where(Y == 0, 3.0, 1.0)), rel=1e-6)
    twin = model(["accuracy"], ["accuracy"])
    twin.compile(**made.get_compile_config() | {"metrics": [], "weighted_metrics": ["acc"]})
    assert twin.metrics_names == ["loss", "acc"]


def test_sequences_are_seen_step_by_step():
    seen = []

    def share(y, p):
        seen.append((y, p))
        return (y > 0) == (p > 0)

    tauten.utils.set_random_seed(1)
    made = tauten.Sequential([tauten.Input((None, 5)), layers.LSTM(4, return_sequences=True), layers.Dense(1)])
    made.compile("sgd", "mse", metrics=[share], weighted_metrics=["mae"])
    x = [RANDOM.normal(size=(n, 5)) for n in (3, 1, 4)]
    y = [RANDOM.normal(size=(n, 1)) for n in (3, 1, 4)]
    found = made.evaluate(x, y, sample_weight=[1.0, 2.0, 3.0], verbose=0, return_dict=True)
    flat, p = np.concatenate(y), np.concatenate(made.predict(x))
    assert np.array_equal(seen[0][0], flat)
    np.testing.assert_allclose(seen[0][1], p, rtol=1e-6)
    weights = np.repeat([1.0, 2.0, 3.0], (3, 1, 4))
    assert found["mae"] == pytest.approx(np.average(np.abs(flat - p)[:, 0], weights=weights), rel=1e-5)


def test_a_fit_that_was_interrupted_goes_on_with_the_same_numbers(tmp_path):
    def fit(*more):
        chosen = [Recorder(), right, metrics.AUC(20)]
        made = model(chosen, loss=one_hot_loss)
        return made.fit(X, np.eye(3)[Y], batch_size=8, epochs=2, verbose=0, callbacks=more).history

    whole = fit()
    with pytest.raises(KeyboardInterrupt):
        fit(Kill(8), _backup(tmp_path))  # in the middle of the second epoch
    assert fit(_backup(tmp_path)) == whole


def one_hot_loss(y, p):
    return -np.log((y * p).sum(-1)), -y / p


def _backup(path):
    return callbacks.BackupAndRestore(path / "backup", save_freq=2)


def test_a_state_that_cannot_be_kept_is_refused(tmp_path):
    class Keeps(Recorder):
        def __init__(self):
            super().__init__("keeps")
            self.file = {1, 2}

    fit = model([Keeps()]).fit
    check(lambda: fit(X, Y, verbose=0, callbacks=[_backup(tmp_path)]), TypeError, ["'keeps'", "attribute file", "set"])


def test_results_that_are_no_number_are_refused():
    made = model([metrics.F1Score()], loss="categorical_crossentropy")
    check(lambda: made.evaluate(X, np.eye(3)[Y], verbose=0), ValueError, ["'f1_score'", "number", "(3,)"])


def test_saved_with_the_model(tmp_path):
    made = model([metrics.BinaryAccuracy("at", threshold=0.3), right], [metrics.CosineSimilarity()], "mse")
    targets = np.eye(3)[Y]
    made.compile("sgd", "mse", metrics=[metrics.BinaryAccuracy("at", threshold=0.3)], weighted_metrics=[metrics.AUC()])
    expected = made.evaluate(X, targets, sample_weight=WEIGHT, verbose=0)
    made.save(tmp_path / "model.safetensors")
    assert tauten.models.load_model(tmp_path / "model.safetensors").evaluate(
        X, targets, sample_weight=WEIGHT, verbose=0
    ) == pytest.approx(expected)


P = RANDOM.uniform(0.01, 0.99, (40, 3))
TRUTH = (RANDOM.uniform(size=(40, 3)) < P).astype(float)
LABELS = P.argmax(-1) * (RANDOM.uniform(size=40) < 0.6).astype(int)


def of(metric, y, p, weight=None):
    """The metric's value, seen in three parts."""
    for rows in (slice(0, 7), slice(7, 30), slice(30, 40)):
        metric.update_state(y[rows], p[rows], sample_weight=None if weight is None else weight[rows])
    found = metric.result()
    metric.reset_state()
    assert not np.any(metric.result())
    return found


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["alike", "weighted"])
def test_values_are_scikit_learns(weight):
    y, p, each = TRUTH[:, 0], P[:, 0], weight
    above = p > 0.5
    expected = {
        metrics.Precision(): sk.precision_score(y, above, sample_weight=each),
        metrics.Recall(thresholds=0.5): sk.recall_score(y, above, sample_weight=each),
        metrics.MeanAbsoluteError(): sk.mean_absolute_error(y, p, sample_weight=each),
        metrics.RootMeanSquaredError(): sk.root_mean_squared_error(y, p, sample_weight=each),
        metrics.R2Score(): sk.r2_score(y, p, sample_weight=each),
        metrics.BinaryCrossentropy(): sk.log_loss(y, p, sample_weight=each),
        metrics.BinaryAccuracy(): sk.accuracy_score(y, above, sample_weight=each),
    }
    for metric, value in expected.items():
        assert of(metric, y[:, None], p[:, None], weight) == pytest.approx(value, rel=1e-6), metric.name
    exact = np.sort(np.unique(p))
    area = metrics.AUC(thresholds=((exact[1:] + exact[:-1]) / 2).tolist())
    assert of(area, y, p, weight) == pytest.approx(sk.roc_auc_score(y, p, sample_weight=each))
    chosen = np.eye(3)[P.argmax(-1)]
    for average in ("macro", "micro", "weighted"):
        value = sk.fbeta_score(TRUTH, chosen, beta=2.0, average=average, sample_weight=each)
        assert of(metrics.FBetaScore(average, 2.0), TRUTH, P, weight) == pytest.approx(value)
    per_class = sk.f1_score(TRUTH, P > 0.4, average=None, sample_weight=each)
    np.testing.assert_allclose(of(metrics.F1Score(threshold=0.4), TRUTH, P, weight), per_class)
    for k in (1, 2):
        value = sk.top_k_accuracy_score(LABELS, P, k=k, labels=[0, 1, 2], sample_weight=each)
        assert of(metrics.SparseTopKCategoricalAccuracy(k), LABELS, P, weight) == pytest.approx(value)
        assert of(metrics.TopKCategoricalAccuracy(k), np.eye(3)[LABELS], P, weight) == pytest.approx(value)
    entropy = sk.log_loss(LABELS, P / P.sum(-1, keepdims=True), labels=[0, 1, 2], sample_weight=each)
    assert of(metrics.SparseCategoricalCrossentropy(), LABELS, P, weight) == pytest.approx(entropy)


@pytest.mark.parametrize("curve", ["ROC", "PR"])
def test_areas_of_different_sums(curve):
    y, p = TRUTH[:, 0], P[:, 0]
    low, middle, high = (
        of(metrics.AUC(50, curve, method), y, p) for method in ("minoring", "interpolation", "majoring")
    )
    assert low < middle < high


def test_an_object_in_several_places_adds_up_each_on_its_own():
    def scores(*auc):
        made = model([auc[0]], [auc[1]], "categorical_crossentropy")
        return made.test_on_batch(X, np.eye(3)[Y], sample_weight=np.linspace(0, 1, len(X)))[1:]

    one = metrics.AUC()
    found = scores(one, one)
    assert found == scores(metrics.AUC(), metrics.AUC())
    assert found[0] != found[1]
    assert one.result() == found[0]


def test_an_object_of_two_models_that_run_at_once():
    class Nested(metrics.AUC):
        """Evaluates another model with the same object in between."""

        def update_state(self, y_true, y_pred, sample_weight=None):
            super().update_state(y_true, y_pred, sample_weight)
            if y_true.shape[-1] == 3 and len(y_true) > 2:
                assert np.isfinite(other.test_on_batch(X[:2], np.eye(3)[Y[:2]])[1])

    shared = Nested(name="auc")
    first, other = (model([shared], loss="categorical_crossentropy") for _ in range(2))
    plain = model([metrics.AUC()], loss="categorical_crossentropy")
    plain.set_weights(first.get_weights())
    assert first.test_on_batch(X, np.eye(3)[Y]) == plain.test_on_batch(X, np.eye(3)[Y])


@pytest.mark.parametrize("values", [["a", "b"], np.ones(2) * 1j, [None, None]])
def test_values_that_are_no_numbers(values):
    check(lambda: metrics.Mean().update_state(values), TypeError, ["'mean'", "numbers"])


def test_what_metrics_refuse():
    check(lambda: metrics.AUC(curve="DET"), ValueError, ["curve", "DET"])
    check(lambda: metrics.AUC(multi_label=True), ValueError, ["multi_label"])
    check(lambda: metrics.AUC().update_state([0, 1], [0.5, 1.5]), ValueError, ["[0, 1]", "1.5"])
    check(lambda: metrics.Precision(class_id=3).update_state(TRUTH, P), ValueError, ["class_id", "3 classes"])
    check(lambda: metrics.MeanSquaredError().update_state(TRUTH, P, WEIGHT[:3]), ValueError, ["sample_weight", "(3,)"])
    check(lambda: metrics.Metric(name="own").result(), NotImplementedError, ["'own'", "result()"])


@pytest.mark.parametrize(
    ("metric", "name", "up"), [(metrics.AUC(), "auc", True), ("msle", "msle", False), (right, "right", None)]
)
def test_callbacks_know_which_direction_is_good(metric, name, up):
    made = model([metric], loss="mse")
    stop = callbacks.EarlyStopping(f"val_{name}", patience=9)
    if up is None:
        check(
            lambda: made.fit(X, np.eye(3)[Y], epochs=2, validation_split=0.2, verbose=0, callbacks=[stop]),
            ValueError,
            ["right"],
        )
        return
    made.fit(X, np.eye(3)[Y], epochs=3, validation_split=0.2, verbose=0, callbacks=[stop])
    values = made.history.history[f"val_{name}"]
    assert stop.best == (max(values) if up else min(values))
