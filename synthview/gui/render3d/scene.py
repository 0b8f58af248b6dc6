"""The VTK scene: one volume in RAS+ millimetres, drawn off screen.  Only the render process imports this."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from math import radians, tan
from typing import Any

import numpy as np
import numpy.typing as npt
import vtkmodules.vtkRenderingOpenGL2
import vtkmodules.vtkRenderingVolumeOpenGL2  # noqa: F401  (registers the OpenGL classes)
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkMultiThreader, vtkUnsignedCharArray
from vtkmodules.vtkCommonDataModel import vtkImageData, vtkPiecewiseFunction, vtkPlane, vtkPlaneCollection
from vtkmodules.vtkCommonMath import vtkMatrix4x4
from vtkmodules.vtkRenderingCore import (
    vtkColorTransferFunction,
    vtkLight,
    vtkRenderer,
    vtkRenderWindow,
    vtkVolume,
    vtkVolumeProperty,
)
from vtkmodules.vtkRenderingVolume import vtkFixedPointVolumeRayCastMapper, vtkGPUVolumeRayCastMapper

from synthview.gui.render3d.camera import Camera
from synthview.gui.render3d.messages import Box, Look, RenderRequest

_VIEW_ANGLE = 20.0  # degrees from bottom to top: little perspective, as sizes are compared by eye
_MARGIN = 1.15  # room around the volume at zoom 1: near corners are drawn larger
_COARSE_ABOVE = 4_000_000  # voxels; larger ones have a thinned copy for moving pictures on the processor
# ambient, diffuse, specular: a cut face has no surface to be lit; its own colours must show
_SURFACE_LIGHT, _CUT_LIGHT = (0.2, 0.85, 0.15), (0.7, 0.4, 0.0)
_SOFTWARE = re.compile(r"llvmpipe|softpipe|swrast|software|swiftshader|microsoft basic|gdi generic", re.IGNORECASE)


@dataclass(frozen=True)
class Grid:
    """Numbers on a grid.

    Attributes:
        numbers: (K, J, I), or (K, J, I, 4) for red, green, blue, opacity.
        affine: 4x4, index (i, j, k) to RAS+ mm.
        offset, step: value = offset + step * number.
    """

    numbers: npt.NDArray[Any]
    affine: npt.NDArray[np.float64]
    offset: float
    step: float

    @property
    def colored(self) -> bool:
        """Whether voxels carry their own colour."""
        return self.numbers.ndim == 4

    def thinned(self) -> Grid:
        """Every second voxel along each axis."""
        numbers = np.ascontiguousarray(self.numbers[::2, ::2, ::2])
        return Grid(numbers, self.affine @ np.diag([2.0, 2.0, 2.0, 1.0]), self.offset, self.step)


def make_window() -> vtkRenderWindow:
    """An off-screen window of whichever kind VTK finds possible (X, EGL, OSMesa, Windows, macOS); not yet rendered."""
    window = vtkRenderWindow()
    window.SetOffScreenRendering(True)
    window.SetMultiSamples(0)
    window.SetSize(16, 16)
    return window


def renderer_name(window: vtkRenderWindow) -> str:
    """What the window's OpenGL calls itself; empty where there is none.  The driver may crash here."""
    window.Render()
    found = re.search(r"OpenGL renderer string:\s*(.+)", window.ReportCapabilities() or "")
    return found[1].strip() if found else ""


def is_software(renderer: str) -> bool:
    """Whether an OpenGL of that name runs on the processor."""
    return _SOFTWARE.search(renderer) is not None


class Scene:
    """Draws one volume.

    Args:
        window: an off-screen window whose OpenGL works.
        gpu: cast rays on the graphics processor rather than with the fixed-point caster on the processor.
        give_way: asked now and then while a still picture is drawn; True aborts it.
    """

    def __init__(self, window: vtkRenderWindow, *, gpu: bool, give_way: Callable[[], bool]) -> None:
        self._window, self._gpu, self._give_way = window, gpu, give_way
        self._may_abort = False
        window.AddObserver("AbortCheckEvent", self._on_abort_check)
        self._renderer = vtkRenderer()
        self._renderer.SetBackground(0, 0, 0)
        self._renderer.SetAutomaticLightCreation(False)
        self._renderer.AddLight(_headlight())
        window.AddRenderer(self._renderer)
        self._pixels = vtkUnsignedCharArray()
        self._grid: Grid | None = None
        self._fine: _Actor | None = None
        self._coarse: _Actor | None = None

    def set_grid(self, grid: Grid) -> None:
        """Show another volume."""
        for actor in (self._fine, self._coarse):
            if actor is not None:
                self._renderer.RemoveVolume(actor.volume)
        self._grid = grid
        voxels = int(np.prod(grid.numbers.shape[:3]))
        self._fine = _Actor(grid, gpu=self._gpu)
        self._coarse = _Actor(grid.thinned(), gpu=False) if voxels > _COARSE_ABOVE and not self._gpu else None
        for actor in (self._fine, self._coarse):
            if actor is not None:
                self._renderer.AddVolume(actor.volume)

    def draw(self, request: RenderRequest, size: tuple[int, int]) -> npt.NDArray[np.uint8] | None:
        """The picture, (height, width, 3), top row first; None where it was aborted.  Valid until the next call."""
        if self._grid is None or self._fine is None:
            return None
        coarse = self._coarse if request.moving else None
        shown = coarse or self._fine
        for actor in (self._fine, self._coarse):
            if actor is not None:
                actor.volume.SetVisibility(actor is shown)
        shown.set_look(request.look)
        shown.set_clip(request.clip_mm)
        if (self._window.GetSize()) != size:
            self._window.SetSize(*size)
        self._look_from(request.camera, self._grid, size)
        self._may_abort = not request.moving
        self._window.SetAbortRender(False)
        self._window.Render()
        if self._window.GetAbortRender():
            return None
        width, height = size
        self._window.GetPixelData(0, 0, width - 1, height - 1, 0, self._pixels, 0)
        rows: npt.NDArray[np.uint8] = vtk_to_numpy(self._pixels).reshape(height, width, 3)
        return rows[::-1]

    def _on_abort_check(self, *_: object) -> None:
        if self._may_abort and self._give_way():
            self._window.SetAbortRender(True)

    def _look_from(self, camera: Camera, grid: Grid, size: tuple[int, int]) -> None:
        counts = np.array(grid.numbers.shape[2::-1], dtype=np.float64)
        centre = (grid.affine @ [*((counts - 1) / 2), 1.0])[:3]
        sides = grid.affine[:3, :3] * counts  # in its columns, mm
        whole = _fitting_height(sides, size)
        towards, up, right = (np.array(v) for v in (camera.towards_viewer, camera.up, camera.right))
        # the eye stays outside the volume however far one zooms in: the angle narrows instead
        distance = whole / 2 / tan(radians(_VIEW_ANGLE / 2))
        aim = centre - whole * (camera.pan[0] * right + camera.pan[1] * up)
        eye = aim + distance * towards
        vtk_camera = self._renderer.GetActiveCamera()
        vtk_camera.SetFocalPoint(*aim)
        vtk_camera.SetPosition(*eye)
        vtk_camera.SetViewUp(*up)
        vtk_camera.SetViewAngle(np.degrees(2 * np.arctan(whole / camera.zoom / 2 / distance)))
        reach = 2 * float(np.linalg.norm(sides, axis=0).max())
        vtk_camera.SetClippingRange(max(distance - reach, distance / 100), distance + reach)


def _fitting_height(sides: npt.NDArray[np.float64], size: tuple[int, int]) -> float:
    """Height of the view, in mm, into which the volume's box fits when seen as at first; the same from all sides."""
    up, right = (np.abs(np.array(direction) @ sides).sum() for direction in (Camera().up, Camera().right))
    return _MARGIN * float(max(up, right * size[1] / size[0]))


class _Actor:
    """A volume with its mapper; remembers what it was last told, as VTK rebuilds its tables at every change."""

    def __init__(self, grid: Grid, *, gpu: bool) -> None:
        self._grid = grid
        self._look: Look | None = None
        self._clip: Box | None = None
        spacing = np.linalg.norm(grid.affine[:3, :3], axis=0)
        self._mapper = _gpu_mapper() if gpu else _processor_mapper()
        self._mapper.SetSampleDistance(float(spacing.min() if gpu else spacing.mean()))
        self._mapper.SetInputData(_image(grid, spacing))
        self._property = vtkVolumeProperty()
        self._property.SetInterpolationTypeToLinear()
        self._property.SetIndependentComponents(not grid.colored)
        self._property.SetSpecularPower(12)
        self._set_light(_SURFACE_LIGHT)
        self.volume = vtkVolume()
        self.volume.SetMapper(self._mapper)
        self.volume.SetProperty(self._property)
        self.volume.SetUserMatrix(_matrix(grid.affine @ np.diag([*(1 / spacing), 1.0])))

    def set_look(self, look: Look) -> None:
        if look == self._look:
            return
        self._look = look
        opacity = vtkPiecewiseFunction()
        for value, y in look.opacity:
            opacity.AddPoint(self._number(value), y)
        self._property.SetScalarOpacity(opacity)
        self._property.SetScalarOpacityUnitDistance(look.unit_distance_mm)
        if look.color:
            color = vtkColorTransferFunction()
            for value, *rgb in look.color:
                color.AddRGBPoint(self._number(value), *rgb)
            self._property.SetColor(color)
        gradient = vtkPiecewiseFunction()
        for change, y in look.gradient_opacity:
            gradient.AddPoint(change / self._grid.step, y)
        self._property.SetDisableGradientOpacity(not look.gradient_opacity)
        self._property.SetGradientOpacity(gradient)
        self._property.SetShade(look.shaded)
        if look.maximum:
            self._mapper.SetBlendModeToMaximumIntensity()
        else:
            self._mapper.SetBlendModeToComposite()

    def set_clip(self, clip_mm: Box | None) -> None:
        if clip_mm == self._clip:
            return
        self._clip = clip_mm
        self._set_light(_SURFACE_LIGHT if clip_mm is None else _CUT_LIGHT)
        if clip_mm is None:
            self._mapper.RemoveAllClippingPlanes()
            return
        planes = vtkPlaneCollection()
        for axis in range(3):
            for side, sign in ((0, 1.0), (1, -1.0)):
                origin, normal = np.zeros(3), np.zeros(3)
                origin[axis], normal[axis] = clip_mm[2 * axis + side], sign
                plane = vtkPlane()
                plane.SetOrigin(*origin)
                plane.SetNormal(*normal)
                planes.AddItem(plane)
        self._mapper.SetClippingPlanes(planes)

    def _set_light(self, light: tuple[float, float, float]) -> None:
        ambient, diffuse, specular = light
        self._property.SetAmbient(ambient)
        self._property.SetDiffuse(diffuse)
        self._property.SetSpecular(specular)

    def _number(self, value: float) -> float:
        return (value - self._grid.offset) / self._grid.step


def _headlight() -> vtkLight:
    light = vtkLight()
    light.SetLightTypeToHeadlight()
    light.SetAmbientColor(1, 1, 1)  # black otherwise: where nothing changes there is no surface, and all would be dark
    return light


def _processor_mapper() -> vtkFixedPointVolumeRayCastMapper:
    # VTK 9.7 leaves holes in coloured volumes where its space-leaping filter runs in several threads; that filter
    # takes the number of threads at the time when the mapper is made, and the ray caster keeps its own
    threads = vtkMultiThreader.GetGlobalDefaultNumberOfThreads()
    vtkMultiThreader.SetGlobalDefaultNumberOfThreads(1)
    mapper = vtkFixedPointVolumeRayCastMapper()
    vtkMultiThreader.SetGlobalDefaultNumberOfThreads(threads)
    mapper.SetNumberOfThreads(threads)
    mapper.SetAutoAdjustSampleDistances(False)
    mapper.SetImageSampleDistance(1.0)
    mapper.SetLockSampleDistanceToInputSpacing(False)
    return mapper


def _gpu_mapper() -> vtkGPUVolumeRayCastMapper:
    mapper = vtkGPUVolumeRayCastMapper()
    mapper.SetAutoAdjustSampleDistances(False)
    mapper.SetUseJittering(True)
    return mapper


def _image(grid: Grid, spacing: npt.NDArray[np.float64]) -> vtkImageData:
    image = vtkImageData()
    image.SetDimensions(*grid.numbers.shape[2::-1])
    image.SetSpacing(*spacing)
    flat = grid.numbers.reshape(-1, 4) if grid.colored else grid.numbers.reshape(-1)
    image.GetPointData().SetScalars(numpy_to_vtk(flat))
    return image


def _matrix(affine: npt.NDArray[np.float64]) -> vtkMatrix4x4:
    matrix = vtkMatrix4x4()
    matrix.DeepCopy([float(x) for x in affine.ravel()])
    return matrix
