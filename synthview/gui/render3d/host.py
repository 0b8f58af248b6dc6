"""One render process as the window sees it: start, send a volume, get a picture, end.  Every call may take long."""

from __future__ import annotations

import contextlib
import multiprocessing
import sys
import time
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection, wait
from multiprocessing.shared_memory import SharedMemory
from typing import Any

import numpy as np
import numpy.typing as npt

from synthview.gui.render3d.blocks import drop_block, make_block
from synthview.gui.render3d.messages import (
    FRAME_BYTES,
    Abort,
    FrameDone,
    Ready,
    Refused,
    RenderRequest,
    Starting,
    VolumeMessage,
)
from synthview.gui.render3d.prepare import Layout, write
from synthview.gui.render3d.process import run

Picture = tuple[npt.NDArray[np.uint8], float]
_START_SECONDS = 60.0  # a driver that has not answered by then never will
_SOFTWARE_EGL = {"VTK_DEFAULT_OPENGL_WINDOW": "vtkEGLRenderWindow", "LIBGL_ALWAYS_SOFTWARE": "1"}


class ProcessDiedError(Exception):
    """The render process ended by itself."""


class ProcessRefusedError(Exception):
    """No render process can draw on this machine; the message is a sentence for the person."""


def start_host(environment: Mapping[str, str], mode: str, is_unwanted: Callable[[], bool]) -> tuple[Host, Ready]:
    """Start a render process; where OpenGL fails as the system offers it, once more with Mesa's software through EGL.

    Raises:
        ProcessRefusedError: why there is no OpenGL.
        ProcessDiedError: it became unwanted meanwhile.
        SynthviewError: no shared memory.
    """
    attempts = [dict(environment)]
    if sys.platform.startswith("linux"):
        attempts.append({**_SOFTWARE_EGL, **environment})
    reasons = []
    for attempt in attempts:
        host = Host(attempt, mode)
        try:
            return host, host.wait_until_ready(is_unwanted)
        except ProcessRefusedError as error:
            host.close()
            reasons.append(str(error))
        except BaseException:
            host.close()
            raise
    raise ProcessRefusedError(reasons[0])


class Host:
    """A render process.

    Args:
        environment: environment variables for it.
        mode: "gpu", "cpu" or "" (see ``process.run``).

    Attributes:
        process_id: the operating system's number for it.
        gpu: whether it casts rays on a graphics processor; known once it is ready.
        layout: of the volume that it has; None while it has none.
    """

    def __init__(self, environment: Mapping[str, str], mode: str) -> None:
        self.gpu = False
        self.layout: Layout | None = None
        self._volume_block: SharedMemory | None = None
        self._frame_block = make_block(FRAME_BYTES)
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        arguments = (theirs, self._frame_block.name, dict(environment), mode)
        self._process = context.Process(target=run, args=arguments, name="synthview-render", daemon=True)
        self._process.start()
        self.process_id = self._process.pid
        theirs.close()

    def wait_until_ready(self, is_unwanted: Callable[[], bool]) -> Ready:
        """Wait until it has a context.

        Raises:
            ProcessRefusedError: it has none, or the driver crashed or hung.
            ProcessDiedError: it became unwanted.
        """
        window_class, deadline = "", time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if is_unwanted():
                raise ProcessDiedError("it is not wanted any longer")
            try:
                message = self._receive(timeout=0.1)
            except ProcessDiedError as error:
                raise ProcessRefusedError(_why_no_start(window_class, str(error))) from error
            match message:
                case Starting():
                    window_class = message.window_class
                case Ready():
                    self.gpu = message.gpu
                    return message
                case Refused():
                    raise ProcessRefusedError(f"3D can't be drawn here: {message.reason}.")
        raise ProcessRefusedError(f"The graphics driver did not answer within {_START_SECONDS:.0f} seconds.")

    def send_volume(self, layout: Layout) -> None:
        """Store a volume in shared memory and wait until the process has taken it.

        Raises:
            ProcessDiedError: it ended.
            SynthviewError: no room for the volume.
        """
        block = self._room(layout.nbytes)
        write(layout, np.ndarray(layout.shape, layout.dtype, block.buf))
        self._send(
            VolumeMessage(
                block=block.name,
                shape=layout.shape,
                dtype=layout.dtype.name,
                affine=tuple(float(x) for x in layout.affine.ravel()),
                offset=layout.offset,
                step=layout.step,
            )
        )
        self._receive()
        self.layout = layout

    def draw(self, request: RenderRequest, wake: Connection, is_superseded: Callable[[], bool]) -> Picture | None:
        """The picture and how many milliseconds it took; None if it was given up because ``is_superseded()``.

        Args:
            request: what to draw.
            wake: readable when it is worth asking ``is_superseded`` (only still pictures are given up).
            is_superseded: whether nobody wants the picture any longer.

        Raises:
            ProcessDiedError: it ended.
        """
        self._send(request)
        watched, told = [wake] if not request.moving else [], False
        while (answer := self._receive(watched=watched)) is None:
            while wake.poll():
                wake.recv_bytes()
            if not told and is_superseded():
                self._send(Abort())
                told = True
        if not isinstance(answer, FrameDone) or answer.size == (0, 0):
            return None
        width, height = answer.size
        # a copy: the memory is written again at the next request
        pixels = np.ndarray((height, width, 3), np.uint8, self._frame_block.buf).copy()
        return pixels, answer.milliseconds

    def kill(self) -> None:
        """End the process at once; it has nothing to save.  May be called from another thread."""
        with contextlib.suppress(ValueError):  # closed meanwhile
            self._process.kill()

    def close(self) -> None:
        """End the process and leave no shared memory behind."""
        self._process.kill()
        self._process.join()
        self._process.close()
        self._connection.close()
        for block in (self._frame_block, self._volume_block):
            if block is not None:
                drop_block(block)

    def _room(self, size: int) -> SharedMemory:
        """Shared memory of at least that size: the last one where it suffices."""
        if self._volume_block is not None and self._volume_block.size < size:
            drop_block(self._volume_block)
            self._volume_block = None
        if self._volume_block is None:
            self._volume_block = make_block(size)
        return self._volume_block

    def _send(self, message: object) -> None:
        try:
            self._connection.send(message)
        except OSError as error:
            raise self._death() from error

    def _receive(self, *, timeout: float | None = None, watched: list[Connection] | None = None) -> Any:
        """The next message; None after ``timeout`` seconds or when something else that is watched has news."""
        ready = wait([self._connection, self._process.sentinel, *(watched or [])], timeout)
        if self._connection in ready:
            with contextlib.suppress(EOFError, OSError):
                return self._connection.recv()
            raise self._death()
        if self._process.sentinel in ready:
            raise self._death()
        return None

    def _death(self) -> ProcessDiedError:
        self._process.join(timeout=5)
        code = self._process.exitcode
        how = f"signal {-code}" if code is not None and code < 0 else f"exit status {code}"
        return ProcessDiedError(how)


def _why_no_start(window_class: str, how: str) -> str:
    if "OSOpenGL" in window_class:  # what VTK falls back to when nothing else works; it isn't installed either
        return "3D can't be drawn here: neither the display nor EGL nor OSMesa gave an OpenGL context."
    if window_class:
        return f"3D can't be drawn here: the graphics driver crashed when OpenGL was started ({how})."
    return f"The 3D process ended before it could start OpenGL ({how})."
