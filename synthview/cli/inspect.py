"""``synthview inspect``: what a checkpoint is, without running it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from synthview.cli.shared import Arguments, AsJson, Checkpoint, Family, parse_pairs, print_facts, print_json, size_text

if TYPE_CHECKING:
    from synthview.generators.info import Feature, GeneratorInfo


def inspect(checkpoint: Checkpoint, family: Family = None, arg: Arguments = [], as_json: AsJson = False) -> None:  # noqa: B006
    """Say what a checkpoint is, without running it."""
    from synthview.generators.containers import read_ahead
    from synthview.generators.quick_torch import import_quickly

    read_ahead(Path(checkpoint))
    import_quickly()
    from synthview.generators.loading import Inspection, inspect_checkpoint

    found: Inspection = inspect_checkpoint(checkpoint, family, parse_pairs(arg, "--arg"))
    if as_json:
        open_arguments = [
            {"name": a.name, "question": a.question, "choices": list(a.choices)} for a in found.open_arguments
        ]
        print_json({**found.info.to_dict(), "open_arguments": open_arguments})
        return
    info = found.info
    facts = {
        "name": info.name,
        "family": f"{info.title} ({info.family})",
        "source": info.source,
        "container": info.container,
        "SHA-256": info.sha256,
        "parameters": f"{info.parameters:,}",
        "arguments": ", ".join(f"{k}={_plain(v)}" for k, v in info.arguments.items() if v is not None),
        "latent": size_text(info.latent_shape),
        "output": size_text(info.output_shape) or "not known before the open arguments are",
        "features": ", ".join(_feature(f) for f in info.features) or "none",
        "encoder": "yes: it can reconstruct a scan" if info.can_encode else "none",
    }
    facts |= _manifest_facts(info)
    facts |= {f"open: {a.name}": f"{a.question} --arg {a.name}={'|'.join(a.choices)}" for a in found.open_arguments}
    facts |= {f"note {i}": note for i, note in enumerate(info.notes, start=1)}
    print_facts(facts)


def _manifest_facts(info: GeneratorInfo) -> dict[str, str]:
    """What the manifest says, as far as it does."""
    pairs = {
        "manifest": info.manifest,
        "called": info.label,
        "volumes": ", ".join(f"{name} {_plain(value)}" for name, value in info.output.items()),
        "trained on": info.training_data,
        "licence": info.licence,
        "citation": info.citation,
        "metrics": ", ".join(f"{name} {_plain(value)}" for name, value in info.metrics.items()),
    }
    return {name: " ".join(text.split()) for name, text in pairs.items() if text}


def _feature(feature: Feature) -> str:
    """Its name with its range and unit, or its choices."""
    if feature.categories:
        return f"{feature.name} ({', '.join(f'{i} {name}' for i, name in enumerate(feature.categories))})"
    unit = f" {feature.unit}" if feature.unit else ""
    return f"{feature.name} ({feature.low:g} to {feature.high:g}{unit})"


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return "/".join(map(_plain, value.values()))
    if isinstance(value, float):
        return f"{value:g}"
    return "x".join(map(_plain, value)) if isinstance(value, tuple | list) else str(value)
