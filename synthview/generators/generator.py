"""A generator: a network with its weights, ready to make volumes."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from synthview.errors import SynthviewError, WrongRequestError
from synthview.generators.device import exact_float32, memory_errors
from synthview.generators.encoding import EncoderSource
from synthview.generators.family import Arguments, Family
from synthview.generators.features import FeatureInput, completed, doubts, encode_features
from synthview.generators.info import Feature, GenerateRequest, GeneratorInfo, Placement, Reconstruction
from synthview.generators.latents import noise_source, sample_latents
from synthview.generators.manifest import Manifest
from synthview.generators.manifest_features import named_features
from synthview.generators.manifest_output import OutputSpace
from synthview.generators.precision import check_dtype, computing_in, name_of, resolve_dtype
from synthview.generators.reconstruction import ScanEncoder
from synthview.volume import Provenance, Volume

Progress = Callable[[float], None]
"""Called with the fraction done (0-1); may raise ``Cancelled`` to stop the work."""
Array = npt.NDArray[np.float32]


class Generator:
    """Makes volumes from latents; ``load_generator`` gives one.

    Attributes:
        info: what it is.
        device: where it computes, such as "cpu" or "cuda:0".
        dtype: in what precision, as asked for: one of ``precision.DTYPES``.
    """

    def __init__(  # noqa: PLR0917  (load_generator is the way to make one)
        self,
        network: nn.Module,
        family: Family,
        info: GeneratorInfo,
        stated: frozenset[str],
        device: torch.device,
        manifest: Manifest | None = None,
        encoder: EncoderSource | None = None,
        dtype: str = "auto",
    ) -> None:
        self.info = info
        self.device = str(device)
        self.dtype = check_dtype(dtype)
        self._network = network
        self._family = family
        self._stated = stated
        self._device = device
        self._manifest = manifest
        self._space = OutputSpace(family, manifest) if manifest is not None else None
        self._scans = None if encoder is None else ScanEncoder(family, info.arguments, encoder, self._space)
        self._loaded_buffers = {name: buffer.clone() for name, buffer in network.named_buffers()}

    def sample_latent(self, seed: int = 0, count: int = 1, truncation: float = 1.0) -> Array:
        """Draw latents from N(0, 1) on the CPU: row ``i`` is that of seed ``seed + i``, the same on every device.

        Returns:
            float32 array (count, *info.latent_shape).

        Raises:
            WrongRequestError: a seed, count or truncation outside its range.
        """
        return sample_latents(self.info.latent_shape, seed, count, truncation)

    def decode(self, z: npt.ArrayLike, features: FeatureInput = None, progress: Progress | None = None) -> Array:
        """What the published network returns for latents ``z``.

        Rows are run one at a time, so that memory does not grow with their number; where the network was asked to work
        on batch statistics, all rows go through it together, and every call may change the next, as published.

        Args:
            z: latents (N, *info.latent_shape), or flattened (N, length), with or without trailing axes of length 1.
            features: by name, or an array as the network takes it; one row, or one for each latent.
            progress: called often with the fraction done; may raise to stop.

        Returns:
            float32 array (N, C, …), the network's own axes and range.

        Raises:
            WrongRequestError: latents or features of another size, or not numbers.
            SynthviewError: the device has too little memory.
        """
        rows, arguments = self._fit(z)
        condition = self._encode(features, arguments, len(rows))
        rows = rows.reshape(len(rows), *self._family.latent_shape(arguments))
        together = self._family.joint_batch(arguments)
        pieces = [slice(None)] if together else [slice(i, i + 1) for i in range(len(rows))]
        outputs = []
        for done, piece in enumerate(pieces):
            part = _part(progress, done, len(pieces))
            output, *_ = self._run(rows[piece], None if condition is None else condition[piece], part, seed=None)
            outputs.append(output)
        return outputs[0] if len(outputs) == 1 else np.concatenate(outputs)

    def generate(  # noqa: PLR0917  (the order is the published contract's)
        self,
        seed: int | None = None,
        latent: npt.ArrayLike | None = None,
        truncation: float = 1.0,
        features: Mapping[str, float] | None = None,
        coarse: bool = False,
        progress: Progress | None = None,
        like: Placement | None = None,
    ) -> Volume:
        """Make one volume, post-processed as published, in RAS+ and with its provenance.

        Args:
            seed: the latent is drawn from it (0 if no latent is given either).
            latent: given instead of drawn; the truncation then is not applied again.
            truncation: factor on the drawn latent.
            features: conditioning inputs by name; missing ones take their defaults, or go with those they follow.
            coarse: a quick, coarse volume of the same field of view, where the family has such a path.
            progress: called often with the fraction done; may raise ``Cancelled``.
            like: where an original lies, such as ``Placement.of(load_volume(path))``: the volume takes its place, as
                published for SigmaRat; only where ``info.takes_place``.

        Raises:
            WrongRequestError: both a seed and a latent, or values of the wrong size or range.
            SynthviewError: the device has too little memory.
        """
        if seed is not None and latent is not None:
            raise WrongRequestError("give either a seed or a latent, not both")
        if latent is None:
            seed = seed or 0
            z: npt.ArrayLike = self.sample_latent(seed, 1, truncation)
        else:
            z, truncation = np.asarray(latent, dtype=np.float32).reshape(1, -1), 1.0
        rows, arguments = self._fit(z)
        condition = self._encode(features, arguments, 1)
        rows = rows.reshape(1, *self._family.latent_shape(arguments))
        with self._as_loaded():
            raw, is_coarse, dtype = self._run(rows, condition, progress, seed=seed, coarse=coarse)
        volume = self._family.to_volume(raw[0], arguments)
        if like is not None:
            volume = self._placed(volume, like)
        elif self._space is not None:
            volume = self._space.place(volume, raw[0].shape, arguments)
        inputs = named_features(self._family, arguments, self._manifest)
        made = Provenance(
            checkpoint_sha256=self.info.sha256,
            checkpoint_name=self.info.name,
            family=self.info.family,
            arguments={
                **arguments,
                **({"coarse": True} if is_coarse else {}),
                **({"like": {"affine": list(like.affine), "shape": list(like.shape)}} if like is not None else {}),
            },
            seed=seed,
            latent=None if latent is None else tuple(float(value) for value in rows.ravel()),
            truncation=float(truncation),
            features=_completed(inputs, features),
            device=self.device,
            dtype=name_of(dtype),
            versions=versions(),
        )
        name = f"{self.info.label or self.info.name} · {f'seed {seed}' if seed is not None else 'latent'}"
        notes = (*volume.notes, *doubts(inputs, made.features), *self.info.notes)
        return replace(volume, name=name, provenance=made, notes=notes)

    @property
    def can_encode(self) -> bool:
        """Whether the checkpoint has an encoder, so that ``encode`` and ``reconstruct`` work."""
        return self._scans is not None

    def encode(
        self, scan: Volume, features: Mapping[str, float] | None = None, progress: Progress | None = None
    ) -> Array:
        """The code of a real scan.

        The scan is brought to the network's grid and range of values as published: chest CT has its whole field of view
        resized, from -1024 and 600 HU to -1 and 1; anything else is resampled to the network's spacing around the
        scan's middle and cut off or padded there, its smallest value and 99.9th percentile becoming the network's ends.
        It is not registered, nor is its skull stripped: give a scan prepared as the training data were.

        Args:
            scan: in any axis order; of CSegSynth, a tissue map.
            features: where the encoder looks at them too (C-VAE); missing ones take their defaults, or go with those
                they follow.
            progress: called often with the fraction done; may raise to stop.

        Returns:
            float32 array (1, …): a latent that ``decode`` takes, but of latent diffusion the autoencoder's code.

        Raises:
            WrongRequestError: the checkpoint has no encoder, or takes another kind of image.
            CheckpointError: the encoder's file can't be used.
            SynthviewError: the device has too little memory.
        """
        scans, condition = self._scan_encoder(), self._encode(features, self.info.arguments, 1)
        with memory_errors(self._device, f"encoding with {self.info.title}"), exact_float32(), self._as_loaded():
            return scans.encode(self._network, scans.prepare(scan), condition, self._device, progress)

    def reconstruct(
        self, scan: Volume, features: Mapping[str, float] | None = None, progress: Progress | None = None
    ) -> Reconstruction:
        """A real scan, encoded and decoded again, in its own place and unit; see ``encode``.

        Raises:
            WrongRequestError, CheckpointError, SynthviewError: as ``encode``.
        """
        scans, condition = self._scan_encoder(), self._encode(features, self.info.arguments, 1)
        with memory_errors(self._device, f"a volume of {self.info.title}"), exact_float32(), self._as_loaded():
            found, code = scans.reconstruct(self._network, scan, condition, self._device, progress)
        inputs = named_features(self._family, self.info.arguments, self._manifest)
        made = Provenance(
            checkpoint_sha256=self.info.sha256,
            checkpoint_name=self.info.name,
            family=self.info.family,
            arguments=dict(self.info.arguments),
            latent=code,
            features=_completed(inputs, features),
            device=self.device,
            versions=versions(),
            reconstructed=scans.record(scan),
        )
        return replace(found, volume=replace(found.volume, provenance=made))

    def _scan_encoder(self) -> ScanEncoder:
        if self._scans is None:
            raise WrongRequestError(
                f"{self.info.name} has no encoder, so that it can't reconstruct a scan; for a generator G_….pth, put "
                "its encoder E_….pth (HA-GAN: and Sub_E_….pth) into the same folder and open it again"
            )
        return self._scans

    def _placed(self, volume: Volume, like: Placement) -> Volume:
        """The volume in the place of an original, axis by axis as published."""
        if not self._family.takes_place:
            raise WrongRequestError(
                f"{self._family.title} can't take the place of an original: its volumes are not on the grid of its "
                "training scans; leave the original out"
            )
        if volume.shape != like.shape:
            wanted, got = (" × ".join(map(str, shape)) for shape in (volume.shape, like.shape))
            raise WrongRequestError(f"the original has {got} voxels, and the volume {wanted}; choose one on that grid")
        said = None if self._manifest is None else self._manifest.output.kind
        return replace(volume, affine=np.array(like.affine).reshape(4, 4), kind=said or volume.kind)

    def generate_request(self, request: GenerateRequest, progress: Progress | None = None) -> Volume:
        """``generate`` for what crosses from the window to the worker."""
        seed = request.seed if request.latent is None else None
        return self.generate(
            seed, request.latent, request.truncation, request.features, request.coarse, progress, request.like
        )

    def _encode(self, given: FeatureInput, arguments: Arguments, count: int) -> Array | None:
        """Conditioning as the network takes it; by the manifest's names, ranges and units where it says them."""
        if self._manifest is None or not self._manifest.features:
            return self._family.encode_features(given, arguments, count)
        return encode_features(named_features(self._family, arguments, self._manifest), given, count)

    def _fit(self, z: npt.ArrayLike) -> tuple[Array, Arguments]:
        """Latents as rows of numbers, and the arguments with which they can be decoded."""
        try:
            rows = np.asarray(z, dtype=np.float32)
        except (TypeError, ValueError) as error:
            raise WrongRequestError(f"latents must be an array of numbers: {error}") from error
        if rows.ndim < 2 or rows.shape[0] == 0:
            raise WrongRequestError(f"latents must be an array of (rows, length), got shape {rows.shape}")
        if not np.isfinite(rows).all():
            raise WrongRequestError("latents must be numbers; some are NaN or infinite")
        return rows.reshape(len(rows), -1), self._family.fit_shape(self.info.arguments, self._stated, rows.shape[1:])

    def _run(
        self, rows: Array, condition: Array | None, progress: Progress | None, *, seed: int | None, coarse: bool = False
    ) -> tuple[Array, bool, torch.dtype]:
        """One pass of the family's sampler, step by step: the output, whether it is the coarse one, its precision."""
        output = None
        dtype = resolve_dtype(self.dtype, self._device, coarse=coarse)
        memory = memory_errors(self._device, f"a volume of {self.info.title}")
        with torch.inference_mode(), computing_in(dtype, self._device), memory:
            z = torch.from_numpy(rows).to(self._device)
            columns = None if condition is None else torch.from_numpy(condition).to(self._device)
            noise = noise_source(seed)
            steps = self._family.sample_coarse(self._network, z, columns, noise) if coarse else None
            is_coarse = steps is not None
            for fraction, output in steps or self._family.sample(self._network, z, columns, noise):  # noqa: B007
                if progress is not None:
                    progress(fraction)
            if output is None:
                raise SynthviewError(f"the family {self.info.family} ended without an output")
            return output.float().cpu().numpy(), is_coarse, dtype

    @contextmanager
    def _as_loaded(self) -> Iterator[None]:
        """Run with the buffers as they were loaded, so that earlier calls don't show; then put them back."""
        if not self._network.training:
            yield
            return
        buffers = dict(self._network.named_buffers())
        drifted = {name: buffer.clone() for name, buffer in buffers.items()}
        try:
            for name, buffer in buffers.items():
                buffer.copy_(self._loaded_buffers[name])
            yield
        finally:
            for name, buffer in buffers.items():
                buffer.copy_(drifted[name])


def versions() -> dict[str, str]:
    """Versions of what decides over the bits of a volume."""
    return {
        "synthview": version("synthview"),
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "python": platform.python_version(),
    }


def _completed(inputs: Sequence[Feature], given: Mapping[str, float] | None) -> dict[str, float]:
    return {name: float(value) for name, value in completed(inputs, given or {}).items()}


def _part(progress: Progress | None, done: int, count: int) -> Progress | None:
    if progress is None:
        return None
    return lambda fraction: progress((done + fraction) / count)
