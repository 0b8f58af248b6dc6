"""Trainings: the same to the bit for a seed, also when they were killed, and exported as generators."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import synthview as sv
from synthview.cli.main import run as main
from synthview.errors import CheckpointError, TrainingError, WrongRequestError
from synthview.training.export import WEIGHTS, export_run
from synthview.training.journal import read_journal
from synthview.training.pieces import pack_run, unpack_run
from synthview.training.recipe import Recipe, parse_recipe
from synthview.training.run import train
from tests.training.tiny_set import write_blobs

TOML = """
name = "tiny"
title = "Tiny"
method = "paired"
family = "ha-gan"
seed = 3
[data]
shape = [16, 16, 16]
[network]
latent_dim = 4
channel = 1
[training]
steps = {steps}
batch = 2
log_every = 1
checkpoint_every = 2
sample_every = 50
"""


@pytest.fixture(scope="module")
def blobs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_blobs(tmp_path_factory.mktemp("blobs"))


def tiny(steps: int = 12) -> Recipe:
    import tomllib

    return parse_recipe(tomllib.loads(TOML.format(steps=steps)), "tiny.toml")


def weights_of(run: Path, out: Path) -> bytes:
    return (export_run(run, out) / WEIGHTS).read_bytes()


def test_two_trainings_of_a_seed_give_the_same_weights_and_another_seed_others(blobs: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        train(tiny(), blobs, tmp_path / name)
    train(dataclasses.replace(tiny(), seed=4), blobs, tmp_path / "c")
    made = [weights_of(tmp_path / name, tmp_path / f"{name}-out") for name in "abc"]
    assert made[0] == made[1] != made[2]


def test_a_training_that_was_stopped_every_few_steps_gives_the_same_weights(blobs: Path, tmp_path: Path) -> None:
    train(tiny(), blobs, tmp_path / "whole")
    calls = 0
    outcome = train(tiny(), blobs, tmp_path / "parts", minutes=0)
    while outcome.reason == "time is up":
        calls += 1
        outcome = train(tiny(), None, tmp_path / "parts", minutes=0)
    assert (outcome.reason, calls) == ("finished", 11)  # a step a call
    whole, parts = (weights_of(tmp_path / name, tmp_path / f"{name}-out") for name in ("whole", "parts"))
    assert whole == parts


def test_a_training_killed_at_any_time_goes_on_to_the_same_weights(blobs: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(TOML.format(steps=40), "utf-8")
    run = tmp_path / "run"
    command = [sys.executable, "-m", "synthview", "train", str(recipe), "--data", str(blobs), "--out", str(run)]
    with subprocess.Popen([*command, "--device", "cpu"], stderr=subprocess.DEVNULL) as process:
        while len(read_journal(run)) < 7 and process.poll() is None:
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL, "it was to be killed half-way"
    written = len(read_journal(run))
    assert 7 <= written < 40
    outcome = train(tiny(40), None, run)
    assert outcome.step == 40
    assert [line["step"] for line in read_journal(run)] == list(range(1, 41))  # none twice
    train(tiny(40), blobs, tmp_path / "whole")
    assert weights_of(run, tmp_path / "a") == weights_of(tmp_path / "whole", tmp_path / "b")
    losses = [[{**line, "seconds_per_step": 0} for line in read_journal(r)] for r in (run, tmp_path / "whole")]
    assert losses[0] == losses[1]


def test_sigterm_ends_a_training_with_a_checkpoint(blobs: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(TOML.format(steps=100_000).replace("checkpoint_every = 2", "checkpoint_every = 90000"), "utf-8")
    run = tmp_path / "run"
    command = [sys.executable, "-m", "synthview", "train", str(recipe), "--data", str(blobs), "--out", str(run)]
    with subprocess.Popen([*command, "--device", "cpu", "--json"], stdout=subprocess.PIPE) as process:
        while len(read_journal(run)) < 3 and process.poll() is None:
            time.sleep(0.01)
        process.terminate()
        said = json.loads(process.communicate(timeout=60)[0])
    assert process.returncode == 0
    assert said["reason"] == "stopped"
    assert said["step"] >= 3
    assert (run / "checkpoint.pt").is_file()


def test_losses_fall_and_the_result_opens_as_its_family_with_the_data_s_space(blobs: Path, tmp_path: Path) -> None:
    train(tiny(60), blobs, tmp_path / "run")
    journal = read_journal(tmp_path / "run")
    assert journal[-1]["loss"] < 0.6 * journal[0]["loss"]
    generator = sv.load_generator(export_run(tmp_path / "run", tmp_path / "tiny"))
    assert generator.info.family == "ha-gan"
    assert generator.info.licence == "CC0-1.0"
    volume = generator.generate(seed=1)
    assert volume.voxels.shape == (16, 16, 16)
    assert np.isfinite(volume.voxels).all()
    assert volume.voxels.std() > 0.05
    assert np.allclose(volume.spacing, 2.0)
    card = (tmp_path / "tiny" / "README.md").read_text("utf-8")
    assert "One individual" in card
    assert "CC0-1.0" in card


def test_a_run_shows_samples_and_writes_what_tensorboard_reads(blobs: Path, tmp_path: Path) -> None:
    train(tiny(2), blobs, tmp_path / "run")
    assert {p.name for p in (tmp_path / "run" / "samples").iterdir()} == {"real.png", "step-0000002.png"}
    assert list((tmp_path / "run" / "tensorboard").glob("events.*"))


def test_another_recipe_in_the_same_folder_is_refused(blobs: Path, tmp_path: Path) -> None:
    train(tiny(2), blobs, tmp_path / "run")
    with pytest.raises(WrongRequestError, match="another recipe"):
        train(dataclasses.replace(tiny(2), seed=9), blobs, tmp_path / "run")


def test_a_new_run_needs_a_training_set(tmp_path: Path) -> None:
    with pytest.raises(WrongRequestError, match="--data"):
        train(tiny(), None, tmp_path / "run")


def test_losses_that_are_no_numbers_end_the_training_and_leave_the_checkpoint(blobs: Path, tmp_path: Path) -> None:
    recipe = dataclasses.replace(tiny(2000), loss={"learning_rate": 1e30})
    with pytest.raises(TrainingError, match="learning rate"):
        train(recipe, blobs, tmp_path / "run")


def test_an_unfinished_export_is_refused(blobs: Path, tmp_path: Path) -> None:
    train(tiny(2), blobs, tmp_path / "run")
    export_run(tmp_path / "run", tmp_path / "out")
    with pytest.raises(WrongRequestError, match="--overwrite"):
        export_run(tmp_path / "run", tmp_path / "out")
    (tmp_path / "file").write_text("x")
    for no_run in (tmp_path, tmp_path / "file"):
        with pytest.raises(WrongRequestError, match="not the folder of a training"):
            export_run(no_run, tmp_path / "other")


def test_a_run_in_pieces_goes_on_elsewhere_to_the_same_weights(blobs: Path, tmp_path: Path) -> None:
    train(tiny(), blobs, tmp_path / "here", minutes=0)
    pieces = pack_run(tmp_path / "here", tmp_path / "pieces", piece_bytes=20_000)
    assert len(pieces) > 2
    assert max(piece.stat().st_size for piece in pieces) <= 20_000
    train(tiny(), blobs, unpack_run(tmp_path / "pieces", tmp_path / "there"))
    train(tiny(), blobs, tmp_path / "whole")
    assert weights_of(tmp_path / "there", tmp_path / "a") == weights_of(tmp_path / "whole", tmp_path / "b")
    light = pack_run(tmp_path / "here", tmp_path / "light", light=True)
    assert sum(p.stat().st_size for p in light) < 0.5 * sum(p.stat().st_size for p in pieces)
    train(tiny(), blobs, unpack_run(tmp_path / "light", tmp_path / "elsewhere"))
    pieces[1].write_bytes(b"x")
    with pytest.raises(WrongRequestError, match="damaged"):
        unpack_run(tmp_path / "pieces", tmp_path / "never")


def test_a_run_can_begin_with_another_s_weights(blobs: Path, tmp_path: Path) -> None:
    train(tiny(4), blobs, tmp_path / "first")
    never = dataclasses.replace(tiny(1), seed=8, loss={"learning_rate": 1e-12})
    train(never, blobs, tmp_path / "second", start_from=tmp_path / "first")
    train(never, blobs, tmp_path / "alone")
    first, second, alone = (weights_of(tmp_path / n, tmp_path / f"{n}-out") for n in ("first", "second", "alone"))
    assert first == second != alone


def test_a_run_can_begin_with_a_generator_s_weights(blobs: Path, tmp_path: Path) -> None:
    train(tiny(4), blobs, tmp_path / "first")
    first = weights_of(tmp_path / "first", tmp_path / "made")
    never = dataclasses.replace(tiny(1), seed=8, loss={"learning_rate": 1e-12})
    train(never, blobs, tmp_path / "second", start_from=tmp_path / "made")
    assert weights_of(tmp_path / "second", tmp_path / "again") == first
    wider = dataclasses.replace(never, network={**never.network, "channel": 3, "latent_dim": 5})
    with pytest.raises(WrongRequestError, match="do not fit its networks"):
        train(wider, blobs, tmp_path / "third", start_from=tmp_path / "made")
    assert not (tmp_path / "third").exists()  # which the mended recipe may have
    with pytest.raises(CheckpointError, match="neither a training's folder nor a generator of"):
        train(never, blobs, tmp_path / "fourth", start_from=tmp_path / "nothing")


def test_the_command_line_exports_packs_and_lists(
    blobs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    train(tiny(2), blobs, run)
    assert main(["train", "export", str(run), "--out", str(tmp_path / "made")]) == 0
    assert (tmp_path / "made" / "thumbnail.png").read_bytes().startswith(b"\x89PNG")
    assert main(["train", "pack", str(run), "--out", str(tmp_path / "pieces")]) == 0
    assert main(["train", "unpack", str(tmp_path / "pieces"), "--out", str(tmp_path / "again")]) == 0
    capsys.readouterr()
    assert main(["train", "recipes", "--json"]) == 0
    assert {"rat-t2star", "brain-t1-ldm", "csegsynth"} <= {each["name"] for each in json.loads(capsys.readouterr().out)}
    assert main(["train", "no-such-recipe"]) == 2
    assert "rat-t2star" in capsys.readouterr().err


def test_exporting_a_training_that_goes_on_leaves_its_folder_alone(blobs: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    train(tiny(5), blobs, run)
    with (run / "losses.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"step": 6, "seconds_per_step": 0.1, "loss": 0.5}\n')  # after the checkpoint: it is still training
    before = {path.relative_to(run): path.read_bytes() for path in sorted(run.rglob("*")) if path.is_file()}
    export_run(run, tmp_path / "made")
    assert before == {path.relative_to(run): path.read_bytes() for path in sorted(run.rglob("*")) if path.is_file()}
