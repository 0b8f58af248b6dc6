"""From a protocol to stimuli on disk: arms made or read, harmonised, sealed under opaque names, checked for leaks."""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from synthview.errors import SaveError
from synthview.generators.loading import open_generator
from synthview.jobs.batches import Batch, run_batch
from synthview.jobs.task import Progress
from synthview.study.arms import Looked, MakeVolumes, Scan, look_at, orientation_notes, scans_of, settle, stimuli
from synthview.study.built import Built
from synthview.study.leak_facts import StimulusFacts, facts_of
from synthview.study.leaks import LeakVerdict, check_leaks
from synthview.study.protocol import Protocol
from synthview.study.protocol_arms import GenerateSource
from synthview.study.stimulus_file import decode_stimulus, stimulus_path, write_stimulus
from synthview.study.trial import Material, StimulusId

_MADE, _LOOKED = 0.5, 0.7  # of the progress: volumes are made, looked at; the rest is harmonised
_LOADS = 3


def build_materials(
    protocol: Protocol, base: Path, folder: Path, progress: Progress | None = None, *, device: str = "auto"
) -> Built:
    """Make or read every arm's volumes, harmonise them, write them as stimulus files, and check for leaks.

    Args:
        protocol: what is needed of which arm.
        base: the protocol's folder; relative paths are taken from it.
        folder: of the stimulus files; made if it isn't there.
        progress: called with the fraction done; may raise ``Cancelled``.
        device: where generators compute.

    Raises:
        StudyError: too few volumes, volumes that can't be used (all are named), or arms that can't be harmonised.
        SynthviewError: a checkpoint can't be used, or the disk refused.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SaveError(f"{folder} can't be made a folder: {error.strerror or error}; choose another") from error
    with tempfile.TemporaryDirectory(prefix="synthview-arms-") as work:

        def make(source: GenerateSource, count: int, folder: Path, progress: Progress | None) -> list[Path]:
            return make_volumes(_from(source, base), count, folder, progress, device=device)

        looked = look_at(_scans(protocol, base, Path(work), make, progress), _part(progress, _MADE, _LOOKED))
        settled = settle(looked, protocol.harmonisation)
        facts: list[StimulusFacts] = []
        materials: list[Material] = []
        for made in stimuli(_mixed(looked), settled, _part(progress, _LOOKED, 1.0)):
            name, sha256 = write_stimulus(folder, made.volume)
            materials.append(Material(name, made.arm, made.origin, sha256))
            facts.append(facts_of(made.arm, made.volume, name=f"{'x' * len(name)}.stimulus"))  # its letters are drawn
    order = {name: number for number, name in enumerate(protocol.arms)}
    verdict = _verdict(facts, materials, folder)
    report = {
        **verdict.to_dict(),
        "sentences": verdict.sentences(),
        "notes": orientation_notes(looked),
        "plan": settled.to_dict(),
    }
    return Built(tuple(sorted(materials, key=lambda one: order[one.arm])), verdict.passes, report)


def make_volumes(
    source: GenerateSource, count: int, folder: Path, progress: Progress | None = None, *, device: str = "auto"
) -> list[Path]:
    """Make the first ``count`` volumes of a checkpoint and save them, each with its provenance.

    Raises:
        SynthviewError: the checkpoint can't be used, a feature is unknown, or the folder can't be written.
    """
    info = open_generator(source.checkpoint, dict(source.arguments), device).info
    batch = Batch(
        checkpoint=source.checkpoint,
        sha256=info.sha256,
        count=count,
        seed=source.seed,
        truncation=1.0 if source.truncation is None else source.truncation,
        features=source.features,
        device=device,
        arguments=source.arguments,
    )
    return run_batch(batch, folder, overwrite=True, progress=progress)


def _scans(protocol: Protocol, base: Path, work: Path, make: MakeVolumes, progress: Progress | None) -> list[Scan]:
    """Every arm's volumes, made where they come from a checkpoint."""
    needed = protocol.volumes_needed()
    scans: list[Scan] = []
    for number, (name, count) in enumerate(needed.items()):
        share = _part(progress, _MADE * number / len(needed), _MADE * (number + 1) / len(needed))
        source = protocol.arms[name].source
        scans += scans_of(name, source, needed=count, base=base, work=work, make=make, progress=share)
    return scans


def _from(source: GenerateSource, base: Path) -> GenerateSource:
    """The source with its checkpoint's path taken from the protocol's folder, unless it names a bundled one."""
    there = base / source.checkpoint
    return replace(source, checkpoint=str(there)) if there.exists() else source


def _mixed(looked: Sequence[Looked]) -> list[Looked]:
    """In random order, so that the order of writing (and the files' times) says nothing."""
    order = list(looked)
    secrets.SystemRandom().shuffle(order)
    return order


def _verdict(facts: Sequence[StimulusFacts], materials: Sequence[Material], folder: Path) -> LeakVerdict:
    """The leak check on what readers get, files and load times included."""
    paths = {one.stimulus: stimulus_path(folder, one.stimulus) for one in materials}
    times = _load_times(paths)
    whole = [
        StimulusFacts(
            fact.arm,
            fact.categories,
            {**fact.measures, "file size": float(paths[one.stimulus].stat().st_size), "load time": times[one.stimulus]},
        )
        for fact, one in zip(facts, materials, strict=True)
    ]
    arms = {fact.arm for fact in facts}
    counts = {arm: sum(fact.arm == arm for fact in facts) for arm in arms}
    alone = sorted(arm for arm, count in counts.items() if count < 2)
    verdict = check_leaks([fact for fact in whole if fact.arm not in alone])
    if not alone:
        return verdict
    words = f"Not checked, as there is one volume only: {', '.join(alone)}."
    return LeakVerdict(verdict.pairs, (*verdict.warnings, words))


def _load_times(paths: dict[StimulusId, Path]) -> dict[StimulusId, float]:
    """Milliseconds to open each stimulus: the median of three, in an order mixed between the arms."""
    taken: dict[StimulusId, list[float]] = {name: [] for name in paths}
    rng = np.random.default_rng(0)
    names = list(paths)
    for _ in range(_LOADS):
        for number in rng.permutation(len(names)):
            began = time.perf_counter()
            decode_stimulus(paths[names[number]].read_bytes()).voxels.max()
            taken[names[number]].append((time.perf_counter() - began) * 1000)
    return {name: float(np.median(times)) for name, times in taken.items()}


def _part(progress: Progress | None, begin: float, end: float) -> Callable[[float], None] | None:
    if progress is None:
        return None
    return lambda fraction: progress(begin + (end - begin) * fraction)
