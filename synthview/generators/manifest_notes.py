"""Notes on a checkpoint: what its manifest settles is no longer noted, what nobody says is."""

from __future__ import annotations

import re
from collections.abc import Iterable

from synthview.generators.manifest import Manifest

# What families' notes are about, by their words.  A note goes once the manifest says everything that it is about.
_SUBJECTS = {
    "spacing": re.compile(r"\bspacing\b", re.IGNORECASE),
    "orientation": re.compile(r"\b(axes|directions|orientation)\b", re.IGNORECASE),
    "kind": re.compile(r"\bCT or MR\b|\bchannels are\b"),
    "family": re.compile(r"\bThe paper calls\b"),
    "features": re.compile(r"\b(the|their \d+) features\b|\bconditions' ranges\b", re.IGNORECASE),
}
_ARGUMENT = re.compile(r"\bargument (\w+)")  # of notes on a choice: settled once the manifest says that argument
_UNKNOWN = {"licence": "licence", "training_data": "training data"}


def settled_notes(notes: Iterable[str], manifest: Manifest | None) -> tuple[str, ...]:
    """A family's notes without those that the manifest settles, then what nobody says."""
    if manifest is None:
        return (*notes, "Licence and training data are unknown: no manifest.json beside the weights says them.")
    output = manifest.output
    said = {
        "spacing": output.spacing is not None,
        "orientation": bool(output.orientation),
        "kind": output.kind is not None,
        "family": bool(manifest.family),
        "features": bool(manifest.features),
    }
    kept = [note for note in notes if not (_is_settled(note, said) or _is_decided(note, manifest))]
    settled = [
        name for name in ("spacing", "orientation") if said[name] and any(_SUBJECTS[name].search(n) for n in kept)
    ]
    if settled:
        kept.append(f"For {' and '.join(settled)}, what the manifest says holds.")
    if missing := [words for name, words in _UNKNOWN.items() if not getattr(manifest, name)]:
        kept.append(f"The manifest does not say: {', '.join(missing)}.")
    return tuple(kept)


def _is_settled(note: str, said: dict[str, bool]) -> bool:
    about = [name for name, words in _SUBJECTS.items() if words.search(note)]
    return bool(about) and all(said[name] for name in about)


def _is_decided(note: str, manifest: Manifest) -> bool:
    named = _ARGUMENT.search(note)
    return named is not None and named[1] in manifest.arguments
