"""Studies small enough to be walked in a test: volumes of 8³ voxels, arms whose names must never be seen."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from synthview.study.built import Built
from synthview.study.protocol import Protocol
from synthview.study.session import ReadingSession
from synthview.study.stimulus_file import write_stimulus
from synthview.study.study_folder import StudyFolder, create_study, new_folder
from synthview.study.trial import Answer, Material, StimulusId
from synthview.volume import Volume, Window

PASSPHRASE = "correct horse battery"
ARMS = """
arms:
  real: {folder: /hospital/oasis30}
  zebragan: {generate: {checkpoint: /secret/zebragan.pth, seed: 0}}
  quaggaldm: {generate: {checkpoint: /secret/quaggaldm.pth, seed: 0}}
"""
PUBLISHED = f"""
title: Real or synthetic?
readers: 12
seed: 20240501
questionnaire:
  - {{name: expertise, question: "How far are you?", choices: [resident, specialist], required: false}}
{ARMS}
sections:
  - kind: 2afc-real
    title: First part
    pairs: 5
    difficulty: true
    presentation: {{shown_as: random-slice, planes: [axial, coronal, sagittal]}}
  - kind: 2afc-synthetic
    title: Second part
    pairs: 30
    difficulty: true
    presentation: {{shown_as: random-slice, planes: [axial, coronal, sagittal]}}
"""
RESUMABLE = f"""
title: One at a time
readers: [ann, bob, cy]
sitting: resumable
seed: 5
{ARMS}
sections:
  - kind: turing
    title: Single scans
    volumes: {{real: 8, zebragan: 6, quaggaldm: 6}}
    comment: true
"""


def make_study(
    folder: Path, protocol: str, record: str | None = None, *, leak_passed: bool = True, fresh: bool = False
) -> StudyFolder:
    """A study in ``folder`` with the volumes that it needs; on SQLite a copy of an earlier one unless fresh."""
    if record is not None or fresh:
        return _build(folder, protocol, record, leak_passed)
    shutil.copytree(_template(protocol, leak_passed), folder)
    return StudyFolder.open(folder)


@cache
def _template(protocol: str, leak_passed: bool) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="sv-study-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _build(folder / "study", protocol, None, leak_passed).close()
    return folder / "study"


def _build(folder: Path, protocol: str, record: str | None, leak_passed: bool) -> StudyFolder:
    asked = Protocol.parse(protocol)
    built = Built(make_materials(new_folder(folder), asked), leak_passed, {"found": "zebragan is brighter"})
    return create_study(folder, asked, built, PASSPHRASE, record=record)


def make_paper_study(folder: Path, protocol: str, record: str | None = None) -> StudyFolder:
    """A study without stimulus files: for walking thousands of trials that nobody looks at."""
    new_folder(folder)
    asked = Protocol.parse(protocol)
    materials = tuple(
        Material(StimulusId(f"{arm[:2]}{number:010d}"), arm, {}, "0" * 64)
        for arm, count in asked.volumes_needed().items()
        for number in range(count)
    )
    return create_study(folder, asked, Built(materials, True), PASSPHRASE, record=record)


def make_materials(stimuli: Path, protocol: Protocol) -> tuple[Material, ...]:
    materials = []
    for arm, count in protocol.volumes_needed().items():
        for number in range(count):
            voxels = np.random.default_rng(number).integers(0, 255, (8, 8, 8), dtype=np.uint8)
            volume = Volume(voxels, np.diag([1.0, 1.0, 1.0, 1.0]), window=Window(128, 256), name=f"{arm}_{number}")
            name, sha256 = write_stimulus(stimuli, volume)
            materials.append(Material(name, arm, {"source": f"/secret/{arm}/{number}.nii.gz"}, sha256))
    return tuple(materials)


def any_answer(session: ReadingSession) -> Answer:
    """An answer that the screen allows: always the first choice, always the middle."""
    screen = session.screen
    return Answer(
        choice=screen.choices[0] if screen.choices else "",
        confidence=3 if screen.confidence else None,
        ratings={item.name: 2 for item in screen.items},
        difficulty=3 if screen.difficulty else None,
    )


def walk(session: ReadingSession, most: int | None = None) -> int:
    """Answer up to so many trials; returns how many were."""
    done = 0
    while session.trial is not None and (most is None or done < most):
        session.shown()
        session.confirm(any_answer(session))
        done += 1
    return done
