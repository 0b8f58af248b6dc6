"""From a protocol to sealed stimuli, with a real generator and files."""

import pytest

from synthview.errors import Cancelled, StudyError
from synthview.jobs.study_building import build_materials
from synthview.study.leaks import LeakVerdict
from synthview.study.protocol import Protocol
from synthview.study.stimulus_file import decode_stimulus, stimulus_path
from synthview.volume import save_volume
from tests.small_checkpoint import write_sigmarat
from tests.study.bodies import body

PROTOCOL = """
title: Which is real?
readers: 1
arms:
  real: {folder: scans}
  gan: {generate: {checkpoint: g.pth, seed: 5}}
harmonisation: {shape: [32, 32, 32], spacing_mm: 3.0, levels: 32}
sections:
  - {kind: 2afc-real, title: One, pairs: 5}
"""


@pytest.fixture
def base(tmp_path):
    (tmp_path / "scans").mkdir()
    for seed in range(5):
        save_volume(body(seed), tmp_path / "scans" / f"{seed}.nii.gz")
    write_sigmarat(tmp_path / "g.pth")
    return tmp_path


def test_a_protocol_becomes_blinded_stimuli(base):
    fractions = []
    out = base / "stimuli"
    built = build_materials(Protocol.parse(PROTOCOL), base, out, fractions.append, device="cpu")
    assert [one.arm for one in built.materials] == ["real"] * 5 + ["gan"] * 5
    assert built.materials[5].provenance["provenance"]["seed"] in range(5, 10)
    files = sorted(out.iterdir())
    assert len({(path.stat().st_size, path.suffix) for path in files}) == 1
    content = b"".join(path.read_bytes() for path in files)
    assert not any(word in content for word in (b"real", b"gan", b"g.pth", b"scans"))
    shown = [decode_stimulus(stimulus_path(out, one.stimulus).read_bytes()) for one in built.materials]
    assert {(volume.shape, volume.spacing) for volume in shown} == {((32, 32, 32), (3.0, 3.0, 3.0))}
    verdict = LeakVerdict.from_dict({key: built.leak_report[key] for key in ("pairs", "warnings", "overruled")})
    assert verdict.passes == built.leak_passed
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1


def test_too_few_volumes_are_said_before_anything_is_made(base):
    (base / "scans" / "4.nii.gz").unlink()
    with pytest.raises(StudyError, match="holds 4 volumes, and the sections need 5"):
        build_materials(Protocol.parse(PROTOCOL), base, base / "stimuli")
    assert list((base / "stimuli").iterdir()) == []


def test_building_can_be_cancelled(base):
    def cancel(fraction):
        if fraction > 0.55:
            raise Cancelled

    with pytest.raises(Cancelled):
        build_materials(Protocol.parse(PROTOCOL), base, base / "stimuli", cancel, device="cpu")
