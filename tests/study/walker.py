"""A program that reads and can be killed: each line of its input forks a reader, and that reader says what it did.

    python -m tests.study.walker STUDY

``READER SEED`` on a line forks a process that answers trials as fast as it can.  On its output: ``pid N``, then
``trial choice`` for each confirmed answer, then ``end`` when the process has ended, however it ended.
"""

import os
import random
import sys
import time
import traceback

from synthview.study.place import open_place
from synthview.study.session import ReadingSession
from synthview.study.trial import Answer


def say(text: str) -> None:
    os.write(1, f"{text}\n".encode())  # one write: whole or not at all


def read(path: str, reader: str, seed: int) -> None:
    draws = random.Random(seed)
    place = open_place(path)
    with ReadingSession.begin(place, reader) as session:
        while (trial := session.trial) is not None:
            session.shown()
            choice = draws.choice(("real", "synthetic"))
            session.confirm(Answer(choice))
            say(f"{trial.number} {choice}")
            time.sleep(draws.random() * 0.004)
    place.close()


def main(path: str) -> None:
    import alembic.command  # noqa: F401  (what a session may import late is here before the fork)
    import psycopg  # noqa: F401

    for line in sys.stdin:
        reader, seed = line.split()
        pid = os.fork()
        if pid == 0:
            try:
                read(path, reader, int(seed))
            except BaseException:  # noqa: BLE001  (the test looks at it)
                say(f"failed {traceback.format_exc()!r}")
            os._exit(0)
        say(f"pid {pid}")
        os.waitpid(pid, 0)
        say("end")


if __name__ == "__main__":
    main(sys.argv[1])
