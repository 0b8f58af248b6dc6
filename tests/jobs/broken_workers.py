"""What a worker process runs when it is broken."""

import os
import time
from multiprocessing.connection import Connection


def dies_at_once(_connection: Connection, _prefix: str) -> None:
    os._exit(3)


def says_nonsense(connection: Connection, _prefix: str) -> None:
    connection.send_bytes(b"nonsense")
    time.sleep(600)
