"""What the window and the render process say to each other.  No Qt, no VTK.

    window → process    VolumeMessage (the voxels lie in shared memory)   → VolumeTaken
                        RenderRequest                                     → FrameDone (the pixels lie in shared memory)
    process → window    Starting, then Ready or Refused, once, at the start

One request is answered before the next is sent; ``Abort`` asks to give up a full-quality picture that is being drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

from synthview.gui.render3d.camera import Camera

Box = tuple[float, float, float, float, float, float]
FRAME_PIXELS = 2560 * 1600  # the largest picture; larger panes show it enlarged
FRAME_BYTES = 3 * FRAME_PIXELS


@dataclass(frozen=True)
class Look:
    """Colours and opacities over the volume's own values.

    Attributes:
        opacity: (value, opacity 0-1 per ``unit_distance_mm``) points, values increasing.
        color: (value, red, green, blue) points, colours 0-1.
        gradient_opacity: (change per mm, factor 0-1) points; empty where edges aren't favoured.
        unit_distance_mm: the path length that the opacities are meant for.
        shaded: whether surfaces are lit.
        maximum: draw the largest value along each ray rather than the sum.
    """

    opacity: tuple[tuple[float, float], ...]
    color: tuple[tuple[float, float, float, float], ...]
    gradient_opacity: tuple[tuple[float, float], ...] = ()
    unit_distance_mm: float = 1.0
    shaded: bool = True
    maximum: bool = False


@dataclass(frozen=True)
class VolumeMessage:
    """A volume waits in shared memory.

    Attributes:
        block: name of the shared memory.
        shape: (K, J, I), or (K, J, I, 4) for red, green, blue, opacity; C order.
        dtype: "uint8" or "uint16".
        affine: 16 numbers, row by row: index (i, j, k) to RAS+ mm.
        offset, step: value = offset + step * stored number.
    """

    block: str
    shape: tuple[int, ...]
    dtype: str
    affine: tuple[float, ...]
    offset: float
    step: float


@dataclass(frozen=True)
class RenderRequest:
    """One picture.

    Attributes:
        size: width and height in device pixels.
        camera: where from.
        look: colours and opacities.
        clip_mm: RAS+ box (low R, high R, low A, high A, low S, high S) outside of which nothing is drawn, or None.
        moving: whether quickness is wanted rather than full resolution.
        number: comes back with the frame.
    """

    size: tuple[int, int]
    camera: Camera
    look: Look
    clip_mm: Box | None
    moving: bool
    number: int


@dataclass(frozen=True)
class Abort:
    """The picture that is being drawn is no longer wanted; without meaning when none is."""


@dataclass(frozen=True)
class Starting:
    """The process is about to make its first OpenGL context, through this VTK class; a driver may crash here."""

    window_class: str


@dataclass(frozen=True)
class Ready:
    """There is a context.

    Attributes:
        renderer: what OpenGL calls itself, such as "llvmpipe (LLVM 19.1.7, 256 bits)".
        gpu: whether rays are cast on a graphics processor.
    """

    renderer: str
    gpu: bool


@dataclass(frozen=True)
class Refused:
    """There will be no picture, and this is why: one sentence."""

    reason: str


@dataclass(frozen=True)
class VolumeTaken:
    """The process has its own copy of the volume; the shared memory may be written again."""


@dataclass(frozen=True)
class FrameDone:
    """A picture lies in the frame memory, top row first, 3 bytes a pixel; size (0, 0): aborted, nothing drawn."""

    size: tuple[int, int]
    milliseconds: float
    number: int
