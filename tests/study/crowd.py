"""Readers by the dozen: a process that lets its share of a study's readers answer everything, all at once with others.

    python -m tests.study.crowd STUDY FIRST EVERY

takes the readers FIRST, FIRST + EVERY, …, and goes round them, one trial each: their sessions are open at once.
"""

import sys

from synthview.study.place import open_place
from synthview.study.session import ReadingSession
from synthview.study.trial import Answer


def choice(reader: str, number: int) -> str:
    """What a reader answers to a trial, so that a test can tell whose answer it is."""
    return "real" if (int(reader[1:]) * 7 + number * 3) % 5 < 2 else "synthetic"


def main(path: str, first: int, every: int) -> None:
    with open_place(path) as place:
        sessions = [ReadingSession.begin(place, reader) for reader in place.store.readers[first::every]]
        while any(session.trial for session in sessions):
            for session in sessions:
                if session.trial is not None:
                    session.shown()
                    session.confirm(Answer(choice(session.reader, session.trial.number)))
        for session in sessions:
            session.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
