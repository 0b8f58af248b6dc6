"""What an image is: voxels with their place in space and their meaning; reading and writing NIfTI files."""

from synthview.volume.nifti import load_volume, save_volume
from synthview.volume.orientation import AxisCodes, axis_codes, centred_affine
from synthview.volume.provenance import Provenance
from synthview.volume.volume import Volume, VolumeKind
from synthview.volume.window import Window, auto_window, window_presets

__all__ = [
    "AxisCodes",
    "Provenance",
    "Volume",
    "VolumeKind",
    "Window",
    "auto_window",
    "axis_codes",
    "centred_affine",
    "load_volume",
    "save_volume",
    "window_presets",
]
