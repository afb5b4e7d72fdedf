"""Estimators for scikit-learn: networks behind fit, predict and score, in its pipelines and searches.

Example::

    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from tauten.sklearn import MLPClassifier

    model = make_pipeline(StandardScaler(), MLPClassifier((64,), random_state=0)).fit(x, y)

Needs the extra `pip install 'tauten[sklearn]'`; `import tauten` alone never loads scikit-learn.
"""

try:
    import sklearn as _sklearn  # noqa: F401
except ImportError as error:
    raise ImportError("tauten.sklearn needs scikit-learn: pip install 'tauten[sklearn]'") from error

from tauten.sklearn._cnn import CNNClassifier, CNNRegressor
from tauten.sklearn._mlp import MLPClassifier, MLPRegressor
from tauten.sklearn._rnn import RNNClassifier, RNNRegressor
from tauten.sklearn._tagger import SequenceTagger

__all__ = [
    "CNNClassifier",
    "CNNRegressor",
    "MLPClassifier",
    "MLPRegressor",
    "RNNClassifier",
    "RNNRegressor",
    "SequenceTagger",
]
