"""Many volumes from one checkpoint: in this process, or on a Dask scheduler with the same code and the same bytes."""

from __future__ import annotations

import contextlib
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthview.errors import SaveError, SynthviewError, WrongRequestError
from synthview.generators.features import encode_features
from synthview.generators.info import Placement
from synthview.jobs.task import Progress
from synthview.volume.nifti import sidecar_path, write_atomically

if TYPE_CHECKING:
    from synthview.generators.generator import Generator

_SUFFIX = ".nii.gz"
_one_at_a_time = threading.Lock()  # a Dask worker may have several threads, and one generator


@dataclass(frozen=True)
class Batch:
    """Volumes of consecutive seeds from one checkpoint.

    Attributes:
        checkpoint: path, or name of a bundled one; Dask's workers open it under the same name.
        sha256: of the checkpoint; a worker that finds another file refuses.
        count: number of volumes; the seeds are ``seed`` to ``seed + count - 1``.
        truncation: factor on the latents.
        features: conditioning inputs by name, one number or one for each volume.
        device: where to compute.
        family: name of the architecture, if it is not to be recognised.
        arguments: what the weights can't tell.
        like: where an original lies, whose place the volumes take.
        trust: the user's yes to running a program from somebody else.
        dtype: in what precision: one of ``precision.DTYPES``.
    """

    checkpoint: str
    sha256: str
    count: int = 1
    seed: int = 0
    truncation: float = 1.0
    features: Mapping[str, float | tuple[float, ...]] = field(default_factory=dict)
    device: str = "auto"
    family: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    trust: bool = False
    dtype: str = "auto"
    like: Placement | None = None

    @property
    def seeds(self) -> range:
        """One seed for each volume."""
        return range(self.seed, self.seed + self.count)

    def features_of(self, seed: int) -> dict[str, float]:
        """The conditioning inputs of a seed's volume."""
        index = seed - self.seed
        return {name: value[index] if isinstance(value, tuple) else value for name, value in self.features.items()}

    def file_name(self, seed: int) -> str:
        """Name of a seed's file; the names of a batch sort as the seeds do."""
        digits = max(6, len(str(self.seeds[-1])))
        return f"{_stem(self.checkpoint)}_seed{seed:0{digits}d}{_SUFFIX}"


def run_batch(
    batch: Batch,
    out: Path,
    *,
    overwrite: bool = False,
    dask: str | None = None,
    progress: Progress | None = None,
) -> list[Path]:
    """Make a batch's volumes and save them in a folder, each with its provenance.

    Args:
        batch: what to make.
        out: the folder; made if it isn't there.
        overwrite: replace files of the same names.
        dask: address of a Dask scheduler, such as "tcp://node1:8786"; computes in this process if not given.
        progress: called with the fraction done; may raise ``Cancelled``: what is saved by then stays.

    Returns:
        The files, in the order of the seeds.

    Raises:
        WrongRequestError: files of these names are there already; Dask is not installed.
        SaveError: the folder or a file can't be written.
        SynthviewError: the checkpoint can't be used, or the scheduler can't be reached.
    """
    if batch.count < 1:
        raise WrongRequestError(f"the number of volumes must be 1 or more, got {batch.count}")
    targets = {seed: out / batch.file_name(seed) for seed in batch.seeds}
    there = [path for path in targets.values() if path.exists()]
    if there and not overwrite:
        more = f" and {len(there) - 1} more of its files" if len(there) > 1 else ""
        raise WrongRequestError(
            f"{there[0]}{more} would be overwritten; choose another folder or seed, or say --overwrite"
        )
    with _folder(out):
        made = _here(batch, progress) if dask is None else _on_dask(batch, dask, progress)
        for seed, image, description in made:
            write_atomically(targets[seed], image)
            write_atomically(sidecar_path(targets[seed]), description)
    return list(targets.values())


@contextlib.contextmanager
def _folder(path: Path) -> Iterator[None]:
    """A folder to save in; one that was made for it and got nothing is taken away again.

    Raises:
        SaveError: it can't be made.
    """
    is_new = not path.exists()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SaveError(f"{path} can't be made a folder: {error.strerror or error}; choose another") from error
    try:
        yield
    except BaseException:
        if is_new:
            with contextlib.suppress(OSError):  # it holds volumes
                path.rmdir()
        raise


def make_one(batch: Batch, seed: int, progress: Progress | None = None) -> tuple[int, bytes, bytes]:
    """One volume of a batch, as the bytes of its NIfTI file and of its JSON file.  Runs on Dask's workers too.

    Raises:
        SynthviewError: the checkpoint can't be used, or is another one here.
    """
    with _one_at_a_time:
        generator = _generator(
            batch.checkpoint,
            batch.device,
            batch.family,
            tuple(sorted(batch.arguments.items())),
            batch.trust,
            batch.dtype,
        )
        if generator.info.sha256 != batch.sha256:
            raise SynthviewError(f"{batch.checkpoint} on a Dask worker is another file than here; copy the same there")
        encode_features(generator.info.features, batch.features, batch.count)  # refuse before the first
        volume = generator.generate(
            seed=seed,
            truncation=batch.truncation,
            features=batch.features_of(seed),
            progress=progress,
            like=batch.like,
        )
    with tempfile.TemporaryDirectory() as folder:
        path = volume.save(Path(folder) / batch.file_name(seed))
        return seed, path.read_bytes(), sidecar_path(path).read_bytes()


@lru_cache(maxsize=1)
def _generator(  # noqa: PLR0917  (what tells two generators apart)
    checkpoint: str, device: str, family: str | None, arguments: tuple[tuple[str, Any], ...], trust: bool, dtype: str
) -> Generator:
    """The generator that this process used last."""
    from synthview.generators.loading import open_generator

    return open_generator(checkpoint, dict(arguments), device, family, trust=trust, dtype=dtype)


def _here(batch: Batch, progress: Progress | None) -> Iterator[tuple[int, bytes, bytes]]:
    for done, seed in enumerate(batch.seeds):
        yield make_one(batch, seed, _part(progress, done, batch.count))


def _on_dask(batch: Batch, address: str, progress: Progress | None) -> Iterator[tuple[int, bytes, bytes]]:
    try:
        from distributed import Client, as_completed
    except ImportError as error:
        raise WrongRequestError("--dask needs the Dask packages: pip install 'synthview[dask]'") from error
    try:
        client = Client(address, timeout="10s")
    except (OSError, ValueError, TimeoutError) as error:
        raise SynthviewError(
            f"no Dask scheduler answers at {address} ({error}); check the address, such as tcp://node1:8786"
        ) from error
    with client:
        futures = client.map(lambda seed: make_one(batch, seed), batch.seeds, pure=False)
        try:
            for done, future in enumerate(as_completed(futures), start=1):
                yield future.result()
                if progress is not None:
                    progress(done / batch.count)
        finally:
            client.cancel(futures)


def _part(progress: Progress | None, done: int, count: int) -> Progress | None:
    if progress is None:
        return None
    return lambda fraction: progress((done + fraction) / count)


def _stem(checkpoint: str) -> str:
    """A checkpoint's name without its ending, fit for a file name everywhere."""
    path = Path(checkpoint)
    name = path.name if path.is_dir() else path.stem
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in name) or "volume"
