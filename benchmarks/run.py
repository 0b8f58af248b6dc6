"""``make bench``: everything that docs/performance.md gives figures for, measured on this machine.

``make bench ARGS="viewers --runs 9"`` measures one part only.  The window's parts need a screen; where there is none,
Xvfb's is used.  Figures are printed, and kept in benchmarks/results/.
"""

from __future__ import annotations

import argparse
import os
import sys

PARTS = ("viewers", "nifti", "generators", "event-loop")


def main() -> None:
    """Measure the parts that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all if not given")
    parser.add_argument("--runs", type=int, default=5, help="counted repetitions (default 5)")
    chosen = parser.parse_args()
    if unknown := set(chosen.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; the parts are {', '.join(PARTS)}")
    if not os.environ.get("DISPLAY"):
        screen = ["xvfb-run", "-a", "-s", "-screen 0 1920x1080x24 +extension GLX", sys.executable, *sys.argv]
        os.execvpe(screen[0], screen, {**os.environ, "QT_QPA_PLATFORM": "xcb"})
    for part in chosen.parts or PARTS:
        _measure(part, chosen.runs)


def _measure(part: str, runs: int) -> None:
    import event_loop
    import generators
    import nifti_io
    import viewers

    {
        "viewers": viewers.compare,
        "nifti": nifti_io.compare,
        "generators": generators.compare,
        "event-loop": event_loop.compare,
    }[part](runs)


if __name__ == "__main__":
    main()
