"""Where the 3D picture is looked at from.

The camera turns like a globe on its stand: ``azimuth`` around the patient's long axis, ``elevation`` up and down, so
that superior is never upside down and the picture never tilts.

    seen from above (S)          azimuth   0  from the front (A)
            A                             90  from the patient's left (L)
            ↑                            180  from behind (P)
        L ──┼── R                        -90  from the patient's right (R)
            P                    elevation 90  from above (S), -90 from below (I)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import cos, radians, sin

Vector = tuple[float, float, float]
ZOOM_LIMITS = (0.2, 20.0)


@dataclass(frozen=True)
class Camera:
    """A viewpoint that looks at the volume's centre.

    Attributes:
        azimuth: degrees around the long axis, see the drawing above.
        elevation: degrees above the axial plane, -90 to 90.
        zoom: factor on "the volume fills the pane".
        pan: by how much the centre is moved right and up on the screen, in heights of the view at zoom 1.
    """

    azimuth: float = 30.0
    elevation: float = 15.0
    zoom: float = 1.0
    pan: tuple[float, float] = (0.0, 0.0)

    def rotated(self, right: float, down: float) -> Camera:
        """After a drag of the near side of the volume, in degrees."""
        azimuth = (self.azimuth - right + 180) % 360 - 180
        return replace(self, azimuth=azimuth, elevation=min(max(self.elevation + down, -90.0), 90.0))

    def zoomed(self, factor: float) -> Camera:
        """Nearer (factor above 1) or farther."""
        low, high = ZOOM_LIMITS
        return replace(self, zoom=min(max(self.zoom * factor, low), high))

    def panned(self, right: float, up: float) -> Camera:
        """After moving the picture, in heights of the pane."""
        return replace(self, pan=(self.pan[0] + right / self.zoom, self.pan[1] + up / self.zoom))

    def seen_from(self, side: str) -> Camera:
        """The same zoom, straight from "A", "P", "L", "R", "S" or "I", centred."""
        azimuth, elevation = SIDES[side]
        return replace(self, azimuth=azimuth, elevation=elevation, pan=(0.0, 0.0))

    @property
    def towards_viewer(self) -> Vector:
        """Unit vector in RAS+ from the volume to the eye."""
        a, e = radians(self.azimuth), radians(self.elevation)
        return -sin(a) * cos(e), cos(a) * cos(e), sin(e)

    @property
    def up(self) -> Vector:
        """Unit vector in RAS+ that points up on the screen."""
        a, e = radians(self.azimuth), radians(self.elevation)
        return sin(a) * sin(e), -cos(a) * sin(e), cos(e)

    @property
    def right(self) -> Vector:
        """Unit vector in RAS+ that points right on the screen."""
        a = radians(self.azimuth)
        return -cos(a), -sin(a), 0.0


# From above and from below, anterior is up; from above the patient's right is then right, from below left.
SIDES = {
    "A": (0.0, 0.0),
    "P": (180.0, 0.0),
    "L": (90.0, 0.0),
    "R": (-90.0, 0.0),
    "S": (180.0, 90.0),
    "I": (0.0, -90.0),
}
