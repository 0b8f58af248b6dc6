"""What a protocol comes to: how many questions, how long, how many volumes, how the sides fall.  No Qt."""

from __future__ import annotations

from collections import Counter

from synthview.study.protocol import Protocol
from synthview.study.protocol_sections import Section
from synthview.study.schedule import Schedule, Truths, draw_schedule
from synthview.study.trial import Material, StimulusId

_SECONDS = {1: 12, 2: 18}  # for a trial of one and of two stimuli; published sittings took about as long
_SHOWN_READERS = 3


def outlook(protocol: Protocol) -> str:
    """Some lines for the coordinator: volumes needed, trials and minutes, and the first readers' schedule."""
    lines = [
        f"{len(protocol.readers)} readers, {_trials(protocol)} questions each, about {_minutes(protocol)} minutes."
    ]
    for number, section in enumerate(protocol.sections, start=1):
        lines.append(f"Part {number}: {section.trials_per_reader} questions – {section.screen.question}")
    needed = ", ".join(f"{count} of {arm}" for arm, count in protocol.volumes_needed().items())
    lines.append(f"Volumes needed: {needed}.")
    return "\n".join(lines)


def schedule_preview(protocol: Protocol) -> str:
    """How the first readers' trials fall, with stand-ins for the volumes; drawn as the study's own will be.

    Raises:
        StudyError: the schedule can't be drawn.
    """
    stand_ins = tuple(
        Material(StimulusId(f"{arm}-{number + 1}"), arm, {}, "")
        for arm, count in protocol.volumes_needed().items()
        for number in range(count)
    )
    schedule, truths = draw_schedule(protocol, stand_ins, protocol.seed or 0)
    lines = [] if protocol.seed is not None else ["An example: the study's own order is drawn when it is made."]
    for reader in protocol.readers[:_SHOWN_READERS]:
        lines.append(f"{reader}: {_sides(protocol, schedule, truths, reader)}")
        lines += _first_trials(protocol, schedule, reader)
    return "\n".join(lines)


def _sides(protocol: Protocol, schedule: Schedule, truths: Truths, reader: str) -> str:
    found = Counter(
        truth.correct
        for trial, truth in zip(schedule.trials[reader], truths[reader], strict=True)
        if truth.correct and protocol.sections[trial.section].screen.kind.panels == 2
    )
    if not found:
        return f"{len(schedule.trials[reader])} questions"
    return f"real on the left in {found['left']}, on the right in {found['right']}"


def _first_trials(protocol: Protocol, schedule: Schedule, reader: str) -> list[str]:
    lines = []
    for trial in schedule.trials[reader][:4]:
        shown = " | ".join(trial.stimuli)
        kind = " (practice)" if trial.practice else ""
        lines.append(f"    {trial.number}.  {shown},  {trial.plane} at {trial.position:.0%}{kind}")
    return lines


def _trials(protocol: Protocol) -> int:
    return sum(section.trials_per_reader for section in protocol.sections)


def _minutes(protocol: Protocol) -> int:
    return max(1, round(sum(map(_section_s, protocol.sections)) / 60))


def _section_s(section: Section) -> float:
    asked = _SECONDS[section.screen.kind.panels] + 4 * len(section.screen.items)
    return section.trials_per_reader * asked
