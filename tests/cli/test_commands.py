"""The commands, called as the shell calls them: exit status, stdout, stderr."""

import json
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch

import synthview as sv
from synthview.cli.main import run
from synthview.resources import bundled_checkpoints
from synthview.volume.nifti import sidecar_path
from tests.generators.formula import formula_weights, hagan_shapes, sigmarat_shapes


@pytest.fixture
def rat(tmp_path: Path) -> Path:
    path = tmp_path / "G_iter200000.pth"
    torch.save(formula_weights(sigmarat_shapes(latent=8, channel=4)), path)
    return path


@pytest.fixture
def flat_hagan(tmp_path: Path) -> Path:
    path = tmp_path / "G_iter80000.pth"
    torch.save({"model": {k: torch.tensor(0.01).expand(s) for k, s in hagan_shapes(8).items()}}, path)
    return path


def only_line(text: str) -> str:
    assert text.startswith("synthview: ")
    assert text.count("\n") == 1
    return text


def test_inspect(rat: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inspect", str(rat)]) == 0
    assert "α-WGAN SigmaRat" in capsys.readouterr().out
    assert run(["inspect", str(rat), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["family"], facts["latent_shape"], facts["open_arguments"]) == ("sigmarat", [8], [])


def test_inspect_says_what_is_open(flat_hagan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inspect", str(flat_hagan), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["open_arguments"][0]["choices"] == ["128", "256", "144x192x144"]
    assert run(["inspect", str(flat_hagan), "--arg", "size=128", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["output_shape"] == [1, 128, 128, 128]


def test_decode(rat: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    z = np.random.default_rng(0).standard_normal((2, 8)).astype(np.float32)
    np.save(tmp_path / "z.npy", z)
    out = tmp_path / "raw.npy"
    assert run(["decode", str(rat), "--latents", str(tmp_path / "z.npy"), "--out", str(out), "--json"]) == 0
    raw = np.load(out)
    assert json.loads(capsys.readouterr().out)["shape"] == [2, 1, 64, 64, 64]
    assert raw.dtype == np.float32
    assert np.array_equal(raw, sv.load_generator(rat).decode(z))
    assert not list(tmp_path.glob("*.part"))


def test_a_precision_by_choice(rat: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["generate", str(rat), "--dtype", "bfloat16", "--out", str(tmp_path), "--device", "cpu"]) == 0
    (file,) = capsys.readouterr().out.split()
    made = sv.load_volume(file).provenance
    assert made is not None
    assert made.dtype == "bfloat16"
    assert run(["generate", str(rat), "--dtype", "int4", "--out", str(tmp_path / "no")]) == 2
    assert "auto, float32, bfloat16, float16" in only_line(capsys.readouterr().err)


def test_decode_asked_wrongly(rat: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "z.npy").write_text("not an array")
    np.save(tmp_path / "long.npy", np.ones((1, 9)))
    np.save(tmp_path / "objects.npy", np.array([{}]), allow_pickle=True)
    for latents, says in (
        ("z.npy", "no array of numbers"),
        ("no.npy", "not a file that exists"),
        ("long.npy", "has 8 numbers, got 9"),
        ("objects.npy", "no array of numbers"),
    ):
        arguments = ["decode", str(rat), "--latents", str(tmp_path / latents), "--out", str(tmp_path / "raw.npy")]
        assert run(arguments) == 2
        assert says in only_line(capsys.readouterr().err)
    assert not (tmp_path / "raw.npy").exists()


def test_generate_and_verify(rat: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "made"
    command = ["generate", str(rat), "-n", "2", "--seed", "9", "--truncation", "0.5", "--out", str(out)]
    assert run(command) == 0
    files = capsys.readouterr().out.split()
    assert [Path(f).name for f in files] == ["G_iter200000_seed000009.nii.gz", "G_iter200000_seed000010.nii.gz"]
    volume = sv.load_volume(files[1])
    assert volume.provenance is not None
    assert (volume.provenance.seed, volume.provenance.truncation) == (10, 0.5)
    assert np.array_equal(volume.voxels, sv.load_generator(rat).generate(10, truncation=0.5).voxels)

    before = Path(files[0]).read_bytes()
    assert run(command) == 2
    assert "--overwrite" in only_line(capsys.readouterr().err)
    assert run([*command, "--overwrite", "--json"]) == 0
    assert [v["seed"] for v in json.loads(capsys.readouterr().out)["volumes"]] == [9, 10]
    assert Path(files[0]).read_bytes() == before

    assert run(["verify", files[1], "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["bitwise_equal"], found["max_abs_difference"], found["reproduced"]) == (True, 0, True)


def test_verify_finds_the_checkpoint_or_says_how_to(
    rat: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = sv.load_generator(rat).generate(1).save(tmp_path / "one.nii.gz")
    moved = rat.rename(tmp_path / "renamed.pth")  # beside the volume, under another name
    assert run(["verify", str(file)]) == 0
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    moved = moved.rename(elsewhere / "G.pth")
    (tmp_path / "other.pth").write_bytes(b"another file")
    capsys.readouterr()
    from synthview import userdata

    userdata.data_dir().joinpath("checkpoints.json").unlink()
    assert run(["verify", str(file)]) == 1
    said = only_line(capsys.readouterr().err)
    assert "G_iter200000.pth (SHA-256 " in said
    assert "--checkpoint PATH" in said
    assert run(["verify", str(file), "--checkpoint", str(moved)]) == 0
    assert run(["verify", str(file), "--checkpoint", str(tmp_path / "other.pth")]) == 1
    assert "not the checkpoint" in capsys.readouterr().err


def test_verify_notices_changed_voxels_and_other_versions(
    rat: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from dataclasses import replace

    volume = sv.load_generator(rat).generate(1)
    assert volume.provenance is not None
    voxels = volume.voxels.copy()
    voxels[5, 6, 7] += 0.25
    made = replace(volume.provenance, versions={**volume.provenance.versions, "torch": "1.0"})
    file = replace(volume, voxels=voxels, provenance=made).save(tmp_path / "changed.nii")
    assert run(["verify", str(file), "--json"]) == 1
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert found["max_abs_difference"] == pytest.approx(0.25)
    assert found["differing"] == {"torch": ["1.0", str(torch.__version__)]}
    assert "was not reproduced" in only_line(captured.err)
    assert run(["verify", str(file), "--tolerance", "0.3"]) == 0


def test_verify_without_or_with_damaged_provenance(
    rat: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    volume = sv.load_generator(rat).generate(1)
    plain = tmp_path / "plain.nii"
    nib.save(nib.Nifti1Image(volume.voxels, volume.affine), plain)  # as another program would
    assert run(["verify", str(plain)]) == 1
    assert "does not say how it was made" in only_line(capsys.readouterr().err)
    sidecar_path(plain).write_text('{"format": "synthview-1", "provenance": {"seed": "x"}}')
    assert run(["verify", str(plain)]) == 1
    assert "could not be read" in only_line(capsys.readouterr().err)
    assert run(["verify", str(tmp_path / "none.nii")]) == 1
    only_line(capsys.readouterr().err)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["inpect"], "did you mean synthview inspect"),
        (["nonsense-word"], "neither a command nor a file"),
        (["inspect"], "Missing argument"),
        (["inspect", "x.pth", "--wrong"], "No such option"),
        (["generate", "x.pth", "--out", "o", "-n", "0"], "-n"),
        (["--wrong"], "No such option"),
    ],
)
def test_asked_wrongly(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    captured = capsys.readouterr()
    assert says in only_line(captured.err)
    assert captured.out == ""


def test_a_bundled_name_opens_the_window_as_a_file_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Path] = []
    monkeypatch.setattr("synthview.gui.app.run", lambda files: opened.extend(files) or 0)
    scan = tmp_path / "scan.nii"
    scan.touch()
    assert run(["rat-t2star", str(scan)]) == 0
    assert opened == [bundled_checkpoints()["rat-t2star"], scan]


def test_a_feature_goes_evenly_over_the_volumes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["generate", "brain-tissue-by-age", "--out", str(tmp_path), "-n", "3", "--set", "sex=1"]
    assert run([*command, "--set", "age=20:80"]) == 0
    made = [sv.load_volume(file).provenance for file in capsys.readouterr().out.split()]
    assert [(m.features["age"], m.features["sex"]) for m in made if m and m.features] == [(20, 1), (50, 1), (80, 1)]
    assert run([*command, "--seed", "7", "--set", "age=20:200"]) == 2
    assert "years, got 110, 200" in only_line(capsys.readouterr().err)
    assert len(list(tmp_path.glob("*.nii.gz"))) == 3  # nothing was made before the sentence
    assert run([*command, "--overwrite", "--set", "age=20:old"]) == 2
    assert "NAME=FROM:TO" in only_line(capsys.readouterr().err)


def test_a_table_says_whose_volumes_are_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "participants.tsv"
    table.write_text("participant_id\tage\tsex\nsub-1\t31\tFemale\nsub-2\t74.5\tM\nsub-3\t50\t1\n")
    command = [
        "generate",
        "brain-tissue-by-age",
        "--out",
        str(tmp_path),
        "--table",
        str(table),
        "--set",
        "cognition=27",
    ]
    assert run(command) == 0
    made = [sv.load_volume(file).provenance for file in capsys.readouterr().out.split()]
    told = [{name: m.features[name] for name in ("age", "sex", "cognition")} for m in made if m and m.features]
    assert told == [
        {"age": 31, "sex": 1, "cognition": 27},
        {"age": 74.5, "sex": 0, "cognition": 27},
        {"age": 50, "sex": 1, "cognition": 27},
    ]
    assert run([*command, "-n", "4", "--overwrite"]) == 2
    assert "3 rows, and needs one for each of 4 volumes" in only_line(capsys.readouterr().err)
    table.write_text(table.read_text().replace("\t50\t", "\tn/a\t"))
    assert run([*command, "-n", "2", "--overwrite"]) == 0  # rows that nobody asked for are not looked at


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name,height\na,180\n", "names no conditioning input in its first line; they are age, sex"),
        ("age,sex\n40,0\n140,1\n", "line 3: feature age must be between 18 and 90 years, got 140"),
        ("age;sex\n40;other\n", "line 2: sex is 'other', not a number or one of male, female"),
        ("age\nn/a\n", "line 2: age is 'n/a', not a number; fill it in, or leave the line out"),
        ("age,sex\n40,\n", "line 2: sex is empty, not a number or one of male, female"),
        ("age\n", "has 0 rows"),
        ("", "names no conditioning input"),
    ],
)
def test_tables_that_can_not_be_used(text: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "people.csv"
    table.write_text(text)
    assert run(["generate", "brain-tissue-by-age", "--out", str(tmp_path / "made"), "--table", str(table)]) == 2
    assert says in only_line(capsys.readouterr().err)
    assert not (tmp_path / "made").exists()


def test_bad_pairs(rat: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for extra, says in (
        (["--arg", "size"], "should be NAME=VALUE"),
        (["--arg", "size=128"], "no argument 'size'"),
        (["--set", "age=old"], "needs NAME=NUMBER"),
        (["--set", "age=72"], "no feature 'age'"),
        (["--family", "xgan"], "no family 'xgan'"),
        (["--device", "cuda:97"], "no device 'cuda:97'"),
    ):
        assert run(["generate", str(rat), "--out", str(tmp_path / "o"), *extra]) == 2
        assert says in only_line(capsys.readouterr().err)
    assert not (tmp_path / "o").exists()


def test_failures_are_status_1(flat_hagan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inspect", str(tmp_path / "none.pth"), "--json"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "does not exist" in only_line(captured.err)
    assert run(["generate", str(flat_hagan), "--out", str(tmp_path / "o")]) == 2  # its size has to be said
    assert "--arg size=" in only_line(capsys.readouterr().err)


def test_dask_gives_the_same_bytes(rat: Path, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    here, there = tmp_path / "here", tmp_path / "there"
    options = {"n_workers": 1, "threads_per_worker": 2, "processes": False, "dashboard_address": None}
    assert run(["generate", str(rat), "-n", "3", "--out", str(here)]) == 0
    with distributed.LocalCluster(**options) as cluster:
        address = cluster.scheduler_address
        assert run(["generate", str(rat), "-n", "3", "--out", str(there), "--dask", address]) == 0
    assert len(list(there.iterdir())) == 6
    for file in here.iterdir():
        assert (there / file.name).read_bytes() == file.read_bytes()


def test_an_error_on_a_dask_worker_is_one_sentence(
    rat: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=1, processes=False, dashboard_address=None) as cluster:
        command = ["generate", str(rat), "--out", str(tmp_path / "o"), "--set", "age=3"]
        assert run([*command, "--dask", cluster.scheduler_address]) == 2
    assert "no feature 'age'" in capsys.readouterr().err


def test_the_installed_command_in_a_process(rat: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "synthview", "inspect", str(rat), "--json"], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["family"] == "sigmarat"
    assert done.stderr == ""
    failed = subprocess.run([sys.executable, "-m", "synthview", "x.nii"], capture_output=True, text=True, check=False)
    assert failed.returncode == 2
    only_line(failed.stderr)
