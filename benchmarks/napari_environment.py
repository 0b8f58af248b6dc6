"""napari in an environment of its own, so that neither program decides the other's versions."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ENVIRONMENT = Path(__file__).resolve().parents[1] / ".setup" / "napari"
_PACKAGES = ("napari[pyqt6]>=0.9,<0.10", "nibabel>=5.3,<6")


def napari_python() -> Path:
    """The interpreter of napari's environment; made at the first call, which takes a minute or two."""
    python = ENVIRONMENT / "bin" / "python"
    stamp = ENVIRONMENT / "made-from"
    if not stamp.exists() or stamp.read_text("utf-8") != "\n".join(_PACKAGES):
        print(f"installing {_PACKAGES[0]} into {ENVIRONMENT}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *_PACKAGES], check=True)
        stamp.write_text("\n".join(_PACKAGES))
    return python
