"""The render process: takes volumes and requests, gives pictures.  It holds VTK, so that the window doesn't."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Mapping
from math import sqrt
from multiprocessing.connection import Connection
from multiprocessing.shared_memory import SharedMemory
from typing import TYPE_CHECKING, Any

import numpy as np

from synthview.gui.render3d.messages import (
    FRAME_PIXELS,
    FrameDone,
    Ready,
    Refused,
    RenderRequest,
    Starting,
    VolumeMessage,
    VolumeTaken,
)

if TYPE_CHECKING:
    from synthview.gui.render3d.scene import Grid, Scene

_MOVING_MS = 60.0  # what a picture may take while something moves
_STILL_PIXELS_PROCESSOR = 1_000_000  # a still picture on the processor has at most so many
_SCALES = (0.3, 1.0)  # of a moving picture, each side


def run(connection: Connection, frames: str, environment: Mapping[str, str], mode: str) -> None:
    """Serve one window until it goes away.

    Args:
        connection: to the window; when it closes, the process ends.
        frames: name of the shared memory for pictures.
        environment: set before OpenGL is touched.
        mode: "gpu" or "cpu" to choose who casts the rays, or "" to decide by the kind of OpenGL.
    """
    _settle_down(environment)
    memory: SharedMemory | None = None
    try:
        scene, gpu = _open_scene(connection, mode)
        if scene is not None:
            memory = SharedMemory(frames)
            _Server(connection, scene, memory, gpu=gpu).serve()
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # the window is gone, and so is the reason to be
    finally:
        if memory is not None:
            memory.close()


def _settle_down(environment: Mapping[str, str]) -> None:
    """Leave Ctrl+C to the window, let it go first on a busy machine, and no core file when a driver crashes."""
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
        with contextlib.suppress(OSError):
            os.nice(5)


def _open_scene(connection: Connection, mode: str) -> tuple[Scene | None, bool]:
    try:
        from vtkmodules.vtkCommonCore import vtkLogger

        from synthview.gui.render3d import scene as vtk_scene
    except ImportError as error:
        connection.send(Refused(f"VTK could not be loaded ({error})"))
        return None, False
    vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_OFF)  # what matters is told to the window in a sentence
    window = vtk_scene.make_window()
    connection.send(Starting(window.GetClassName()))
    renderer = vtk_scene.renderer_name(window)
    if not renderer:
        connection.send(Refused("no OpenGL context could be made"))
        return None, False
    gpu = mode == "gpu" or (mode != "cpu" and not vtk_scene.is_software(renderer))
    scene = vtk_scene.Scene(window, gpu=gpu, give_way=connection.poll)
    connection.send(Ready(renderer, gpu))
    return scene, gpu


class _Server:
    """Answers one message after the other."""

    def __init__(self, connection: Connection, scene: Scene, memory: SharedMemory, *, gpu: bool) -> None:
        self._connection, self._scene, self._gpu = connection, scene, gpu
        self._memory = memory
        self._scale = 1.0 if gpu else 0.5

    def serve(self) -> None:
        while True:
            message: Any = self._connection.recv()
            match message:
                case VolumeMessage():
                    self._scene.set_grid(_copied(message))
                    self._connection.send(VolumeTaken())
                case RenderRequest():
                    self._connection.send(self._draw(message))
                case _:  # Abort of a picture that was ready before it could be given up
                    pass

    def _draw(self, request: RenderRequest) -> FrameDone:
        start = time.perf_counter()
        size = self._size(request)
        picture = self._scene.draw(request, size)
        if picture is None:
            return FrameDone((0, 0), 0.0, request.number)
        height, width, _ = picture.shape
        np.ndarray(picture.shape, np.uint8, self._memory.buf)[:] = picture
        milliseconds = (time.perf_counter() - start) * 1000
        if request.moving:
            self._adapt(milliseconds)
        return FrameDone((width, height), milliseconds, request.number)

    def _size(self, request: RenderRequest) -> tuple[int, int]:
        """Full size when still; when moving, as small as the machine needs."""
        width, height = request.size
        most = FRAME_PIXELS if self._gpu else _STILL_PIXELS_PROCESSOR
        scale = min(1.0, sqrt(most / max(width * height, 1)))
        if request.moving:
            scale *= self._scale
        return max(round(width * scale), 16), max(round(height * scale), 16)

    def _adapt(self, milliseconds: float) -> None:
        """Half-way to the size at which the last picture would have taken ``_MOVING_MS``."""
        low, high = _SCALES
        fitting = self._scale * sqrt(_MOVING_MS / max(milliseconds, 1.0))
        self._scale = min(max((self._scale + fitting) / 2, low), high)


def _copied(message: VolumeMessage) -> Grid:
    from synthview.gui.render3d.scene import Grid

    block = SharedMemory(message.block)
    try:
        numbers = np.ndarray(message.shape, message.dtype, block.buf).copy()
    finally:
        block.close()
    return Grid(numbers, np.array(message.affine).reshape(4, 4), message.offset, message.step)
