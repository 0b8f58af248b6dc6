"""The text pages of a reading, made from what the protocol says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt

from synthview.gui.reading.keys import hints
from synthview.gui.reading.words import ENTER, ESCAPE, GO_ON, LEAVE, RETRY, WordsPage
from synthview.study.protocol import ReadingProtocol, Sitting
from synthview.study.protocol_screen import Changes, Screen, SectionKind
from synthview.study.standing import Standing

AGREE, STAY = "agree", "stay"
_GO_ON = {"Enter": ("go on", ENTER, GO_ON)}
_LEAVE = {"Esc": ("leave", ESCAPE, LEAVE)}
_ONE_SITTING = "This study is read in one sitting: once left, it stays unfinished and can't be taken up again."
_RESUMABLE = "You may leave at any time and go on later where you were."
_ASKED = {
    SectionKind.TWO_AFC_REAL: "You see two images at a time. Choose with ← or →, then confirm with Enter.",
    SectionKind.TWO_AFC_SYNTHETIC: "You see two images at a time. Choose with ← or →, then confirm with Enter.",
    SectionKind.TURING: "You see one image at a time. Answer with the keys shown, then confirm with Enter.",
    SectionKind.RATING: "You see one image at a time. Rate it with the number keys, then confirm with Enter.",
}


def welcome(protocol: ReadingProtocol, trials: int) -> WordsPage:
    """Title and instructions."""
    sitting = _ONE_SITTING if protocol.sitting is Sitting.ONE else _RESUMABLE
    body = "\n\n".join(part for part in (protocol.instructions, f"There are {trials} questions. {sitting}") if part)
    return WordsPage(protocol.title, body, {**_GO_ON, **_LEAVE})


def welcome_back(protocol: ReadingProtocol, done: int, trials: int) -> WordsPage:
    """For a session that is taken up again."""
    body = "\n\n".join(part for part in (protocol.instructions, f"{done} of {trials} questions are answered.") if part)
    return WordsPage(protocol.title, body, {**_GO_ON, **_LEAVE})


def consent(protocol: ReadingProtocol) -> WordsPage:
    """What the reader is to agree with; agreeing has a key of its own."""
    return WordsPage("Consent", protocol.consent, {"Y": ("I agree", Qt.Key.Key_Y, AGREE), **_LEAVE})


def part(screen: Screen, number: int, parts: int, trials: int) -> WordsPage:
    """What comes next."""
    heading = screen.title if parts == 1 else f"Part {number} of {parts}: {screen.title}"
    rules = [f"{trials} question{'s' if trials != 1 else ''}: {screen.question}", _ASKED[screen.kind]]
    if screen.time_limit_s is not None:
        rules.append(f"Each has a limit of {screen.time_limit_s:g} seconds.")
    if screen.changes is Changes.NEVER:
        rules.append("A confirmed answer can't be changed.")
    keys = "Keys:  " + ",   ".join(hints(screen))
    body = "\n\n".join(text for text in (screen.instructions, "  ".join(rules), keys) if text)
    return WordsPage(heading, body, _GO_ON)


def rest() -> WordsPage:
    """A break is offered."""
    return WordsPage("Time for a break", "Rest your eyes for as long as you like; no time is counted.", _GO_ON)


def leaving(protocol: ReadingProtocol) -> WordsPage:
    """Is the reader sure?"""
    body = (
        "If you leave now, the study is recorded as left unfinished, and you can't go on later."
        if protocol.sitting is Sitting.ONE
        else "Your answers are kept; you can go on later where you are now."
    )
    return WordsPage("Leave?", body, {"Enter": ("stay", ENTER, STAY), "L": ("leave", Qt.Key.Key_L, LEAVE)})


def thanks(handed_back: Path | None = None) -> WordsPage:
    """Everything is answered; a bundle's reader has a file to send back."""
    body = "All your answers are kept. You may close this window."
    if handed_back is not None:
        body = f"All your answers are kept. Please send this file back to the coordinator:\n\n{handed_back}"
    return WordsPage("Thank you", body, {"Enter": ("close", ENTER, LEAVE)})


def thanks_waiting(waiting: int) -> WordsPage:
    """Everything is answered, but the last answers have not reached the study's database."""
    body = (
        f"All your answers are kept, {waiting} of them on this computer only, as the study's database can't be "
        "reached. They are delivered as soon as it can: leave this window open, or tell the coordinator."
    )
    keys = {"R": ("try again", Qt.Key.Key_R, RETRY), "Esc": ("close", ESCAPE, LEAVE)}
    return WordsPage("Thank you", body, keys, role="warn")


def stopped(sentence: str, *, retry: bool = False) -> WordsPage:
    """The reading can't go on; what was confirmed is safe."""
    keys = {"Esc": ("close", ESCAPE, LEAVE)}
    if retry:
        keys = {"R": ("try again", Qt.Key.Key_R, RETRY), **keys}
    return WordsPage("Reading can't go on", sentence, keys, role="warn")


def who(readers: Sequence[tuple[str, Standing]]) -> WordsPage:
    """Who reads?  The keys 1 to 9 choose among those who may."""
    open_to = [name for name, stands in readers if stands in (Standing.NEW, Standing.RESUMABLE)]
    digits = (Qt.Key(Qt.Key.Key_0 + number) for number in range(1, 10))
    keys = {str(n): (name, key, name) for n, (key, name) in enumerate(zip(digits, open_to, strict=False), start=1)}
    more = (
        f" There are {len(open_to)}; the command line takes any: synthview study run … --reader NAME."
        if len(open_to) > len(keys)
        else ""
    )
    body = f"Press the number of your name.{more}" if keys else "Every reader has finished or left this study."
    return WordsPage("Who is reading?", body, {**keys, **_LEAVE})
