"""The model card of a training's result: what it was made of, how, how far, and for what not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from synthview.generators.manifest import Manifest
from synthview.training.runs import START, RunRecord
from synthview.training.samples import Samples

SAMPLES = "samples.png"  # the sheet of samples beside the card


def model_card(
    record: RunRecord, samples: Samples, manifest: Manifest, step: int, journal: Sequence[Mapping[str, float]]
) -> str:
    """The card as Markdown."""
    recipe, about = record.recipe, samples.data.about
    parts = [f"# {recipe.title}", recipe.card.summary]
    if about.noncommercial:
        parts.append(
            f"**Non-commercial.** The weights were trained on data under {about.licence}; the same terms hold for "
            "them and for what they make."
        )
    if about.one_individual:
        parts.append(
            "**One individual, for trying the tools.** Every volume shows the same anatomy in other proportions."
        )
    if step < recipe.training.steps:
        parts.append(f"**An early version**: {step} of the recipe's {recipe.training.steps} steps, on a processor.")
    parts += [f"![16 samples]({SAMPLES})", _shown(manifest), "## Trained on", _data(samples)]
    if recipe.card.simulated:
        parts.append(f"Simulated: {recipe.card.simulated}")
    parts += ["## How", _how(record, samples, step, journal)]
    if manifest.features:
        lines = [
            f"- `{f.name}`: {f.label}{f' ({f.unit})' if f.unit else ''}"
            + "".join(
                f"; where it is not given, {slope:+g} for each of `{other}`" for other, slope in f.follows.items()
            )
            for f in manifest.features
        ]
        parts += ["## Features", "\n".join(lines)]
    if journal:
        last = {name: value for name, value in journal[-1].items() if name not in ("step", "seconds_per_step")}
        figures = ", ".join(f"{name} {value:.4g}" for name, value in last.items())
        parts += ["## Figures", f"Training losses at step {journal[-1]['step']}: {figures}."]
    if recipe.card.limits:
        parts += ["## Not for", recipe.card.limits]
    return "\n\n".join(part for part in parts if part) + "\n"


def _shown(manifest: Manifest) -> str:
    """What the sheet of samples shows."""
    seeds = "Middle axial slices of the seeds 0 to 15, as radiologists see them"
    for feature in [f for f in manifest.features if not f.categories][:1]:
        unit = f" {feature.unit}" if feature.unit else ""
        return (
            f"{seeds}, each with all features of a sample trained on; `{feature.name}` goes from {feature.low:g} to "
            f"{feature.high:g}{unit}."
        )
    return f"{seeds}."


def _data(samples: Samples) -> str:
    about = samples.data.about
    size = " × ".join(map(str, about.shape))
    lines = [
        f"{about.count} simulated samples of {size} voxels, {about.spacing_mm[0]:g} mm; {about.meaning}",
        f"Licence: {about.licence}.",
        *about.sources,
    ]
    if built := about.built:
        facts = {k: v for k, v in built.items() if isinstance(v, str | int | float) and "/" not in str(v)}
        lines.append("Built by `synthview train-data`: " + ", ".join(f"{k} {v}" for k, v in facts.items()) + ".")
    return "\n".join(f"- {line}" for line in lines)


def _how(record: RunRecord, samples: Samples, step: int, journal: Sequence[Mapping[str, float]]) -> str:
    recipe, every = record.recipe, record.recipe.training.log_every
    seconds = sum(line["seconds_per_step"] for line in journal) * every
    began = "; began with the weights of another run" if (record.folder / START).is_file() else ""
    versions = ", ".join(f"{name} {version}" for name, version in record.versions.items())
    return "\n".join(
        [
            f"- Recipe `{recipe.name}` (SHA-256 {recipe.fingerprint()[:12]}…), method `{recipe.method}`, family "
            f"`{recipe.family}`, seed {recipe.seed}.",
            f"- {step} steps of {recipe.training.batch} volumes, about {seconds / 60:.0f} minutes{began}; {versions}.",
            "- Averaged weights, stored in float16. The losses are those of the training, not of people it never saw.",
        ]
    )
