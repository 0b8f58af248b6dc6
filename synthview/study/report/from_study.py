"""What a report can say of a study that synthview made: its methods, what its file documents, and pictures of pairs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress

from synthview.errors import StudyError
from synthview.study.protocol import Protocol, Sitting
from synthview.study.protocol_arms import GenerateSource
from synthview.study.report.cards import cards
from synthview.study.report.facts import StudyFacts
from synthview.study.report.pictures import pair_png
from synthview.study.statistics.analyse import Analysis
from synthview.study.statistics.words import count, listed
from synthview.study.stimulus_file import decode_stimulus
from synthview.study.study_folder import LEAK_CHECK, OVERRULED, StudyFolder
from synthview.study.trial import AnswerKey, Trial, Truth


def study_facts(study: StudyFolder, key: AnswerKey, analysis: Analysis) -> StudyFacts:
    """Everything a report is told of a study besides its votes.

    Args:
        study: the coordinator's study.
        key: its opened key.
        analysis: of its votes; it says which pairs are shown.
    """
    protocol = Protocol.parse(key.protocol)
    wanted = {pair for card in cards(analysis) for pair in card.pairs}
    pictures, captions = _pictures(study, key, wanted)
    return StudyFacts(
        title=protocol.title,
        methods=tuple(_methods(study, key, protocol)),
        provides=_provides(protocol),
        thumbnails=pictures,
        captions=captions,
    )


def _methods(study: StudyFolder, key: AnswerKey, protocol: Protocol) -> Iterable[str]:
    counted = Counter(material.arm for material in key.materials)
    arms = [f"{number} of {arm}" for arm, number in sorted(counted.items())]
    yield f"{count(len(key.materials), 'volume')} were prepared ({listed(arms)})."
    made = [name for name, arm in protocol.arms.items() if isinstance(arm.source, GenerateSource)]
    if made:
        yield f"{listed(made)} {'was' if len(made) == 1 else 'were'} generated with consecutive seeds."
    yield (
        "All volumes went through one harmonisation (grid, spacing, orientation, intensity, background and "
        "quantisation) and were shown under random names without any metadata."
    )
    yield _leak_check(study)
    yield (
        f"The order of trials, the sides and the slice positions were drawn for each reader from the seed {key.seed} "
        "before the first trial, sides balanced."
    )
    if protocol.sitting is Sitting.ONE:
        yield "Readers answered in one sitting; a session left unfinished could not be resumed."
    else:
        yield "Readers could leave a session and resume it."
    yield (
        "Readers saw neither the truth nor other readers’ answers; every answer was recorded before the next trial, in "
        "a record in which later changes would show."
    )


def _leak_check(study: StudyFolder) -> str:
    """What came of the search for giveaways, and with what reason it was overruled."""
    checks = study.store.notes(LEAK_CHECK)
    reasons = [str(note["reason"]) for note in study.store.notes(OVERRULED) if note["check"] == len(checks)]
    if not checks:
        return "No check for giveaways that aren’t anatomy is on record."
    if checks[-1]["passed"]:
        return "A check for giveaways that aren’t anatomy (value range, background, quantisation, size) found none."
    said = "A check for giveaways that aren’t anatomy found differences between the arms"
    return f"{said}; it was overruled with the reason “{reasons[-1]}”." if reasons else f"{said}."


def _provides(protocol: Protocol) -> Mapping[str, str]:
    """Topics of the check lists that the study's file documents."""
    in_protocol, in_key = "the study’s protocol", "the study’s key"
    topics = {
        "blinding": "Methods, first paragraph",
        "conditions": f"Methods and {in_protocol}",
        "data": f"arms of {in_protocol}",
        "generators": f"provenance in {in_key} (checkpoint SHA-256, seeds, versions)",
        "preprocessing": "Methods, harmonisation",
        "protocol": in_protocol,
        "randomisation": "Methods, first paragraph",
        "reference": f"the origin of each volume, in {in_key}",
    }
    if not any(isinstance(arm.source, GenerateSource) for arm in protocol.arms.values()):
        topics.pop("generators")
    return topics


def _pictures(study: StudyFolder, key: AnswerKey, wanted: set[str]) -> tuple[dict[str, bytes], dict[str, str]]:
    """A picture of each wanted pair, as the first reader who saw it was shown it, arms in the order of their names."""
    pictures: dict[str, bytes] = {}
    captions: dict[str, str] = {}
    for reader, truths in key.truths.items():
        if not wanted - pictures.keys():
            break
        for trial, truth in zip(study.store.trials(reader), truths, strict=True):
            if truth.item in wanted and truth.item not in pictures:
                with suppress(StudyError):  # a report without a picture is better than none
                    pictures[truth.item] = _picture(study, trial, truth)
                    captions[truth.item] = f"{truth.item}: {' · '.join(sorted(truth.arms))}"
    return pictures, captions


def _picture(study: StudyFolder, trial: Trial, truth: Truth) -> bytes:
    order = sorted(range(len(truth.arms)), key=lambda side: truth.arms[side])
    volumes = [decode_stimulus(study.stimulus_bytes(trial.stimuli[side])) for side in order]
    return pair_png(volumes, trial.plane, trial.position)
