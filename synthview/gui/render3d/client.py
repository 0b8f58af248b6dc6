"""The window's end of the render process: starts it, feeds it, tells of pictures and of failure.  No VTK here.

Everything slow (starting the process, storing a volume, waiting) is done by one thread.  It keeps at most one volume
and one request waiting: the newest.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from multiprocessing import Pipe

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Signal

from synthview.errors import SynthviewError
from synthview.gui.render3d.camera import Camera
from synthview.gui.render3d.host import Host, ProcessDiedError, ProcessRefusedError, start_host
from synthview.gui.render3d.messages import Box, RenderRequest
from synthview.gui.render3d.prepare import Layout, plan
from synthview.gui.render3d.settings import RenderSettings, resolve
from synthview.volume import Volume

MODE_VARIABLE = "SYNTHVIEW_3D"
_MOST_VOXELS = {False: 40_000_000, True: 140_000_000}  # on the processor, on a graphics processor
_DEATHS_FORGIVEN = 3  # in a row, without a picture between them
_ADVICE = (
    "The slices work without it. Update the graphics driver or, on a machine without one, install Mesa's software "
    "OpenGL (Debian: libgl1-mesa-dri and libegl1); then try again."
)


@dataclass(frozen=True)
class View:
    """A picture that is wanted.

    Attributes:
        size: width and height in device pixels.
        camera: where from.
        settings: how the volume is drawn.
        moving: whether quickness is wanted rather than full resolution.
    """

    size: tuple[int, int]
    camera: Camera
    settings: RenderSettings
    moving: bool


@dataclass(frozen=True)
class Frame:
    """A picture.

    Attributes:
        pixels: (height, width, 3) uint8, top row first, contiguous.
        view: what was asked for.
        milliseconds: how long the process took.
    """

    pixels: npt.NDArray[np.uint8]
    view: View
    milliseconds: float


@dataclass(frozen=True)
class Failure:
    """There are no pictures.

    Attributes:
        reason: one sentence, why.
        advice: what to do.
    """

    reason: str
    advice: str


class RenderClient(QObject):
    """Asks the render process for pictures.

    Args:
        environment: more environment variables for the process.
        parent: Qt's owner.
    """

    frame_ready = Signal(object)  # Frame
    described = Signal(object)  # VolumeFacts of the volume that the next frames show
    started = Signal(object)  # Ready
    failed = Signal(object)  # Failure; nothing more comes until retry()

    def __init__(self, environment: Mapping[str, str] | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._environment = dict(environment or {})
        self._lock = threading.Lock()
        self._wake_reader, self._wake_writer = Pipe(duplex=False)
        self._thread: threading.Thread | None = None
        self._host: Host | None = None
        # guarded by the lock: what the window wants
        self._volume: Volume | None = None
        self._new_volume = False
        self._view: View | None = None
        self._failed = False
        self._closing = False
        # the thread's own
        self._drawing: View | None = None
        self._deaths = 0
        self._number = 0

    @property
    def process_id(self) -> int | None:
        """The render process's id while it runs."""
        host = self._host
        return host.process_id if host is not None else None

    def set_volume(self, volume: Volume | None) -> None:
        """Show another volume (axes in RAS+ order) in the frames from now on."""
        with self._lock:
            self._volume, self._new_volume = volume, True
        self._wake()

    def request(self, view: View) -> None:
        """Ask for a picture; it replaces a request that waits.  Starts the process at the first one."""
        with self._lock:
            self._view = view
            if self._thread is None and not self._closing:
                self._thread = threading.Thread(target=self._work, name="render-client", daemon=True)
                self._thread.start()
        self._wake()

    def retry(self) -> None:
        """Forget that it failed; the next request tries again."""
        with self._lock:
            self._failed, self._deaths = False, 0
        self._wake()

    def close(self) -> None:
        """End the process and the thread; safe to call twice."""
        with self._lock:
            self._closing = True
        self._wake()
        host = self._host
        if host is not None:
            host.kill()
        if self._thread is not None:
            self._thread.join(timeout=10)
            self._thread = None

    # -- the thread --

    def _wake(self) -> None:
        with self._lock:
            if not self._wake_reader.poll():
                self._wake_writer.send_bytes(b"!")

    def _work(self) -> None:
        try:
            while self._wait_for_work():
                self._do_work()
        finally:
            self._close_host()

    def _close_host(self) -> None:
        host, self._host = self._host, None
        if host is not None:
            host.close()

    def _wait_for_work(self) -> bool:
        """Sleep until there is a volume and a request for it; False to end."""
        while True:
            with self._lock:
                if self._closing:
                    return False
                if self._volume is not None and self._view is not None and not self._failed:
                    return True
            self._wake_reader.recv_bytes()

    def _do_work(self) -> None:
        try:
            self._ensure_host()
            self._send_new_volume()
            self._draw_newest()
        except ProcessRefusedError as error:
            self._fail(str(error), _ADVICE)
        except SynthviewError as error:
            self._fail(str(error), "The slices work without it. Then try again.")
        except ProcessDiedError as error:
            self._on_death(error)

    def _ensure_host(self) -> None:
        if self._host is not None:
            return
        mode = os.environ.get(MODE_VARIABLE, "").strip().lower()
        if mode == "off":
            raise SynthviewError(f"3D is switched off: the environment variable {MODE_VARIABLE} is set to “off”.")
        self._host, ready = start_host(self._environment, mode if mode in ("gpu", "cpu") else "", self._is_closing)
        with self._lock:
            self._new_volume = True
        self.started.emit(ready)

    def _send_new_volume(self) -> None:
        with self._lock:
            volume, is_new, self._new_volume = self._volume, self._new_volume, False
        if volume is None or not is_new or self._host is None:
            return
        layout = plan(volume, _MOST_VOXELS[self._host.gpu])
        self._host.send_volume(layout)
        self.described.emit(layout.facts)

    def _draw_newest(self) -> None:
        with self._lock:
            view, self._view = self._view, None
        if view is None or self._host is None or self._host.layout is None:
            return
        self._drawing = view
        self._number += 1
        picture = self._host.draw(
            _request(view, self._host.layout, self._number), self._wake_reader, self._is_superseded
        )
        if picture is None:
            self._ask_again()
            return
        self._deaths = 0
        pixels, milliseconds = picture
        self.frame_ready.emit(Frame(pixels, view, milliseconds))

    def _ask_again(self) -> None:
        """The picture was lost: ask for it again, unless a newer one is wanted."""
        with self._lock:
            self._view = self._view or self._drawing

    def _is_superseded(self) -> bool:
        with self._lock:
            return self._closing or self._view is not None or self._new_volume

    def _is_closing(self) -> bool:
        with self._lock:
            return self._closing

    def _on_death(self, error: ProcessDiedError) -> None:
        self._close_host()
        self._deaths += 1
        if self._is_closing():
            return
        if self._deaths > _DEATHS_FORGIVEN:
            self._fail(f"The 3D process ended {self._deaths} times in a row ({error}).", _ADVICE)
            return
        self._ask_again()

    def _fail(self, reason: str, advice: str) -> None:
        with self._lock:
            self._failed = True
        self.failed.emit(Failure(reason, advice))


def _request(view: View, layout: Layout, number: int) -> RenderRequest:
    settings = view.settings
    return RenderRequest(
        size=view.size,
        camera=view.camera,
        look=resolve(settings, layout.facts),
        clip_mm=_clip_mm(settings.box, layout) if settings.clipped else None,
        moving=view.moving,
        number=number,
    )


def _clip_mm(fractions: Box, layout: Layout) -> Box:
    """The clipping box in RAS+ mm: fractions of the box around the volume, voxels taken whole."""
    last = np.array(layout.voxels.shape[-3:]) - 0.5
    corners = [layout.affine @ (*corner, 1.0) for corner in product(*((-0.5, end) for end in last))]
    low, high = np.min(corners, axis=0), np.max(corners, axis=0)
    edges = [float(low[n // 2] + f * (high[n // 2] - low[n // 2])) for n, f in enumerate(fractions)]
    return edges[0], edges[1], edges[2], edges[3], edges[4], edges[5]
