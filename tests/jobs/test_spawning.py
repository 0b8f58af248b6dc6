"""How the worker process comes to be, whichever way a program is started, and goes when that program does."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.small_checkpoint import write_sigmarat

linux = pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="looks into /proc")
TIMEOUT_S = 90

# A program that puts a stone into its own memory, says what it finds in the worker's, and ends as it is told.
PROGRAM = """
import os, queue, sys
from pathlib import Path

print("started", flush=True)


def main():
    from PySide6.QtCore import QCoreApplication  # the window's memory, which the worker must not have
    from synthview.generators.info import GenerateRequest
    from synthview.jobs.client import WorkerClient
    from synthview.jobs.messages import Done, Progress

    application = QCoreApplication([])
    events = queue.Queue()
    client = WorkerClient(events.put)
    job = client.generate(sys.argv[1], GenerateRequest(seed=1))
    event = events.get(timeout=80)
    while not isinstance(event, Progress if sys.argv[2] == "dies" else Done):
        event = events.get(timeout=80)
    maps = Path(f"/proc/{client.pid}/maps").read_text("utf-8")
    print("worker", client.pid, client._process.prefix)
    print("torch here", "torch" in sys.modules)
    print("torch there", "libtorch" in maps)
    print("Qt there", "libQt6" in maps)
    print("niceness", os.getpriority(os.PRIO_PROCESS, client.pid) - os.getpriority(os.PRIO_PROCESS, 0), flush=True)
    if sys.argv[2] == "dies":
        os.kill(os.getpid(), 9)
    if sys.argv[2] == "closes":
        client.close()


if __name__ == "__main__":
    main()
"""


def run_program(folder: Path, how: str, end: str, checkpoint: Path) -> subprocess.CompletedProcess[str]:
    """Run the program as a script, or as ``python -m`` a package."""
    package = folder / "program"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(PROGRAM)
    script = folder / "program_script"  # as the console scripts of pip are: no .py
    script.write_text(PROGRAM)
    start = [str(script)] if how == "script" else ["-m", "program"]
    return subprocess.run(
        [sys.executable, *start, str(checkpoint), end],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


def facts(output: str) -> dict[str, str]:
    lines = (line.rpartition(" ") for line in output.splitlines())
    return {key: value for key, _, value in lines}


def worker_of(output: str) -> tuple[int, str]:
    line = next(line for line in output.splitlines() if line.startswith("worker"))
    _, pid, prefix = line.split()
    return int(pid), prefix


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 20
    while (
        Path(f"/proc/{pid}/stat").exists()
        and Path(f"/proc/{pid}/stat").read_text("utf-8").split(")")[1].split()[0] != "Z"
    ):
        assert time.monotonic() < deadline, f"the worker {pid} outlives its window"
        time.sleep(0.05)


@linux
@pytest.mark.parametrize("how", ["script", "module"])
def test_the_worker_is_a_process_of_its_own(tmp_path, how):
    done = run_program(tmp_path, how, "closes", write_sigmarat(tmp_path / "G.pth"))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # nothing leaked, nothing complained of
    found = facts(done.stdout)
    assert (found["torch here"], found["torch there"], found["Qt there"]) == ("False", "True", "False")
    assert int(found["niceness"]) > 0
    pid, prefix = worker_of(done.stdout)
    wait_until_gone(pid)
    assert not list(Path("/dev/shm").glob(f"{prefix}*"))


@linux
def test_a_program_that_forgets_to_close_still_ends_its_worker(tmp_path):
    done = run_program(tmp_path, "module", "forgets", write_sigmarat(tmp_path / "G.pth"))
    assert (done.returncode, done.stderr) == (0, "")
    wait_until_gone(worker_of(done.stdout)[0])


@linux
def test_a_worker_whose_window_is_killed_ends_at_once_and_leaves_no_memory(tmp_path):
    slow = write_sigmarat(tmp_path / "G.pth", channel=128)
    done = run_program(tmp_path, "module", "dies", slow)
    assert done.returncode == -signal.SIGKILL
    pid, prefix = worker_of(done.stdout)
    wait_until_gone(pid)
    assert not list(Path("/dev/shm").glob(f"{prefix}*"))
    assert "leaked" not in done.stderr


def test_the_client_and_the_window_side_of_it_import_no_torch():
    code = (
        "import sys; import synthview.jobs.client, synthview.gui.worker, synthview.gui.latest, "
        "synthview.gui.panels.library, synthview.gui.panels.generate, synthview.gui.dialogs.open_argument; "
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
    assert done.stdout.strip() == "False"
