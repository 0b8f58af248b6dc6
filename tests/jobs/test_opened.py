"""Which generators the worker keeps, and what it says when one fails."""

from __future__ import annotations

import os

import numpy as np
import pytest
import torch

from synthview import userdata
from synthview.errors import SynthviewError
from synthview.generators.info import GenerateRequest, GeneratorInfo
from synthview.jobs import opened
from synthview.jobs.messages import Generate, Job, OpenCheckpoint
from synthview.jobs.opened import MAX_OPENED, OpenedGenerators, explain
from synthview.volume import Volume
from tests.small_checkpoint import write_sigmarat


def ignore_progress(_fraction: float) -> None:
    pass


def open_job(path, **arguments: object) -> OpenCheckpoint:
    return OpenCheckpoint(1, str(path), "cpu", None, arguments)


def generate_job(path) -> Generate:
    return Generate(2, str(path), GenerateRequest(seed=3), "cpu")


@pytest.fixture
def loads(monkeypatch) -> list[str]:
    """The files read from disk, in order."""
    read: list[str] = []
    really_load = opened.open_generator

    def load(path: str, *options: object):
        read.append(os.path.basename(path))  # noqa: PTH119
        return really_load(path, *options)

    monkeypatch.setattr(opened, "open_generator", load)
    return read


def volume_of(generators: OpenedGenerators, job: Job) -> Volume:
    result = generators.work_on(job, ignore_progress)
    assert isinstance(result, Volume)
    return result


def test_a_generator_is_read_once(tmp_path, loads):
    path = write_sigmarat(tmp_path / "G.pth")
    generators = OpenedGenerators()
    assert isinstance(generators.work_on(open_job(path), ignore_progress), GeneratorInfo)
    first, second = (volume_of(generators, generate_job(path)) for _ in range(2))
    assert loads == ["G.pth"]
    np.testing.assert_array_equal(first.voxels, second.voxels)


def test_a_file_written_anew_is_read_anew(tmp_path, loads):
    path = write_sigmarat(tmp_path / "G.pth", seed=0)
    generators = OpenedGenerators()
    before = volume_of(generators, generate_job(path))
    write_sigmarat(path, seed=1)
    os.utime(path, ns=(1, 1))
    after = volume_of(generators, generate_job(path))
    assert loads == ["G.pth", "G.pth"]
    assert not np.array_equal(before.voxels, after.voxels)


def test_only_the_last_used_are_kept(tmp_path, loads):
    paths = [write_sigmarat(tmp_path / f"G{number}.pth", seed=number) for number in range(MAX_OPENED + 1)]
    generators = OpenedGenerators()
    for path in [
        *paths[:-1],
        paths[0],
        paths[-1],
        paths[0],
        paths[1],
    ]:  # the last one pushes out paths[1], not paths[0]
        generators.work_on(open_job(path), ignore_progress)
    assert loads == ["G0.pth", "G1.pth", "G2.pth", "G3.pth", "G1.pth"]


def test_other_arguments_are_another_generator_and_are_remembered_if_asked(tmp_path, loads):
    path = write_sigmarat(tmp_path / "G.pth")
    generators = OpenedGenerators()
    info = generators.work_on(open_job(path), ignore_progress)
    job = OpenCheckpoint(1, str(path), "cpu", None, {"batch_statistics": True}, remember=True)
    generators.work_on(job, ignore_progress)
    assert len(loads) == 2
    assert isinstance(info, GeneratorInfo)
    assert userdata.answers(info.sha256) == {"batch_statistics": True}


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes"),
    ],
)
def test_when_memory_runs_out_all_generators_are_let_go(tmp_path, monkeypatch, error):
    paths = [write_sigmarat(tmp_path / f"G{number}.pth") for number in range(2)]
    generators = OpenedGenerators()
    generators.work_on(open_job(paths[0]), ignore_progress)

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(opened, "open_generator", fail)
    with pytest.raises(type(error)):
        generators.work_on(open_job(paths[1]), ignore_progress)
    assert not generators._kept
    assert "too little free memory" in str(explain(open_job(paths[1]), error))


def test_a_fault_is_explained_in_one_line(tmp_path):
    sentence = explain(generate_job(tmp_path / "G.pth"), ValueError("shapes differ.\nmuch more"))
    assert type(sentence) is SynthviewError
    assert str(sentence) == "No volume could be made from G.pth, because of a fault in synthview: shapes differ."
