"""``synthview study check``: is it whole, how far is everybody, and what is shown when."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synthview.cli.shared import AsJson, print_facts, print_json
from synthview.cli.study_passphrase import PassphraseFile, given_passphrase

if TYPE_CHECKING:
    from synthview.study.place import StudyPlace
    from synthview.study.study_check import StudyFacts
    from synthview.study.trial import Trial


def check(
    path: Annotated[Path, typer.Argument(help="A study's folder, a reader's bundle, or a protocol file.")],
    *,
    schedule: Annotated[bool, typer.Option(help="Print every reader's trials.")] = True,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Verify a study's record row by row, its schedule and its stimuli; with the passphrase also the balance."""
    if path.suffix.lower() in (".yaml", ".yml", ".json"):
        _check_protocol(path, as_json=as_json)
        return
    from synthview.study.place import open_place
    from synthview.study.study_check import check_study

    place = open_place(path)
    try:
        facts = check_study(place)
        sides = _balance(place, passphrase_file)
        trials = {reader: place.store.trials(reader) for reader in place.store.readers} if schedule else {}
    finally:
        place.close()
    if as_json:
        shown = {reader: [trial.to_dict() for trial in own] for reader, own in trials.items()}
        print_json({**asdict(facts), "balance": sides, "schedule": shown})
        return
    _print(facts)
    for reader, own in trials.items():
        _print_trials(reader, own)
    for reader, counts in sides.items():
        typer.echo(f"{reader}: " + "; ".join(f"{where} {_counts(what)}" for where, what in counts.items() if what))


def _check_protocol(path: Path, *, as_json: bool) -> None:
    from synthview.study.protocol import Protocol

    protocol = Protocol.load(path)
    facts: dict[str, Any] = {
        "title": protocol.title,
        "readers": len(protocol.readers),
        "trials_per_reader": sum(section.trials_per_reader for section in protocol.sections),
        "volumes_needed": protocol.volumes_needed(),
    }
    if as_json:
        print_json(facts)
        return
    facts["volumes_needed"] = _counts(facts["volumes_needed"])
    print_facts({name.replace("_", " "): str(value) for name, value in facts.items()})


def _balance(place: StudyPlace, file: Path | None) -> dict[str, dict[str, Any]]:
    """How often each arm is where, for the coordinator who gives the passphrase; nothing without it."""
    from synthview.study.study_check import balance, check_key
    from synthview.study.study_folder import StudyFolder

    secret = given_passphrase(file)
    if secret is None or not isinstance(place, StudyFolder):
        return {}
    key = place.key(secret)
    check_key(place, key)
    return balance(key)


def _print(facts: StudyFacts) -> None:
    print_facts(
        {
            "title": facts.title,
            "study": facts.study,
            "made": f"{facts.at} by {facts.program}",
            "schedule": facts.schedule_sha256,
            "stimuli": f"{facts.stimuli}, all as they were sealed",
            "record": "every row as it was written",
            "readers may begin": f"no: {facts.blocked}" if facts.blocked else "yes",
        }
    )
    for one in facts.readers:
        by = " (simulated)" if one.simulated else ""
        typer.echo(f"{one.reader}: {one.standing}, {one.answered} of {one.trials} trials{by}")


def _print_trials(reader: str, trials: tuple[Trial, ...]) -> None:
    typer.echo(f"\n{reader}  trial  part  plane     position  stimuli")
    pad = " " * len(reader)
    for trial in trials:
        practice = "  practice" if trial.practice else ""
        typer.echo(
            f"{pad}  {trial.number:5}  {trial.section + 1:4}  {trial.plane:<8}  {trial.position:8.4f}  "
            f"{'  '.join(trial.stimuli)}{practice}"
        )


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
