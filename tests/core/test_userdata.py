"""What is kept for a user between runs."""

import pytest

from synthview import userdata


@pytest.fixture(autouse=True)
def data_dir(tmp_path, monkeypatch):
    monkeypatch.setenv("SYNTHVIEW_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


def test_a_checkpoint_is_found_by_its_sha256_while_it_is_there(tmp_path):
    path = tmp_path / "G.pth"
    path.write_bytes(b"x")
    userdata.remember_checkpoint("ab" * 32, path)
    assert userdata.seen_checkpoint("ab" * 32) == path
    assert userdata.seen_checkpoint("cd" * 32) is None
    path.unlink()
    assert userdata.seen_checkpoint("ab" * 32) is None


def test_answers_are_kept_and_added_to():
    userdata.remember_answers("ab" * 32, {"size": 128})
    userdata.remember_answers("ab" * 32, {"num_class": 2})
    assert userdata.answers("ab" * 32) == {"size": 128, "num_class": 2}
    assert userdata.answers("cd" * 32) == {}


@pytest.mark.parametrize("damage", [b"", b"{", b"[1, 2]", b"\xff\xfe"])
def test_a_damaged_file_means_that_nothing_is_known_and_is_replaced(data_dir, damage):
    data_dir.mkdir()
    (data_dir / "answers.json").write_bytes(damage)
    assert userdata.answers("ab" * 32) == {}
    userdata.remember_answers("ab" * 32, {"size": 256})
    assert userdata.answers("ab" * 32) == {"size": 256}


def test_a_folder_that_cannot_be_written_costs_nothing(tmp_path, monkeypatch):
    blocker = tmp_path / "file"
    blocker.write_text("not a folder")
    monkeypatch.setenv("SYNTHVIEW_DATA_DIR", str(blocker))
    userdata.remember_answers("ab" * 32, {"size": 128})
    assert userdata.answers("ab" * 32) == {}
