"""Resources are found wherever synthview runs from."""

import sys

import pytest

from synthview import resources


@pytest.fixture(autouse=True)
def fresh_cache():
    resources._root.cache_clear()
    yield
    resources._root.cache_clear()


def test_the_checkout_holds_what_the_code_asks_for():
    assert resources.resource_path("style", "dark.qss").is_file()


def test_a_frozen_application_brings_its_own(tmp_path, monkeypatch):
    weights = tmp_path / "weights" / "brain" / "weights.safetensors"
    weights.parent.mkdir(parents=True)
    weights.touch()
    (tmp_path / "resources").mkdir()
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path), raising=False)
    assert resources.resource_path("a", "b") == tmp_path / "resources" / "a" / "b"
    assert resources.bundled_checkpoints() == {"brain": weights.parent}
