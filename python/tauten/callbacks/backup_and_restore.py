"""Going on after an interruption."""

from __future__ import annotations

import os
from warnings import warn

from tauten import _backup
from tauten._checks import flag
from tauten.callbacks.callback import Callback, Logs
from tauten.callbacks.monitor import save_frequency


class BackupAndRestore(Callback):
    """Keeps a backup of all that fit needs to go on, and goes on from it if one is there when fit begins.

    The same script, started again after it was killed, ends with the same bits as if it had run through: weights,
    optimizer, dropout's masks, order of the samples, running means, History, the state of stateful layers and of the
    other callbacks, the global random generator of tauten.utils.set_random_seed() are what they were. This needs data
    that can be walked through again: arrays, an object of tauten.utils.PyDataset, an iterable. A generator stands where
    its owner has put it; nothing is drawn from it to catch up.

    It is called behind all other callbacks. The backup is one file that is replaced at once, so that a whole one is
    there at any moment. When fit ends, by stop_training too, it is removed; when it is interrupted, it stays.

    Args:
        backup_dir: a folder, made if it is not there, for this fit alone.
        save_freq: "epoch", or a number of batches, counted over epochs; default "epoch".
        double_checkpoint: keep the backup before the last, too, and take it if the last cannot be read; default False.
        delete_checkpoint: remove the backup when fit ends; default True.

    Raises:
        TypeError, ValueError: for arguments out of range; in fit, for a backup of another model, or of other data.
            The model is then as it was.
        OSError: in fit, if the file cannot be read or written.
    """

    _place = 2  # behind History, so that nothing of an epoch or batch is left to do

    def __init__(
        self,
        backup_dir: str | bytes | os.PathLike[str],
        save_freq: str | int = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        super().__init__()
        self.backup_dir = os.fsdecode(backup_dir)
        if not self.backup_dir:
            raise ValueError("BackupAndRestore: backup_dir: expected a folder, got an empty name")
        self.save_freq = save_freq
        self.double_checkpoint = flag(double_checkpoint, "BackupAndRestore: double_checkpoint")
        self.delete_checkpoint = flag(delete_checkpoint, "BackupAndRestore: delete_checkpoint")
        self._every = save_frequency(save_freq, "BackupAndRestore")
        self._batches = 0
        self._path = os.path.join(self.backup_dir, "latest.safetensors")
        self._previous = os.path.join(self.backup_dir, "previous.safetensors")

    def on_train_begin(self, logs: Logs | None = None) -> None:
        assert self.model is not None
        self._batches = 0
        if not os.path.exists(self._path):
            return
        try:
            _backup.restore(self.model, self._path)
        except (OSError, ValueError) as error:
            if not (self.double_checkpoint and os.path.exists(self._previous)):
                raise
            warn(f"BackupAndRestore: {error}; the backup before it is taken", UserWarning, stacklevel=2)
            _backup.restore(self.model, self._previous)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if self._every is None:
            return
        self._batches += 1
        if self._batches >= self._every:
            self._batches = 0
            self._save()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self._every is None:
            self._save()

    def _save(self) -> None:
        assert self.model is not None
        os.makedirs(self.backup_dir, exist_ok=True)
        if self.double_checkpoint and os.path.exists(self._path):
            _backup.copy(self._path, self._previous)
        _backup.save(self.model, self._path)

    def on_train_end(self, logs: Logs | None = None) -> None:
        if not self.delete_checkpoint:
            return
        for path in (self._path, self._previous):
            if os.path.exists(path):
                os.unlink(path)
        if os.path.isdir(self.backup_dir) and not os.listdir(self.backup_dir):
            os.rmdir(self.backup_dir)
