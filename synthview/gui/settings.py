"""What the window remembers between runs: its place and size, how one looks at volumes, recent files."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings

from synthview.gui.state import Layout, ViewState
from synthview.userdata import data_dir

_RECENT_LIMIT = 12


class WindowSettings:
    """A small INI file in the user's data folder."""

    def __init__(self) -> None:
        self._file = QSettings(str(data_dir() / "window.ini"), QSettings.Format.IniFormat)

    def recent(self, what: str) -> list[Path]:
        """Recently used paths, newest first; ``what`` is "checkpoints" or "volumes".  Vanished ones are left out."""
        kept = self._file.value(f"recent/{what}", [], type=list)
        names = kept if isinstance(kept, list) else []
        return [Path(str(name)) for name in names if Path(str(name)).exists()]

    def add_recent(self, what: str, path: Path) -> None:
        """Put a path first."""
        path = path.resolve()
        self._write(what, [path, *(p for p in self.recent(what) if p != path)][:_RECENT_LIMIT])

    def forget_recent(self, what: str, path: Path) -> None:
        """Take a path off the list; the file stays."""
        self._write(what, [p for p in self.recent(what) if p != path])

    def bytes_of(self, name: str) -> QByteArray:
        """The window's geometry or state as Qt saved it; empty at the first run."""
        value = self._file.value(f"window/{name}", QByteArray())
        return value if isinstance(value, QByteArray) else QByteArray()

    def keep_bytes(self, name: str, value: QByteArray) -> None:
        """Keep the window's geometry or state."""
        self._file.setValue(f"window/{name}", value)

    def folder(self, what: str) -> str:
        """The folder used last for opening or saving; the home folder at first."""
        kept = str(self._file.value(f"folders/{what}", ""))
        return kept if kept and Path(kept).is_dir() else str(Path.home())

    def keep_folder(self, what: str, folder: Path) -> None:
        """Keep the folder used last."""
        self._file.setValue(f"folders/{what}", str(folder))

    def view_preferences(self) -> dict[str, object]:
        """The fields of ``ViewState`` that belong to the person, not to the volume."""
        state = ViewState()
        layout = str(self._file.value("view/layout", state.layout.value))
        return {
            "radiological": self._file.value("view/radiological", state.radiological, type=bool),
            "show_crosshair": self._file.value("view/show_crosshair", state.show_crosshair, type=bool),
            "interpolated": self._file.value("view/interpolated", state.interpolated, type=bool),
            "layout": next((one for one in Layout if one.value == layout), state.layout),
        }

    def keep_view_preferences(self, state: ViewState) -> None:
        """Keep what ``view_preferences`` gives back."""
        for name in ("radiological", "show_crosshair", "interpolated"):
            self._file.setValue(f"view/{name}", getattr(state, name))
        if state.layout is not Layout.COMPARE:  # at the next start there is nothing to compare
            self._file.setValue("view/layout", state.layout.value)

    def sync(self) -> None:
        """Write to disk now."""
        self._file.sync()

    def _write(self, what: str, paths: list[Path]) -> None:
        self._file.setValue(f"recent/{what}", [str(path) for path in paths])
