"""Callbacks: objects whose methods fit, evaluate and predict call as they go; names and order are Keras'."""

from tauten.callbacks.backup_and_restore import BackupAndRestore
from tauten.callbacks.callback import Callback, Logs
from tauten.callbacks.callback_list import CallbackList
from tauten.callbacks.csv_logger import CSVLogger
from tauten.callbacks.early_stopping import EarlyStopping
from tauten.callbacks.history import History
from tauten.callbacks.lambda_callback import LambdaCallback
from tauten.callbacks.learning_rate_scheduler import LearningRateScheduler
from tauten.callbacks.model_checkpoint import ModelCheckpoint
from tauten.callbacks.progbar_logger import ProgbarLogger
from tauten.callbacks.reduce_lr_on_plateau import ReduceLROnPlateau
from tauten.callbacks.tensorboard import TensorBoard
from tauten.callbacks.terminate_on_nan import TerminateOnNaN

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "Logs",
    "ModelCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "TensorBoard",
    "TerminateOnNaN",
]
