"""``synthview decode``: what the published network returns for given latents."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synthview.cli.shared import (
    Arguments,
    AsJson,
    Checkpoint,
    Device,
    Dtype,
    Family,
    Trust,
    existing_file,
    parse_pairs,
    print_json,
    progress_line,
    size_text,
)
from synthview.errors import WrongRequestError

if TYPE_CHECKING:
    import numpy.typing as npt


def decode(  # noqa: PLR0917  (typer: one parameter for each option)
    checkpoint: Checkpoint,
    latents: Annotated[Path, typer.Option(help="Latents, (N, length), as a .npy file.")],
    out: Annotated[Path, typer.Option(help="Where the float32 array (N, C, …) goes, as a .npy file.")],
    features: Annotated[
        Path | None, typer.Option(help="Conditioning: .json with values by name, or .npy as the network takes it.")
    ] = None,
    family: Family = None,
    arg: Arguments = [],  # noqa: B006
    device: Device = "auto",
    dtype: Dtype = "auto",
    trust: Trust = False,
    as_json: AsJson = False,
) -> None:
    """Run a network on latents and save its raw output, exactly as the published code gives it."""
    arguments = parse_pairs(arg, "--arg")
    z = _read_array(latents, "--latents")
    conditioning = None if features is None else _read_features(features)
    from synthview.generators.loading import open_generator

    generator = open_generator(checkpoint, arguments, device, family, trust=trust, dtype=dtype)
    raw = generator.decode(z, conditioning, progress_line("decoding"))
    _save(out, raw)
    facts = {"file": str(out), "shape": list(raw.shape), "dtype": "float32", "device": generator.device}
    facts |= {"sha256": generator.info.sha256, "family": generator.info.family}
    if as_json:
        print_json(facts)
    else:
        typer.echo(f"{out}: {size_text(raw.shape)}, float32")


def _read_array(path: Path, option: str) -> npt.NDArray[Any]:
    import numpy as np

    try:
        array = np.load(existing_file(path, option), allow_pickle=False)
    except OSError as error:
        raise WrongRequestError(f"{option} {path} can't be read: {error.strerror or error}") from error
    except (ValueError, EOFError) as error:  # numpy's own words advise to unpickle the file
        raise WrongRequestError(
            f"{option} {path} is no array of numbers, or was cut short; save one with numpy.save"
        ) from error
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiub":
        raise WrongRequestError(f"{option} {path} must be a .npy file with one array of numbers")
    return array


def _read_features(path: Path) -> Any:
    if path.suffix.lower() != ".json":
        return _read_array(path, "--features")
    try:
        content = json.loads(existing_file(path, "--features").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise WrongRequestError(f"--features {path} can't be read as JSON: {error}") from error
    if not isinstance(content, dict | list):
        raise WrongRequestError(
            f'--features {path} must hold values by name, such as {{"age": 72}}, or rows of numbers'
        )
    return content


def _save(path: Path, array: npt.NDArray[Any]) -> None:
    import numpy as np

    from synthview.volume.nifti import write_atomically

    content = io.BytesIO()
    np.save(content, array, allow_pickle=False)
    write_atomically(path, content.getvalue())
