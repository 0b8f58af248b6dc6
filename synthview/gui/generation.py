"""From a checkpoint to volumes on the screen: joins the library, the controls and the worker process.

library: "open this"  ──▶  worker opens it  ──▶  library card, controls, first volume
controls: a request   ──▶  newest wins      ──▶  volume_made
the weights leave something open  ──▶  ask once, open again, the answer is kept
the file is a program             ──▶  ask whether to run it, open again, a yes is kept
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from synthview.errors import Cancelled, MissingArgumentError, TrustNeededError
from synthview.generators.features import completed
from synthview.generators.info import GenerateRequest, GeneratorInfo, Placement, Reconstruction
from synthview.gui.dialogs.open_argument import ask_argument
from synthview.gui.dialogs.open_risky import ask_trust
from synthview.gui.latest import LatestWins
from synthview.gui.panels.generate import GeneratePanel
from synthview.gui.panels.library import LibraryPanel
from synthview.gui.settings import WindowSettings
from synthview.gui.worker import Worker
from synthview.resources import bundled_checkpoints
from synthview.userdata import data_dir, is_trusted, seen_checkpoint
from synthview.volume import Provenance, Volume

_NOT_ARGUMENTS = {"coarse", "like"}  # in a volume's provenance, of the volume and not of the network


@dataclass(frozen=True)
class _Opening:
    """A checkpoint being opened: with what, and what to generate once it is there."""

    path: Path
    arguments: Mapping[str, Any]
    then: GenerateRequest | None = None
    family: str | None = None
    content: Mapping[str, Any] | None = None  # it is being described so


class _Edit(QUndoCommand):
    """One change of the controls."""

    def __init__(self, generation: Generation, old: GenerateRequest, new: GenerateRequest) -> None:
        super().__init__("change of controls")
        self._generation, self._old, self._new = generation, old, new
        self._first = True  # pushing calls redo, but the person has just made the change

    def undo(self) -> None:
        self._generation.apply(self._old)

    def redo(self) -> None:
        if not self._first:
            self._generation.apply(self._new)
        self._first = False


class Generation(QObject):
    """Opens checkpoints and makes volumes.

    Signals:
        volume_made: the volume, the request it answers, and the generator's info.
        failed: a sentence and its details.
        current_changed: the GeneratorInfo in use, or None.
        busy_changed: whether a volume is being made or a checkpoint opened.
        progressed: fraction done (0-1).
        reconstructed: the scan's path and the ``Reconstruction``.
        describe_failed: why a description was not kept, and the description.
    """

    volume_made = Signal(object, object, object)
    failed = Signal(str, str)
    current_changed = Signal(object)
    busy_changed = Signal(bool)
    progressed = Signal(float)
    reconstructed = Signal(object, object)
    describe_failed = Signal(str, object)

    def __init__(
        self, library: LibraryPanel, panel: GeneratePanel, settings: WindowSettings, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.worker = Worker(self)
        self.history = QUndoStack(self)
        self._latest = LatestWins(self.worker, self)
        self._library, self._panel, self._settings = library, panel, settings
        self._opening: dict[int, _Opening] = {}
        self._info: GeneratorInfo | None = None
        self._path: Path | None = None
        self._like: Placement | None = None
        self._arguments: dict[str, Any] = {}
        self._family: str | None = None
        self._device = "auto"
        self._scan: tuple[int, Path] | None = None  # the job and the file being reconstructed
        self._connect()
        library.set_bundled(bundled_checkpoints())
        library.set_recent(settings.recent("checkpoints"))

    def _connect(self) -> None:
        self.worker.ready.connect(self._panel.set_devices)
        self.worker.finished.connect(self._on_opened)
        self.worker.failed.connect(self._on_open_failed)
        self.worker.finished.connect(self._on_reconstructed)
        self.worker.failed.connect(self._on_reconstruct_failed)
        self.worker.progressed.connect(self._on_reconstruct_progress)
        self._latest.finished.connect(self._on_made)
        self._latest.failed.connect(self._on_make_failed)
        self._latest.progressed.connect(self._on_progress)
        self._latest.busy_changed.connect(self._on_busy)
        self._library.open_requested.connect(self.open)
        self._library.forget_requested.connect(self._forget)
        self._panel.generate_requested.connect(self.generate)
        self._panel.preview_requested.connect(self.generate)
        self._panel.cancel_requested.connect(self.cancel)
        self._panel.setting_changed.connect(self._on_setting)
        self._panel.device_changed.connect(self._set_device)
        self._panel.request_changed.connect(lambda old, new: self.history.push(_Edit(self, old, new)))

    @property
    def info(self) -> GeneratorInfo | None:
        """The generator in use; None where none is open."""
        return self._info

    def open(self, path: Path, arguments: Mapping[str, Any] | None = None, then: GenerateRequest | None = None) -> None:
        """Open a checkpoint; when it is there, make a volume (``then``, or the first seed)."""
        self._start_opening(_Opening(Path(path).resolve(), arguments or {}, then), remember=False)

    def generate(self, request: GenerateRequest | None = None) -> None:
        """Make a volume (by default what the controls say); of several asked for, the newest wins."""
        if self._path is not None:
            wanted = replace(request or self._panel.request(), like=self._like)
            steps = self._info is not None and self._info.is_iterative
            self._latest.submit(self._path, wanted, self._device, preempt=steps)

    def apply(self, request: GenerateRequest) -> None:
        """Set the controls and make that volume."""
        self._panel.set_request(request)
        self.generate(request)

    def cancel(self) -> None:
        """Stop making or reconstructing a volume, and opening a checkpoint."""
        self._latest.cancel()
        self._stop_reconstructing()
        for job in list(self._opening):
            self.worker.cancel(job)

    def place_like(self, original: Volume | None) -> None:
        """Give volumes the place of an original from now on, or that which the family gives them; and make one."""
        self._like = None if original is None else Placement.of(original)
        self.generate()

    @property
    def like(self) -> Placement | None:
        """Where volumes are placed; None where the family says it."""
        return self._like

    def describe(self, content: Mapping[str, Any]) -> None:
        """Keep a manifest for the generator in use, and go on with what it says."""
        if self._path is not None:
            then = self._panel.request()
            self._opening[self.worker.describe(self._path, content, device=self._device)] = _Opening(
                self._path, {}, then, content=content
            )
            self._on_busy()

    def reconstruct(self, scan: Path) -> None:
        """Encode a scan's file with the generator in use and decode it again; a newer one replaces it."""
        if self._path is None:
            return
        self._stop_reconstructing()
        self._latest.cancel()
        features = self._panel.request().features
        self._scan = self.worker.reconstruct(self._path, scan, features, device=self._device), scan
        self._on_busy()

    def adopt(self, provenance: Provenance) -> None:
        """Set the controls to how a volume was made, opening its checkpoint if need be."""
        if provenance.reconstructed and not provenance.latent:
            self.failed.emit(
                "This is a reconstruction by the autoencoder alone, which no setting of the controls makes. "
                f"Reconstruct the scan {provenance.reconstructed.get('scan', '')} to see it again.",
                "",
            )
            return
        request = GenerateRequest(
            seed=provenance.seed or 0,
            latent=provenance.latent,
            truncation=provenance.truncation,
            features=dict(provenance.features),
        )
        if self._info is not None and self._info.sha256 == provenance.checkpoint_sha256:
            self.apply(request)
            return
        path = seen_checkpoint(provenance.checkpoint_sha256)
        if path is None:
            self.failed.emit(
                f"The checkpoint {provenance.checkpoint_name} (SHA-256 {provenance.checkpoint_sha256[:12]}…) has not "
                "been opened on this computer. Open it, then ask again.",
                "",
            )
            return
        arguments = {name: value for name, value in provenance.arguments.items() if name not in _NOT_ARGUMENTS}
        self._start_opening(_Opening(path, arguments, request, provenance.family), remember=False)

    def close(self) -> None:
        """End the worker process."""
        self.worker.close()

    def _start_opening(self, opening: _Opening, *, remember: bool) -> None:
        self._library.set_opening(opening.path)
        job = self.worker.open_checkpoint(
            opening.path,
            device=self._device,
            family=opening.family,
            arguments=opening.arguments,
            remember=remember,
        )
        self._opening[job] = opening
        self._on_busy()

    def _on_opened(self, job: int, result: object) -> None:
        opening = self._opening.pop(job, None)
        if opening is None or not isinstance(result, GeneratorInfo):
            return
        self._latest.cancel()
        if self._info is None or self._info.sha256 != result.sha256:
            self._like = None
        self._info, self._path = result, opening.path
        if opening.content is None:  # a description leaves how it was opened
            self._arguments, self._family = dict(opening.arguments), opening.family
        if opening.path not in bundled_checkpoints().values():
            self._settings.add_recent("checkpoints", opening.path)
            self._library.set_recent(self._settings.recent("checkpoints"))
        self._library.set_info(opening.path, result)
        self._library.set_current(opening.path)
        self._panel.set_info(result)
        self.history.clear()
        self.current_changed.emit(result)
        self._on_busy()
        if opening.then is not None:
            self.apply(_fitting(opening.then, result))
        else:
            self.generate()

    def _on_open_failed(self, job: int, error: Exception, details: str) -> None:
        opening = self._opening.pop(job, None)
        if opening is None:
            return
        self._on_busy()
        if opening.content is not None:
            if not isinstance(error, Cancelled):
                self.describe_failed.emit(str(error), opening.content)
            return
        if isinstance(error, MissingArgumentError):
            value = ask_argument(error, self._library.window())
            if value is not None:
                self._start_opening(_answered(opening, error.argument.name, value), remember=True)
                return
            sentence = f"{opening.path.name} was not opened: {error}"
        elif isinstance(error, TrustNeededError):
            if ask_trust(error, self._library.window()):
                self._open_trusted(opening, error)
                return
            self._library.set_failed(opening.path, "Not opened: it is a program, and nobody has said to trust it")
            return
        else:
            sentence = "Cancelled" if isinstance(error, Cancelled) else str(error)
        self._library.set_failed(opening.path, sentence)
        if not isinstance(error, Cancelled):
            self.failed.emit(sentence, details)

    def _open_trusted(self, opening: _Opening, error: TrustNeededError) -> None:
        """Open a program again, now that the user has said yes."""
        if is_trusted(error.sha256):
            self._start_opening(opening, remember=False)
        else:
            self.failed.emit(f"{opening.path.name} was not opened: your yes could not be kept in {data_dir()}.", "")

    def _stop_reconstructing(self) -> None:
        if self._scan is not None:
            self.worker.cancel(self._scan[0])
            self._scan = None
            self._on_busy()

    def _on_reconstructed(self, job: int, result: object) -> None:
        if self._scan is not None and job == self._scan[0] and isinstance(result, Reconstruction):
            scan, self._scan = self._scan[1], None
            self._on_busy()
            self.reconstructed.emit(scan, result)

    def _on_reconstruct_failed(self, job: int, error: Exception, details: str) -> None:
        if self._scan is not None and job == self._scan[0]:
            self._scan = None
            self._on_busy()
            if not isinstance(error, Cancelled):
                self.failed.emit(str(error), details)

    def _on_reconstruct_progress(self, job: int, fraction: float) -> None:
        if self._scan is not None and job == self._scan[0]:
            self._on_progress(fraction)

    def _on_made(self, request: GenerateRequest, volume: Volume) -> None:
        self.volume_made.emit(volume, request, self._info)

    def _on_make_failed(self, _request: GenerateRequest, error: Exception, details: str) -> None:
        if not isinstance(error, Cancelled):
            self.failed.emit(str(error), details)

    def _on_progress(self, fraction: float) -> None:
        self._panel.set_progress(fraction)
        self.progressed.emit(fraction)

    def _on_busy(self, _busy: bool = False) -> None:
        making = self._latest.busy or self._scan is not None
        self._panel.set_busy(making)
        self.busy_changed.emit(making or bool(self._opening))

    def _on_setting(self, name: str, value: str) -> None:
        """Open the checkpoint again with another setting; the answer is kept, and what is looked at stays."""
        if self._path is not None and self._info is not None:
            then = self._panel.request()
            arguments = {**self._arguments, name: value}
            self._start_opening(_Opening(self._path, arguments, then, self._family), remember=True)

    def _set_device(self, device: str) -> None:
        self._device = device

    def _forget(self, path: Path) -> None:
        self._settings.forget_recent("checkpoints", path)
        self._library.set_recent(self._settings.recent("checkpoints"))


def _answered(opening: _Opening, name: str, value: str) -> _Opening:
    """The same opening with the user's answer to what the weights left open."""
    if name == "family":
        return replace(opening, family=value)
    return replace(opening, arguments={**opening.arguments, name: value})


def _fitting(request: GenerateRequest, info: GeneratorInfo) -> GenerateRequest:
    """The request less what the generator no longer takes, as its features have other names or ranges now."""
    ranges = {feature.name: (feature.low, feature.high) for feature in info.features}
    kept = {
        name: value
        for name, value in request.features.items()
        if name in ranges and ranges[name][0] <= value <= ranges[name][1]
    }
    return replace(request, features=completed(info.features, kept))
