"""The controls of a generator: seed, truncation, features, device, and the button that makes a volume."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QSignalBlocker, QTimer, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from synthview.generators.features import beside, completed, doubts
from synthview.generators.info import Device, GenerateRequest, GeneratorInfo, Setting
from synthview.gui.icons import icon
from synthview.gui.labels import caption, title
from synthview.gui.panels.content_scroll import ContentScroll
from synthview.gui.panels.feature_row import FeatureRow, SettingRow, feature_row
from synthview.gui.panels.number_row import NumberRow
from synthview.gui.panels.seed_box import MAX_SEED, SeedBox
from synthview.gui.theme import SPACE, TOKENS

MAX_TRUNCATION = 1.5
_RANDOM_SEEDS = 2**32  # enough, and still short to write down
_CANCEL_AFTER_MS = 150  # a volume made sooner leaves the button as it is


class GeneratePanel(QWidget):
    """Turns gestures into a ``GenerateRequest``; knows nothing of networks.

    Signals:
        preview_requested: a control moves and live preview is on; the request is coarse.
        generate_requested: a volume is wanted: the button, or an edit with live preview on.
        cancel_requested: the volume being made is no longer wanted.
        device_changed: id of the device chosen, or "auto".
        setting_changed: name and value of a setting of the network, which is then opened again.
        request_changed: the request before and after an edit by a person.
    """

    preview_requested = Signal(object)
    generate_requested = Signal(object)
    cancel_requested = Signal()
    device_changed = Signal(str)
    setting_changed = Signal(str, str)
    request_changed = Signal(object, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._info: GeneratorInfo | None = None
        self._latent: tuple[float, ...] | None = None
        self._features: dict[str, FeatureRow] = {}
        self.settings: dict[str, SettingRow] = {}
        self._busy = False
        self._asked: GenerateRequest | None = None
        self._build()
        self._lay_out()
        self._connect()
        self._committed = self.request()
        self.set_info(None)

    # ── what the window tells ──

    def set_info(self, info: GeneratorInfo | None) -> None:
        """Show the controls of a generator, its features at their defaults; None where none is open."""
        self._info = info
        for row in self._features.values():
            self._feature_column.removeWidget(row)
            row.hide()
            row.deleteLater()
        features = info.features if info else ()
        self._features = {feature.name: feature_row(feature, features) for feature in features}
        for row in self._features.values():
            self._feature_column.addWidget(row)
            row.committed.connect(self._on_commit)
            if isinstance(row, NumberRow):
                row.moved.connect(self._on_move)
                row.following.connect(self._on_commit)
        self._show_settings(info.settings if info else ())
        self._say_doubts()
        self._set_latent(None)
        self._controls.setEnabled(info is not None)
        self.generate_button.setEnabled(info is not None)
        self._why.setVisible(info is None)
        self._committed = self.request()

    def _show_settings(self, settings: tuple[Setting, ...]) -> None:
        for old in self.settings.values():
            self._setting_column.removeWidget(old)
            old.hide()
            old.deleteLater()
        self.settings = {setting.name: SettingRow(setting) for setting in settings}
        for row in self.settings.values():
            self._setting_column.addWidget(row)
            row.chosen.connect(self.setting_changed)

    def set_devices(self, devices: tuple[Device, ...]) -> None:
        """Offer these devices; the choice is kept where it is still among them."""
        chosen = self.device_combo.currentData() or "auto"
        with QSignalBlocker(self.device_combo):
            self.device_combo.clear()
            if devices:
                self.device_combo.addItem(f"Automatic ({devices[0].id})", "auto")
            for device in devices:
                self.device_combo.addItem(f"{device.id} · {device.name}", device.id)
            self.device_combo.setCurrentIndex(max(self.device_combo.findData(chosen), 0))
        self.device_combo.setEnabled(bool(devices))
        self.device_combo.setToolTip(self.device_combo.currentText())
        if devices and self.device_combo.currentData() != chosen:
            self.device_changed.emit(self.device_combo.currentData())

    def set_busy(self, busy: bool) -> None:
        """Say whether a volume is being made; the button becomes Cancel meanwhile."""
        self._busy = busy
        self.progress.setValue(0)
        self.progress.setVisible(busy)
        if busy:
            self._cancel_timer.start()
        else:
            self._cancel_timer.stop()
            self._show_cancel(False)

    def set_progress(self, fraction: float) -> None:
        """Fraction done, 0-1."""
        self.progress.setValue(round(fraction * self.progress.maximum()))

    def request(self) -> GenerateRequest:
        """What the controls say."""
        return GenerateRequest(
            seed=self.seed_box.value(),
            latent=self._latent,
            truncation=self.truncation.value(),
            features={name: row.value() for name, row in self._features.items()},
        )

    def set_request(self, request: GenerateRequest) -> None:
        """Set the controls, features that it doesn't name as ``completed`` does; no signal."""
        self.seed_box.set_value(request.seed)
        self.truncation.set_value(request.truncation)
        features = self._info.features if self._info else ()
        values = completed(features, request.features)
        for feature in features:
            row = self._features[feature.name]
            row.set_value(values[feature.name])
            if isinstance(row, NumberRow):
                row.set_follows(values[feature.name] == beside(feature, features, values))
        self._say_doubts()
        self._set_latent(request.latent)
        self._committed = self.request()

    # ── what menus and keys do ──

    def previous_seed(self) -> None:
        """One seed back."""
        self._edit_seed(self.seed_box.value() - 1)

    def next_seed(self) -> None:
        """One seed on."""
        self._edit_seed(self.seed_box.value() + 1)

    def random_seed(self) -> None:
        """Any seed."""
        self._edit_seed(secrets.randbelow(_RANDOM_SEEDS))

    # ── inside ──

    def _build(self) -> None:
        self.seed_box = SeedBox()
        self.seed_box.setAccessibleName("Seed")
        self.seed_box.setToolTip(f"Seed: 0 to {MAX_SEED}; the same seed makes the same volume")
        self.previous_button = _tool_button("previous", "Previous seed", self.previous_seed)
        self.next_button = _tool_button("next", "Next seed", self.next_seed)
        self.random_button = _tool_button("random", "Random seed", self.random_seed)
        self.truncation = NumberRow("Truncation ψ", low=0.0, high=MAX_TRUNCATION, default=1.0)
        self.live_box = QCheckBox("Live preview")
        self.live_box.setChecked(True)
        self.live_box.setToolTip("Make a volume whenever a control changes, a coarse one while a slider moves")
        self.device_combo = QComboBox()
        self.device_combo.setEnabled(False)
        self.device_combo.setAccessibleName("Device")
        self.device_combo.addItem("Starting…", "auto")
        self.device_combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.device_combo.setMinimumContentsLength(12)
        self.generate_button = QPushButton("Generate")
        self.generate_button.setProperty("role", "primary")
        self.progress = QProgressBar(minimum=0, maximum=1000, textVisible=False)
        keep_room = self.progress.sizePolicy()
        keep_room.setRetainSizeWhenHidden(True)
        self.progress.setSizePolicy(keep_room)
        self._cancel_timer = QTimer(self, interval=_CANCEL_AFTER_MS, singleShot=True)
        self._cancel_timer.timeout.connect(lambda: self._show_cancel(True))
        self._show_cancel(False)
        self.set_busy(False)

    def _lay_out(self) -> None:
        self._why = caption("Open a checkpoint in the library to generate volumes.", wordWrap=True)
        self._latent_note = caption("The latent is taken from the file. Another seed draws a new one.", wordWrap=True)
        self._doubt = caption("", wordWrap=True)
        self._feature_column = QVBoxLayout()
        self._feature_column.setSpacing(SPACE[1])
        self._setting_column = QVBoxLayout()
        self._setting_column.setSpacing(SPACE[1])
        self._controls = QWidget()
        self._scroll = ContentScroll(self._controls)
        controls = _column(self._controls)
        controls.setContentsMargins(0, 0, SPACE[1], 0)
        controls.addLayout(
            _row("Seed", self.seed_box, self.previous_button, self.random_button, self.next_button, buddy=self.seed_box)
        )
        controls.addWidget(self._latent_note)
        controls.addWidget(self.truncation)
        controls.addLayout(self._feature_column)
        controls.addWidget(self._doubt)
        controls.addLayout(self._setting_column)
        controls.addWidget(self.live_box)
        column = _column(self)
        column.addWidget(title("Controls"))
        column.addWidget(self._why)
        column.addWidget(self._scroll, stretch=1)
        column.addLayout(_row("Device", self.device_combo, buddy=self.device_combo))
        column.addSpacing(SPACE[0])
        column.addWidget(self.generate_button)
        column.addWidget(self.progress)

    def _connect(self) -> None:
        self.seed_box.value_changed.connect(self._on_seed)
        self.truncation.moved.connect(self._on_move)
        self.truncation.committed.connect(self._on_commit)
        self.generate_button.clicked.connect(self._on_button)
        self.device_combo.activated.connect(self._on_device)

    def _set_latent(self, latent: tuple[float, ...] | None) -> None:
        self._latent = latent
        self._latent_note.setVisible(latent is not None)

    def _edit_seed(self, seed: int) -> None:
        if self._info is None or not 0 <= seed <= MAX_SEED:
            return
        self.seed_box.set_value(seed)
        self._on_seed()

    def _on_seed(self) -> None:
        self._set_latent(None)
        self._on_commit()

    def _bring_along(self) -> None:
        """Give features that follow others what goes with those."""
        features = self._info.features if self._info else ()
        values = self.request().features
        for feature in features:
            row = self._features[feature.name]
            if feature.follows and isinstance(row, NumberRow) and row.follows():
                row.set_value(beside(feature, features, values))
        self._say_doubts()

    def _say_doubts(self) -> None:
        said = doubts(self._info.features if self._info else (), self.request().features)
        self._doubt.setText("\n".join(said))
        self._doubt.setVisible(bool(said))

    def _on_move(self) -> None:
        self._bring_along()
        if self.live_box.isChecked():
            self.preview_requested.emit(replace(self.request(), coarse=True))

    def _on_commit(self) -> None:
        self._bring_along()
        old, new = self._committed, self.request()
        if new == old:
            return
        self._committed = new
        self.request_changed.emit(old, new)
        if self.live_box.isChecked():
            self._ask(new)

    def _on_button(self) -> None:
        if self._cancels:
            self.cancel_requested.emit()
            return
        request = self.request()
        if not (self._busy and request == self._asked):  # leaving a box for the button has already asked for it
            self._ask(request)

    def _ask(self, request: GenerateRequest) -> None:
        self._asked = request
        self.generate_requested.emit(request)

    def _on_device(self) -> None:
        self.device_combo.setToolTip(self.device_combo.currentText())
        self.device_changed.emit(self.device_combo.currentData())

    def _show_cancel(self, cancels: bool) -> None:
        self._cancels = cancels
        self.generate_button.setText("Cancel" if cancels else "Generate")
        self.generate_button.setIcon(icon("cancel" if cancels else "generate", TOKENS.accent_ink))


def _tool_button(icon_name: str, what: str, slot: Callable[[], None]) -> QPushButton:
    button = QPushButton()
    button.setProperty("role", "tool")
    button.setIcon(icon(icon_name))
    button.setToolTip(what)
    button.setAccessibleName(what)
    button.clicked.connect(slot)
    return button


def _column(widget: QWidget) -> QVBoxLayout:
    column = QVBoxLayout(widget)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(SPACE[1])
    return column


def _row(label: str, *widgets: QWidget, buddy: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(SPACE[0])
    name = QLabel(label)
    name.setBuddy(buddy)
    name.setMinimumWidth(48)
    row.addWidget(name)
    for widget in widgets:
        row.addWidget(widget, stretch=1 if widget is buddy else 0)
    return row
