"""From a run to a generator that ships: fp16 weights, manifest and model card in one folder."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import save as to_safetensors

from synthview.errors import SaveError, WrongRequestError
from synthview.generators.loading import load_generator
from synthview.generators.manifest import Manifest, ManifestFeature, ManifestOutput
from synthview.training.card import SAMPLES, model_card
from synthview.training.journal import read_journal
from synthview.training.methods.base import Method
from synthview.training.run import load_averages
from synthview.training.runs import RunRecord
from synthview.training.samples import Samples
from synthview.training.sheets import enlarged, grid, png, square, tissues_as_grey
from synthview.volume import Volume, VolumeKind, Window
from synthview.volume.nifti import write_atomically

WEIGHTS, MANIFEST, CARD = "weights.safetensors", "manifest.json", "README.md"
THUMBNAIL = "thumbnail.png"
_COLUMNS = 4  # and rows, of the sheet of samples
_FINE_RANGE = 10.0  # a feature's limits are rounded where they are farther apart
_TOGETHER = 0.4  # correlation from which a feature's control follows the first number's


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
    slices = axial_slices(out, shown_features(method.samples))
    write_atomically(out / THUMBNAIL, png(square(slices[0])))
    write_atomically(out / SAMPLES, png(grid([enlarged(each) for each in slices], _COLUMNS)))
    return out


def shown_features(samples: Samples) -> list[dict[str, float]]:
    """What is asked of the sheet's 16 volumes: features that go together in a sample, ordered by the first number."""
    if not samples.columns:
        return [{} for _ in range(_COLUMNS**2)]
    values = {c.name: samples.data.values(c.name).clip(c.low, c.high) for c in samples.columns}
    first = next((c.name for c in samples.columns if not c.categories), samples.columns[0].name)
    places = np.linspace(0, len(samples) - 1, _COLUMNS**2).round().astype(int)
    rows = values[first].argsort(kind="stable")[places]
    return [{name: float(column[row]) for name, column in values.items()} for row in rows]


def axial_slices(folder: Path, asked: Sequence[Mapping[str, float]]) -> list[npt.NDArray[np.float32]]:
    """Middle axial slices, as radiologists see them, 0 to 1, of a generator's first seeds, of these features."""
    generator = load_generator(folder, device="cpu")
    return [_axial(generator.generate(seed=seed, features=features)) for seed, features in enumerate(asked)]


def _axial(volume: Volume) -> npt.NDArray[np.float32]:
    voxels = volume.voxels.astype(np.float32)
    window = volume.window or Window.from_range(float(voxels.min()), float(voxels.max()))
    grey = tissues_as_grey(voxels[None])[0] if voxels.ndim == 4 else np.clip((voxels - window.low) / window.width, 0, 1)
    axial: npt.NDArray[np.float32] = grey[::-1, ::-1, grey.shape[2] // 2].T
    return axial


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
    low, high = column.low, column.high
    if high - low > _FINE_RANGE:  # whole numbers, so that everybody who was seen is within
        low, high = float(math.floor(low)), float(math.ceil(high))
    follows = _followed(samples, name)
    return ManifestFeature(name, label, column.unit, low=low, high=high, default=column.mean, follows=follows, **scale)


def _followed(samples: Samples, name: str) -> dict[str, float]:
    """The first number asked of the network and this one's slope on it, where they go together in the samples."""
    first = next(column.name for column in samples.columns if not column.categories)
    if name == first:
        return {}
    leading, own = samples.data.values(first), samples.data.values(name)
    if min(leading.std(), own.std()) == 0 or abs(np.corrcoef(leading, own)[0, 1]) < _TOGETHER:
        return {}
    slope = np.polyfit(leading, own, 1)[0]
    return {first: float(f"{slope:.4g}")}


def _window(samples: Samples, method: Method) -> Window:
    about = samples.data.about
    if about.kind is VolumeKind.CT and samples.recipe.values == "images":
        low, high = about.window
        return Window((low + high) / 2, high - low)
    return Window.from_range(*method.shown)
