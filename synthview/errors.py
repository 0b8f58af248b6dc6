"""Every exception that synthview raises on purpose.

SynthviewError                 something a person can act on; the message says what, where and what to do
├── WrongRequestError          asked wrongly (command line: exit status 2)
│   └── MissingArgumentError   the weights leave something open (HA-GAN's output size): ask the user
├── CheckpointError            a checkpoint file can't be used
│   ├── ManifestFieldError     a field of its manifest is wrong; says which and why
│   ├── UnsafeCheckpointError  only running code from the file could open it; refused
│   │   └── TrustNeededError   it is a program (TorchScript, torch.export): ask the user whether to run it
│   └── UnknownFamilyError     no known architecture has these tensors
├── VolumeError                an image file can't be used
├── TrainingError              a training can't go on
├── TrainingDataError          a training set, or what it is to be built from, can't be used
├── ResponsesError             a table of readers' responses can't be used
├── SaveError                  a file could not be written; what was there before is intact
├── ProvenanceError            a file doesn't say how it was made, or says it wrongly
├── VerificationError          a volume could not be made again as its file says
├── WorkerDiedError            the worker process ended while it had work to do
└── StudyError                 a reader study can't be built, read, recorded or merged
    ├── ProtocolError          a protocol contradicts itself; names file, line and field
    ├── SessionError           the reader can't begin, go on or answer so
    │   └── SessionTakenError  another window is reading as this reader
    ├── StoreError             the study's record can't be opened, read or written
    │   └── StoreOfflineError  its database can't be reached now; trying again later may do
    ├── ChainError             the record was changed after it was written; names the first bad row
    ├── SealError              wrong passphrase, or the sealed key was changed
    ├── BundleError            a reader's bundle or response file is damaged, altered or of another study
    └── DownloadError          scans could not be downloaded; those that came whole are kept
Cancelled                      the work is no longer wanted (not an error)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from synthview.generators.info import OpenArgument


class SynthviewError(Exception):
    """Something a person can act on: the message says what was wrong, where, and what to do."""


class WrongRequestError(SynthviewError):
    """The request itself is wrong: an unknown feature, a latent of another length, a missing option."""


class MissingArgumentError(WrongRequestError):
    """The weights fit a family but leave an argument open; the user has to say it once.

    Attributes:
        argument: what to ask, with its choices.
    """

    def __init__(self, message: str, argument: OpenArgument) -> None:
        super().__init__(message)
        self.argument = argument

    def __reduce__(self) -> tuple[type, tuple[str, OpenArgument]]:
        return type(self), (str(self), self.argument)


class CheckpointError(SynthviewError):
    """A checkpoint file can't be used."""


class ManifestFieldError(CheckpointError):
    """A field of a manifest is wrong.

    Attributes:
        where: the file.
        field: such as "output.spacing" or "features[2].low".
        problem: what is wrong with it and what to do, as the end of "FIELD …".
    """

    def __init__(self, where: str, field: str, problem: str) -> None:
        super().__init__(f"{where}: {field} {problem}")
        self.where, self.field, self.problem = where, field, problem

    def __reduce__(self) -> tuple[type, tuple[str, str, str]]:
        return type(self), (self.where, self.field, self.problem)


class UnsafeCheckpointError(CheckpointError):
    """The file could only be opened by running code from it; nothing was run."""


class TrustNeededError(UnsafeCheckpointError):
    """The file is a program that could do anything; the user has to say that it is to be trusted.

    Attributes:
        path: the file.
        what: what it is, such as "TorchScript archive".
        sha256: of its content; an answer holds for this content alone.
    """

    def __init__(self, message: str, path: str, what: str, sha256: str) -> None:
        super().__init__(message)
        self.path, self.what, self.sha256 = path, what, sha256

    def __reduce__(self) -> tuple[type, tuple[str, str, str, str]]:
        return type(self), (str(self), self.path, self.what, self.sha256)


class IncompleteCheckpointError(CheckpointError):
    """A checkpoint of several files lacks one; the message names it."""


class UnknownFamilyError(CheckpointError):
    """No known architecture has these tensors."""


class VolumeError(SynthviewError):
    """An image file can't be used."""


class TrainingError(SynthviewError):
    """A training can't go on; what it saved so far is intact."""


class TrainingDataError(SynthviewError):
    """A training set, or what it is to be built from, can't be used."""


class ResponsesError(SynthviewError):
    """A table of readers' responses can't be used; the message names the line and the column."""


class SaveError(SynthviewError):
    """A file could not be written; what was there before is intact."""


class ProvenanceError(SynthviewError):
    """A file doesn't say how it was made, or says it wrongly."""


class VerificationError(SynthviewError):
    """A volume could not be made again as its file says."""


class WorkerDiedError(SynthviewError):
    """The worker process ended while it had work to do."""


class StudyError(SynthviewError):
    """A reader study can't be built, read, recorded or merged."""


class ProtocolError(StudyError):
    """A protocol contradicts itself; the message names file, line and field."""


class SessionError(StudyError):
    """The reader can't begin, go on or answer so."""


class SessionTakenError(SessionError):
    """Another window is reading as this reader."""


class StoreError(StudyError):
    """The study's record can't be opened, read or written."""


class StoreOfflineError(StoreError):
    """The study's database can't be reached now; trying again later may do."""


class ChainError(StudyError):
    """The record was changed after it was written; the message names the first bad row."""


class SealError(StudyError):
    """Wrong passphrase, or the sealed key was changed."""


class BundleError(StudyError):
    """A reader's bundle or response file is damaged, altered or of another study."""


class DownloadError(StudyError):
    """Scans could not be downloaded; those that came whole are kept."""


class Cancelled(Exception):  # noqa: N818  (it is not an error)
    """The work is no longer wanted."""
