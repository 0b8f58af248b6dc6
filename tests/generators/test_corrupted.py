"""Damaged and hostile checkpoints through the command line's own code: one clear sentence each, and nothing runs."""

import faulthandler
import json
import re
import resource
import sys
from pathlib import Path

import pytest

from synthview.cli.main import run
from tests.generators.corruption import TRACE, write_corpus

WATCHDOG_S = 60  # for one file; on time-out the whole run ends and says where it hung
MOST_MEMORY_KB = 2_000_000
WHAT_TO_DO = re.compile(
    r"again|instead|choose|save|open it|unpack|correct|damaged|leave|where it was made|trust|say --arg|--family|needs",
    re.IGNORECASE,
)


def said_of(path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    faulthandler.dump_traceback_later(WATCHDOG_S, exit=True, file=sys.__stderr__)
    try:
        status = run(["inspect", str(path), "--json"])
    finally:
        faulthandler.cancel_dump_traceback_later()
    output = capsys.readouterr()
    return status, output.out, output.err


@pytest.mark.parametrize(
    ("count", "seed"), [(90, 0), pytest.param(500, 1, marks=[pytest.mark.slow, pytest.mark.timeout(3000)])]
)
def test_spoilt_checkpoints(tmp_path: Path, capsys: pytest.CaptureFixture[str], count: int, seed: int) -> None:
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # of the tests before
    folder = tmp_path / "corpus"
    paths = write_corpus(folder, count, seed)
    assert len(paths) == count
    said = {path: said_of(path, capsys) for path in paths}
    for path, (status, out, err) in said.items():
        if status == 0:  # the damage is in numbers that nobody can check, or harmless
            assert json.loads(out)["family"], path
            assert err == "", path
            continue
        assert status in {1, 2}, path
        lines = err.splitlines()
        assert len(lines) == 1, (path, err)
        assert lines[0].startswith("synthview: "), (path, err)
        assert path.name in lines[0], (path, err)  # where
        assert WHAT_TO_DO.search(lines[0]), (path, err)
        assert len(lines[0]) < 1500, (path, err)
        assert all(c.isprintable() for c in lines[0]), (path, err)
        assert "Traceback" not in err, path
    assert sum(status != 0 for status, _, _ in said.values()) > 0.8 * count
    assert not list(folder.rglob(TRACE)), "code from a file was run"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < max(before_kb, MOST_MEMORY_KB)
