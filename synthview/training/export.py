"""From a run to a generator that ships: fp16 weights, manifest and model card in one folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save as to_safetensors

from synthview.errors import SaveError, WrongRequestError
from synthview.generators.loading import load_generator
from synthview.generators.manifest import Manifest, ManifestFeature, ManifestOutput
from synthview.training.card import model_card
from synthview.training.journal import read_journal
from synthview.training.methods.base import Method
from synthview.training.run import load_averages
from synthview.training.runs import RunRecord
from synthview.training.samples import Samples
from synthview.training.sheets import png, tissues_as_grey
from synthview.volume import VolumeKind, Window
from synthview.volume.nifti import write_atomically

WEIGHTS, MANIFEST, CARD, THUMBNAIL = "weights.safetensors", "manifest.json", "README.md", "thumbnail.png"


def export_run(run: str | Path, out: str | Path, *, overwrite: bool = False) -> Path:
    """Write a run's averaged weights as a generator.

    Args:
        run: the run's folder; it may still be going on.
        out: folder for the generator, named as it is to be called.
        overwrite: replace a generator that is there.

    Raises:
        WrongRequestError: the folder is no run, has not been trained yet, or ``out`` holds a generator already.
        SaveError: it can't be written.
    """
    record, out = RunRecord.open(run), Path(out)
    if (out / WEIGHTS).exists() and not overwrite:
        raise WrongRequestError(f"{out} holds a generator already; say --overwrite to replace it")
    method, averages, step = load_averages(record.folder)
    if step == 0:
        raise WrongRequestError(f"{record.folder} has no checkpoint yet; train it first")
    tensors = half(method.exported(averages.networks))
    manifest = make_manifest(record, method, step)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SaveError(f"{out} can't be made: {error.strerror}; choose another --out") from error
    write_atomically(out / WEIGHTS, to_safetensors(tensors))
    manifest.save(out / MANIFEST)
    card = model_card(record, method.samples, manifest, step, read_journal(record.folder))
    write_atomically(out / CARD, card.encode())
    write_atomically(out / THUMBNAIL, thumbnail(out))
    return out


def thumbnail(folder: Path) -> bytes:
    """PNG of the middle axial slice of a generator's first volume, as radiologists see it."""
    volume = load_generator(folder, device="cpu").generate(seed=0)
    voxels = volume.voxels.astype(np.float32)
    window = volume.window or Window.from_range(float(voxels.min()), float(voxels.max()))
    grey = tissues_as_grey(voxels[None])[0] if voxels.ndim == 4 else np.clip((voxels - window.low) / window.width, 0, 1)
    axial = grey[::-1, ::-1, grey.shape[2] // 2].T
    side = max(axial.shape)
    rows, columns = ((side - n) // 2 for n in axial.shape)
    square = np.pad(axial, ((rows, side - axial.shape[0] - rows), (columns, side - axial.shape[1] - columns)))
    return png((square * 255).round().astype(np.uint8))


def half(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Floating-point tensors in float16, contiguous; others as they are.

    Raises:
        WrongRequestError: one is no number, or too large for float16.
    """
    found: dict[str, torch.Tensor] = {}
    for name, tensor in tensors.items():
        kept = tensor.detach().cpu()
        if kept.is_floating_point():
            kept = kept.half()
            if not torch.isfinite(kept).all():
                raise WrongRequestError(f"the weights {name} do not fit into float16; train again at a lower rate")
        found[name] = kept.contiguous()
    return found


def make_manifest(record: RunRecord, method: Method, step: int) -> Manifest:
    """What the weights can't say."""
    recipe, samples = record.recipe, method.samples
    about = samples.data.about
    tissues = recipe.data.values == "tissues"
    one = "one individual, " if about.one_individual else ""
    return Manifest(
        name=recipe.title,
        family=recipe.family,
        arguments=method.arguments(),
        output=ManifestOutput(
            spacing=tuple(round(mm, 6) for mm in samples.spacing_mm),  # type: ignore[arg-type]
            orientation="RAS",
            kind=VolumeKind.TISSUE_MAP if tissues else about.kind,
            unit="HU" if about.kind is VolumeKind.CT else "",
            window=_window(samples, method),
        ),
        features=tuple(feature_of(samples, name) for name in recipe.data.features),
        training_data=f"{about.name}: {about.count} simulated samples ({one}{about.meaning.rstrip('.')})",
        licence=about.licence,
        citation=" ".join(about.sources),
        metrics={"training steps": float(step)},
    )


def feature_of(samples: Samples, name: str) -> ManifestFeature:
    """A column of the table as a control."""
    column = samples.data.column(name)
    scale: dict[str, Any] = {"mean": column.mean, "std": column.std or 1.0}
    if not samples.recipe.standardise:
        scale = {"mean": column.low, "std": (column.high - column.low) or 1.0}
    label = column.label[:1].upper() + column.label[1:]
    if column.categories:
        return ManifestFeature(name, label, "", "category", categories=column.categories, default=0.0, **scale)
    return ManifestFeature(name, label, column.unit, low=column.low, high=column.high, default=column.mean, **scale)


def _window(samples: Samples, method: Method) -> Window:
    about = samples.data.about
    if about.kind is VolumeKind.CT and samples.recipe.values == "images":
        low, high = about.window
        return Window((low + high) / 2, high - low)
    return Window.from_range(*method.shown)
