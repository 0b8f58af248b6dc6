"""Whether an answer is one that the screen asked for."""

from __future__ import annotations

from synthview.errors import SessionError
from synthview.study.protocol_screen import Likert, Screen
from synthview.study.trial import Answer

MOST_COMMENT = 4000


def check_answer(screen: Screen, answer: Answer) -> None:
    """Make sure that everything asked is answered, and nothing else.

    Raises:
        SessionError: says what is missing or can't stand.
    """
    if answer.timed_out:
        return
    if screen.choices and answer.choice not in screen.choices:
        raise SessionError(f"please choose: {', '.join(screen.choices)}")
    if not screen.choices and answer.choice:
        raise SessionError("there is nothing to choose here")
    _check_number(screen.confidence, answer.confidence)
    _check_number(screen.difficulty, answer.difficulty)
    for name in answer.ratings:
        if name not in [item.name for item in screen.items]:
            raise SessionError(f"{name!r} is not asked here")
    for item in screen.items:
        _check_number(item, answer.ratings.get(item.name))
    if answer.comment and not screen.comment:
        raise SessionError("no comment is asked here")
    if len(answer.comment) > MOST_COMMENT:
        raise SessionError(f"the comment is longer than {MOST_COMMENT} characters; shorten it")


def _check_number(scale: Likert | None, given: int | None) -> None:
    if scale is None:
        if given is not None:
            raise SessionError("a number was given that is not asked here")
        return
    most = len(scale.labels)
    if given is None or isinstance(given, bool) or not 1 <= given <= most:
        raise SessionError(f"{scale.question} Please answer with 1 to {most}")
