"""Encoding and reconstructing real scans with a generator's encoder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from synthview.errors import CheckpointError, SynthviewError
from synthview.generators.encoding import Encoder, EncoderSource, Step
from synthview.generators.family import Arguments, Family
from synthview.generators.info import Reconstruction
from synthview.generators.manifest_output import AxisMap, OutputSpace, ramps, read_ramps, spatial
from synthview.generators.scan_grid import Grid
from synthview.volume import Volume

Array = npt.NDArray[np.float32]
Progress = Callable[[float], None]
_ENCODING, _PREPARED = 0.4, 0.1  # of the work, roughly


@dataclass(frozen=True)
class PreparedScan:
    """A scan as the network takes it.

    Attributes:
        raw: float32 (C, …), on the network's own axes and in its range.
        voxels: the same with axes in RAS+ order.
        grid: where these lie.
        values: the values of the scan that became the network's lowest and highest.
        scan: with its axes in RAS+ order.
    """

    raw: Array
    voxels: Array
    grid: Grid
    values: tuple[float, float]
    scan: Volume


class ScanEncoder:
    """Takes real scans to a network and back; reads the encoder's weights once they are needed.

    Args:
        family, arguments: of the generator.
        source: reads the encoder.
        space: what the manifest says of the raw output's axes and spacing.
    """

    def __init__(
        self, family: Family, arguments: Arguments, source: EncoderSource, space: OutputSpace | None = None
    ) -> None:
        self._family, self._arguments = family, arguments
        self._source, self._space = source, space
        self._encoder: Encoder | None = None

    def prepare(self, scan: Volume) -> PreparedScan:
        """Bring a scan to the network's grid, axes and range.

        Raises:
            WrongRequestError: it is another kind of image than the encoder takes.
            CheckpointError: the encoder can't be read.
        """
        encoder = self._opened()
        ras = encoder.accept(scan)
        axes, shape, spacing = self._axes()
        if encoder.spacing is not None and self._space is not None and self._space.says_spacing:
            encoder.spacing = spacing
        grid = encoder.grid(ras, shape)
        voxels, values = encoder.prepare(ras, grid)
        return PreparedScan(_to_raw(voxels, axes), voxels, grid, values, ras)

    def encode(
        self, generator: nn.Module, scan: PreparedScan, condition: Array | None, device: torch.device,
        progress: Progress | None,
    ) -> Array:  # fmt: skip
        """The code, (1, …)."""
        with torch.inference_mode():
            return _numpy(self._encode(generator, scan, _tensor(condition, device), device, progress))

    def reconstruct(
        self, generator: nn.Module, scan: Volume, condition: Array | None, device: torch.device,
        progress: Progress | None,
    ) -> tuple[Reconstruction, tuple[float, ...]]:  # fmt: skip
        """What the encoder saw and what became of it; and the code where it is a latent of the generator."""
        tell = progress or (lambda _fraction: None)  # which raises where the work is no longer wanted
        tell(0.0)
        encoder = self._opened()
        tell(_PREPARED / 4)
        prepared = self.prepare(scan)
        tell(_PREPARED)
        with torch.inference_mode():
            columns = _tensor(condition, device)
            code = self._encode(generator, prepared, columns, device, _part(progress, _PREPARED, _ENCODING))
            part = _part(progress, _PREPARED + _ENCODING, 1 - _PREPARED - _ENCODING)
            raw = _numpy(_last(encoder.decode(generator, code, columns), part))[0]
        axes, _, _ = self._axes()
        restored = encoder.restore(_from_raw(raw, axes), prepared.values, prepared.grid, prepared.scan)
        seen = encoder.restore(prepared.voxels, prepared.values, prepared.grid, prepared.scan)
        name = scan.name or "scan"
        found = Reconstruction(replace(seen, name=name), replace(restored, name=f"{name} · reconstructed"))
        latent = tuple(float(number) for number in _numpy(code).ravel()) if encoder.is_latent else ()
        return found, latent

    def record(self, scan: Volume) -> dict[str, str]:
        """What provenance says of the scan and the encoder; never where the scan lies."""
        content = hashlib.sha256(np.ascontiguousarray(scan.voxels).tobytes())
        content.update(np.ascontiguousarray(scan.affine, dtype=np.float64).tobytes())
        said = {"scan": scan.name or "", "voxels_sha256": content.hexdigest()}
        own = self._opened().sha256
        return {**said, "encoder_sha256": own} if own else said

    def _opened(self) -> Encoder:
        if self._encoder is None:
            self._encoder = self._source()
        return self._encoder

    def _encode(
        self, generator: nn.Module, scan: PreparedScan, columns: torch.Tensor | None, device: torch.device,
        progress: Progress | None,
    ) -> torch.Tensor:  # fmt: skip
        encoder = self._opened()
        if encoder.network is not None:
            encoder.network.to(device)
        x = torch.from_numpy(np.ascontiguousarray(scan.raw))[None].to(device)
        return _last(encoder.encode(generator, x, columns), progress)

    def _axes(self) -> tuple[AxisMap, tuple[int, int, int], tuple[float, float, float]]:
        """How raw axes become right, anterior, superior; and the raw grid's shape and spacing along these."""
        raw_shape = self._family.output_shape(self._arguments)
        probe = self._family.to_volume(ramps(raw_shape), self._arguments)
        if self._space is not None:
            probe = self._space.place(probe, raw_shape, self._arguments)
        axes = read_ramps(probe.voxels)
        if axes is None:
            raise CheckpointError(f"{self._family.title}'s post-processing does not keep axes: it can't be undone")
        sizes = spatial(raw_shape)
        first, second, third = (sizes[axis] for axis in axes.source)
        return axes, (first, second, third), probe.spacing


def _to_raw(voxels: Array, axes: AxisMap) -> Array:
    """(C, right, anterior, superior) to (C, raw axes)."""
    flips = tuple(1 + axis for axis, flipped in enumerate(axes.flipped) if flipped)
    order = np.argsort(axes.source)
    return np.ascontiguousarray(np.flip(voxels, flips).transpose(0, *(1 + order)))


def _from_raw(raw: Array, axes: AxisMap) -> Array:
    """(C, raw axes) to (C, right, anterior, superior)."""
    flips = tuple(1 + axis for axis, flipped in enumerate(axes.flipped) if flipped)
    return np.ascontiguousarray(np.flip(raw.transpose(0, *(1 + axis for axis in axes.source)), flips))


def _last(steps: Iterator[Step], progress: Progress | None) -> torch.Tensor:
    result = None
    for fraction, result in steps:  # noqa: B007  (used below)
        if progress is not None:
            progress(fraction)
    if result is None:
        raise SynthviewError("the network ended without an output")
    return result


def _part(progress: Progress | None, start: float, share: float) -> Progress | None:
    return None if progress is None else lambda fraction: progress(start + share * fraction)


def _tensor(columns: Array | None, device: torch.device) -> torch.Tensor | None:
    return None if columns is None else torch.from_numpy(columns).to(device)


def _numpy(tensor: torch.Tensor) -> Array:
    return tensor.float().cpu().numpy()
