"""Files that TensorBoard shows."""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np

from tauten._checks import flag, integer
from tauten.callbacks.callback import Callback, Logs

_EXTRA = (
    "TensorBoard needs the package of that name: pip install 'tauten[tensorboard]'. To have the logs in a file without "
    "it use tauten.callbacks.CSVLogger"
)


class TensorBoard(Callback):
    """Writes losses, metrics, the learning rate and histograms of the weights for TensorBoard.

    In log_dir/train "epoch_loss", ..., "epoch_learning_rate", and with update_freq "batch_loss", ...; in
    log_dir/validation "epoch_loss", ... and "evaluation_loss_vs_iterations", ...: names, folders and steps are Keras'.

    Args:
        log_dir: the folder; default "logs".
        histogram_freq: histograms of all weights after every so many epochs; default 0, none.
        write_graph: the model's summary as text, in place of Keras' picture; default True.
        write_steps_per_second: batches a second, of epochs and with update_freq of batches; default False.
        update_freq: "epoch", "batch", or a number of batches: how often losses and metrics are written besides every
            epoch; default "epoch".
        write_images, profile_batch, embeddings_freq, embeddings_metadata: Keras', which Tauten does not have: at their
            defaults only.

    Raises:
        ImportError: in fit, if the extra "tensorboard" is not installed.
        TypeError, ValueError: for arguments out of range.
    """

    def __init__(
        self,
        log_dir: str | bytes | os.PathLike[str] = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: str | int = "epoch",
        profile_batch: int = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: None = None,
    ) -> None:
        super().__init__()
        for name, value in (
            ("write_images", write_images),
            ("profile_batch", profile_batch),
            ("embeddings_freq", embeddings_freq),
            ("embeddings_metadata", embeddings_metadata),
        ):
            if value:
                raise ValueError(f"TensorBoard: {name}={value!r} is not supported by Tauten")
        self.log_dir = os.fsdecode(log_dir)
        self.histogram_freq = integer(histogram_freq, "TensorBoard: histogram_freq", 0)
        self.write_graph = flag(write_graph, "TensorBoard: write_graph")
        self.write_steps_per_second = flag(write_steps_per_second, "TensorBoard: write_steps_per_second")
        if isinstance(update_freq, str) and update_freq not in ("epoch", "batch"):
            raise ValueError(f"TensorBoard: update_freq: expected 'epoch', 'batch' or a number, got {update_freq!r}")
        self.update_freq = update_freq
        every = {"epoch": 0, "batch": 1}.get(update_freq) if isinstance(update_freq, str) else None
        self._every = integer(update_freq, "TensorBoard: update_freq") if every is None else every
        self._writers: dict[str, Any] = {}
        self._train_batch = 0
        self._began = self._batch_began = 0.0
        self._iterations = 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        assert self.model is not None
        self._train_batch = 0
        self._writer("train")  # a missing package is noticed before anything is trained
        if self.write_graph:
            lines: list[str] = []
            self.model.summary(print_fn=lines.append)
            summary = _plugin("text").text_pb("model", "\n".join(f"    {line}" for line in lines))
            self._write("train", summary, 0)

    def on_train_end(self, logs: Logs | None = None) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._began = time.perf_counter()
        self._iterations = self._steps()

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        self._batch_began = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._train_batch += 1
        if not self._every or self._train_batch % self._every:
            return
        values = {f"batch_{name}": value for name, value in (logs or {}).items()}
        if self.write_steps_per_second:
            values["batch_steps_per_second"] = 1.0 / max(time.perf_counter() - self._batch_began, 1e-9)
        self._scalars("train", values, self._train_batch)

    def on_test_end(self, logs: Logs | None = None) -> None:
        values = {f"evaluation_{name}_vs_iterations": value for name, value in (logs or {}).items()}
        self._scalars("validation", values, self._steps())

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        assert self.model is not None and self.model.optimizer is not None
        logs = logs or {}
        train = {f"epoch_{name}": value for name, value in logs.items() if not name.startswith("val_")}
        train["epoch_learning_rate"] = float(self.model.optimizer.learning_rate)
        if self.write_steps_per_second:
            seconds = max(time.perf_counter() - self._began, 1e-9)
            train["epoch_steps_per_second"] = (self._steps() - self._iterations) / seconds
        self._scalars("train", train, epoch)
        validation = {f"epoch_{name[4:]}": value for name, value in logs.items() if name.startswith("val_")}
        if validation:
            self._scalars("validation", validation, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            for weight in self.model.weights:
                self._write(
                    "train", _plugin("histogram").histogram_pb(f"{weight.path}/histogram", weight.numpy()), epoch
                )

    def _steps(self) -> int:
        optimizer = None if self.model is None else self.model.optimizer
        return 0 if optimizer is None else optimizer.iterations

    def _scalars(self, folder: str, values: dict[str, Any], step: int) -> None:
        for name, value in values.items():
            self._write(folder, _plugin("scalar").scalar_pb(name, np.float32(value)), step)
        if folder in self._writers:
            self._writers[folder].flush()

    def _write(self, folder: str, summary: Any, step: int) -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        self._writer(folder).add_event(Event(wall_time=time.time(), step=step, summary=summary))

    def _writer(self, folder: str) -> Any:
        if folder not in self._writers:
            try:
                from tensorboard.summary.writer.event_file_writer import EventFileWriter
            except ImportError as error:
                raise ImportError(_EXTRA) from error
            self._writers[folder] = EventFileWriter(os.path.join(self.log_dir, folder))
        return self._writers[folder]


def _plugin(name: str) -> Any:
    """TensorBoard's module that makes such summaries, without TensorFlow."""
    from importlib import import_module

    return import_module(f"tensorboard.plugins.{name}.summary")
