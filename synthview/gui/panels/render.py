"""How the volume is drawn in 3D: preset, opacity, threshold, shading, clipping box, viewpoint."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from synthview.gui.labels import caption, title
from synthview.gui.panels.range_slider import RangeSlider
from synthview.gui.render3d.camera import SIDES
from synthview.gui.render3d.settings import (
    AUTOMATIC,
    RenderSettings,
    VolumeFacts,
    automatic_preset,
    default_threshold,
    effective_preset,
    presets,
    threshold_range,
    with_clipping,
)
from synthview.gui.theme import SPACE, TOKENS
from synthview.gui.views.volume_view import VolumeView

_STEPS = 1000
_SIDE_NAMES = {"A": "front", "P": "behind", "L": "the left", "R": "the right", "S": "above", "I": "below"}
_BOX_ROWS = (("L", "R", TOKENS.sagittal), ("P", "A", TOKENS.coronal), ("I", "S", TOKENS.axial))


class RenderPanel(QWidget):
    """Controls of a ``VolumeView``; they show its settings and change them through ``set_settings``.

    Attributes:
        preset_box, opacity_slider, threshold_slider, threshold_box, shading_box, clip_box: the controls.
        box_sliders: the clipping box along R–L, A–P and S–I.
        side_buttons: "view from" buttons by letter.
    """

    def __init__(self, view: VolumeView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view = view
        self.preset_box = QComboBox()
        self.opacity_slider = _slider("Opacity")
        self.threshold_slider = _slider("Threshold")
        self.threshold_box = QDoubleSpinBox()
        self.threshold_box.setKeyboardTracking(False)
        self.threshold_box.setAccessibleName("Threshold")
        self.shading_box = QCheckBox("Shading")
        self.clip_box = QCheckBox("Clipping box")
        self.box_sliders = [RangeSlider(color) for _, _, color in _BOX_ROWS]
        self.side_buttons = {side: QPushButton(side) for side in SIDES}
        self._lay_out()
        self._connect()
        self._show_facts(view.facts)
        self._show_settings(view.settings)

    def set_clipping(self, on: bool) -> None:
        """Switch the clipping box on or off."""
        self._view.set_settings(with_clipping(self._view.settings, on))

    # -- building --

    def _lay_out(self) -> None:
        self.preset_box.setAccessibleName("3D preset")
        reset = QPushButton("Reset view")
        reset.setToolTip("Look from where one looks at first (Shift+R)")
        reset.clicked.connect(self._view.reset_view)
        grid = QGridLayout()
        grid.setHorizontalSpacing(SPACE[1])
        grid.setVerticalSpacing(SPACE[1])
        grid.setColumnStretch(1, 1)
        grid.addWidget(caption("Preset"), 0, 0)
        grid.addWidget(self.preset_box, 0, 1, 1, 2)
        grid.addWidget(caption("Opacity"), 1, 0)
        grid.addWidget(self.opacity_slider, 1, 1, 1, 2)
        grid.addWidget(caption("Threshold"), 2, 0)
        grid.addWidget(self.threshold_slider, 2, 1)
        grid.addWidget(self.threshold_box, 2, 2)
        checks = QHBoxLayout()
        checks.setSpacing(SPACE[3])
        checks.addWidget(self.shading_box)
        checks.addWidget(self.clip_box)
        checks.addStretch(1)
        sides = QHBoxLayout()
        sides.setSpacing(SPACE[0])
        sides.addWidget(caption("View from"))
        for button in self.side_buttons.values():
            sides.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE[1])
        column.addWidget(title("3D"))
        column.addLayout(grid)
        column.addLayout(checks)
        column.addLayout(self._box_rows())
        column.addLayout(sides)
        column.addWidget(reset)
        column.addStretch(1)

    def _box_rows(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(SPACE[1])
        grid.setVerticalSpacing(0)
        for row, ((low, high, _), slider) in enumerate(zip(_BOX_ROWS, self.box_sliders, strict=True)):
            slider.setAccessibleName(f"Clipping box from {low} to {high}")
            slider.setToolTip(f"What is shown between {low} and {high}")
            grid.addWidget(caption(low), row, 0)
            grid.addWidget(slider, row, 1)
            grid.addWidget(caption(high), row, 2)
        return grid

    def _connect(self) -> None:
        self.preset_box.activated.connect(self._on_preset)
        self.opacity_slider.valueChanged.connect(lambda step: self._set(opacity=step / _STEPS))
        self.threshold_slider.valueChanged.connect(self._on_threshold_slider)
        self.threshold_box.valueChanged.connect(lambda value: self._set(threshold=value))
        self.shading_box.toggled.connect(lambda on: self._set(shaded=on))
        self.clip_box.toggled.connect(self.set_clipping)
        for slider in self.box_sliders:
            slider.moved.connect(self._on_box)
        for side, button in self.side_buttons.items():
            button.setProperty("role", "tool")
            button.setToolTip(f"Look from {_SIDE_NAMES[side]}")
            button.setAccessibleName(f"Look from {_SIDE_NAMES[side]}")
            button.clicked.connect(lambda _checked=False, side=side: self._view.view_from(side))
        for control in (self.preset_box, self.opacity_slider, self.threshold_slider, self.threshold_box):
            control.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            control.installEventFilter(self)
        self._view.settings_changed.connect(self._show_settings)
        self._view.facts_changed.connect(self._show_facts)

    # -- what the person does --

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the wheel scroll the panel, not change a control that merely came under the pointer."""
        if event.type() == QEvent.Type.Wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()
            return True
        return super().eventFilter(watched, event)

    def _set(self, **changes: object) -> None:
        self._view.set_settings(replace(self._view.settings, **changes))  # type: ignore[arg-type]

    def _on_preset(self, index: int) -> None:
        self._set(preset=self.preset_box.itemData(index), threshold=None)

    def _on_threshold_slider(self, step: int) -> None:
        facts = self._view.facts
        if facts is not None:
            low, high = threshold_range(self._view.settings, facts)
            value = low + (high - low) * step / _STEPS
            self._set(threshold=round(value, self.threshold_box.decimals()))

    def _on_box(self) -> None:
        (r0, r1), (a0, a1), (s0, s1) = (slider.ends() for slider in self.box_sliders)
        self._set(box=(r0, r1, a0, a1, s0, s1), clipped=True)

    # -- what the view says --

    def _show_settings(self, settings: RenderSettings) -> None:
        with (
            QSignalBlocker(self.opacity_slider),
            QSignalBlocker(self.shading_box),
            QSignalBlocker(self.clip_box),
        ):
            self.opacity_slider.setValue(round(settings.opacity * _STEPS))
            self.shading_box.setChecked(settings.shaded)
            self.clip_box.setChecked(settings.clipped)
        for axis, slider in enumerate(self.box_sliders):
            slider.set_ends(settings.box[2 * axis], settings.box[2 * axis + 1])
        self._show_preset(settings)
        self._show_threshold(settings)

    def _show_facts(self, facts: VolumeFacts | None) -> None:
        """Offer the presets that can draw this volume."""
        self.preset_box.clear()
        if facts is not None:
            self.preset_box.addItem(f"{automatic_preset(facts).title} (automatic)", AUTOMATIC)
            for preset in presets().values():
                if preset.colored == facts.colored:
                    self.preset_box.addItem(preset.title, preset.identifier)
        for widget in (self.preset_box, self.opacity_slider, self.threshold_slider, self.threshold_box):
            widget.setEnabled(facts is not None)
        self._show_settings(self._view.settings)

    def _show_preset(self, settings: RenderSettings) -> None:
        facts = self._view.facts
        index = self.preset_box.findData(settings.preset)
        self.preset_box.setCurrentIndex(max(index, 0))
        if facts is not None:
            self.shading_box.setEnabled(effective_preset(settings, facts).shaded)

    def _show_threshold(self, settings: RenderSettings) -> None:
        facts = self._view.facts
        if facts is None:
            return
        low, high = threshold_range(settings, facts)
        value = default_threshold(settings, facts) if settings.threshold is None else settings.threshold
        with QSignalBlocker(self.threshold_slider), QSignalBlocker(self.threshold_box):
            self.threshold_box.setDecimals(0 if high - low > 50 else 3)
            self.threshold_box.setRange(low, high)
            self.threshold_box.setSingleStep((high - low) / 100)
            self.threshold_box.setSuffix(f" {facts.unit}" if facts.unit else "")
            self.threshold_box.setValue(value)
            self.threshold_slider.setValue(round((value - low) / (high - low) * _STEPS))


def _slider(name: str) -> QSlider:
    slider = QSlider(Qt.Orientation.Horizontal)
    slider.setRange(0, _STEPS)
    slider.setPageStep(_STEPS // 10)
    slider.setAccessibleName(name)
    return slider
