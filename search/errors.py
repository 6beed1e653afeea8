"""Every error that Likewise raises on purpose.

    LikewiseError
    ├── UsageError                 the caller asked for something that cannot be
    │   ├── SettingsError          a setting has a value it may not have
    │   ├── NotAllowedError        a place that this caller may not have read or written
    │   ├── NotFoundError          no such id, path, job, collection or photographer
    │   ├── ConfirmationRequired   going on would hide or delete much; say so explicitly
    │   ├── KeyReusedError         an idempotency key that came with another request before
    │   └── KeyInUseError          the first request with this idempotency key is still in work (retryable)
    ├── MediaError                 one file could not be used (never ends a job)
    │   ├── EmptyFileError         it has no bytes
    │   ├── UnreadableFileError    the operating system would not give its bytes
    │   ├── UnsupportedMediaError  not a picture, video or sound we can decode
    │   ├── CorruptMediaError      right format, broken content
    │   ├── MediaTooLargeError     beyond the cap on bytes, pixels or seconds
    │   ├── DecodeTimeoutError     the decoder ran past its time limit
    │   ├── DecoderCrashError      the decoder process died
    │   └── DecoderMemoryError     the decoder ran into its memory limit
    ├── DecoderStartError          no decoder process can be started just now (retryable)
    ├── DecoderSandboxError        a decoder would keep powers that the settings do not allow it
    ├── ModelError                 a model could not be loaded or run
    ├── TrainingError              a training ended without a model: out of memory, out of time, or killed
    ├── StoreError                 the vector store said no
    │   ├── StoreUnavailableError  it cannot be reached just now (retryable)
    │   ├── StoreLockedError       another process has the data directory open
    │   ├── StoreDamagedError      files of a collection are damaged or have gone
    │   ├── SpaceMismatchError     a collection was made with another model or preprocessing
    │   └── DiskFullError          nothing more can be written
    ├── BackupError                a backup is damaged, unfinished, or of a newer version
    ├── LedgerError                the ledger database said no
    │   ├── LedgerUnavailableError it cannot be reached just now (retryable)
    │   ├── LedgerDamagedError     its file is damaged, or no ledger of Likewise
    │   └── LeaseLostError         another process runs this job now
    ├── BrokerUnavailableError     Redis, which carries tasks to workers, cannot be reached just now (retryable)
    ├── MessageRefusedError        what came through Redis is not signed as it has to be, or not what it has to be
    └── WorkerUnavailableError     no worker takes the task just now (retryable)
        └── WorkersBusyError       those there are have not come to it in time

``code`` is stable: it is what the ledger stores, the API answers and scripts compare. ``retryable`` says whether the
same call may succeed later without anyone changing anything. Arguments are positional strings, so that an error
survives pickling on its way through a queue.
"""

from __future__ import annotations

from typing import ClassVar


class LikewiseError(Exception):
    """Root of the tree.

    Args:
        message: what happened and to what, in one sentence.
        hint: what the reader can do about it; empty when there is nothing to do.
    """

    code: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False
    exit_status: ClassVar[int] = 3
    """Exit status of the command line when this error ends a command."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


class UsageError(LikewiseError):
    code = "usage"
    exit_status = 2


class SettingsError(UsageError):
    code = "settings"


class NotAllowedError(UsageError):
    """The place is one that this caller may not have read or written."""

    code = "not_allowed"


class NotFoundError(UsageError):
    code = "not_found"


class ConfirmationRequired(UsageError):
    code = "confirmation_required"
    exit_status = 3


class KeyReusedError(UsageError):
    code = "key_reused"


class KeyInUseError(UsageError):
    code = "key_in_use"
    retryable = True


class MediaError(LikewiseError):
    code = "corrupt"


class EmptyFileError(MediaError):
    code = "empty"


class UnreadableFileError(MediaError):
    code = "unreadable"


class UnsupportedMediaError(MediaError):
    code = "unsupported"


class CorruptMediaError(MediaError):
    code = "corrupt"


class MediaTooLargeError(MediaError):
    code = "too_large"


class DecodeTimeoutError(MediaError):
    code = "timeout"


class DecoderCrashError(MediaError):
    code = "decoder_crash"


class DecoderMemoryError(MediaError):
    code = "out_of_memory"


class DecoderStartError(LikewiseError):
    code = "decoder_start"
    retryable = True


class DecoderSandboxError(LikewiseError):
    code = "decoder_sandbox"


class ModelError(LikewiseError):
    code = "model"


class TrainingError(LikewiseError):
    code = "training"


class StoreError(LikewiseError):
    code = "store"


class StoreUnavailableError(StoreError):
    code = "store_unavailable"
    retryable = True


class StoreLockedError(StoreError):
    code = "store_locked"


class StoreDamagedError(StoreError):
    code = "store_damaged"


class SpaceMismatchError(StoreError):
    code = "space_mismatch"


class DiskFullError(StoreError):
    code = "disk_full"


class BackupError(LikewiseError):
    code = "backup"


class LedgerError(LikewiseError):
    code = "ledger"


class LedgerUnavailableError(LedgerError):
    code = "ledger_unavailable"
    retryable = True


class LedgerDamagedError(LedgerError):
    code = "ledger_damaged"


class LeaseLostError(LedgerError):
    code = "lease_lost"


class BrokerUnavailableError(LikewiseError):
    code = "broker_unavailable"
    retryable = True


class MessageRefusedError(LikewiseError):
    code = "message_refused"


class WorkerUnavailableError(LikewiseError):
    code = "no_worker"
    retryable = True


class WorkersBusyError(WorkerUnavailableError):
    code = "workers_busy"


MEDIA_ERRORS: dict[str, type[MediaError]] = {
    cls.code: cls
    for cls in (
        EmptyFileError,
        UnreadableFileError,
        UnsupportedMediaError,
        CorruptMediaError,
        MediaTooLargeError,
        DecodeTimeoutError,
        DecoderCrashError,
        DecoderMemoryError,
    )
}
"""Stable failure code of a file to the class that carries it."""


def error_of(code: str, message: str, hint: str = "") -> LikewiseError:
    """An error that came as data, of the class that carries ``code``; the most general one, if there are several."""
    if code in MEDIA_ERRORS:
        return MEDIA_ERRORS[code](message, hint)
    waiting: list[type[LikewiseError]] = [LikewiseError]
    for kind in waiting:
        if kind.code == code:
            return kind(message, hint)
        waiting.extend(kind.__subclasses__())
    return LikewiseError(message, hint)
