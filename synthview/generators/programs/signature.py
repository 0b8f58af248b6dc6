"""What a program says of itself without being run: its inputs, its output, its size."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Signature:
    """As far as the file says it; None where it doesn't.

    Attributes:
        latent_shape: of one latent, without the batch's axis.
        columns: numbers of conditioning for each latent; 0 if there is no second input.
        output_shape: of one output, channels first: (C, I, J, K).
        parameters: number of weights, constants included.
        batch: latents that it takes at a time; None where any number will do, or it doesn't say.
    """

    latent_shape: tuple[int, ...] | None = None
    columns: int | None = None
    output_shape: tuple[int, ...] | None = None
    parameters: int = 0
    batch: int | None = None


def from_shapes(
    inputs: list[tuple[int | None, ...]], output: tuple[int | None, ...] | None, parameters: int
) -> Signature:
    """A signature from declared shapes with the batch's axis first; None stands for a length that varies.

    Args:
        inputs: the latent's, then the conditioning's if there is one.
        output: of the first output; None where it is not declared.
        parameters: number of weights.
    """
    latent = _known(inputs[0]) if inputs else None
    columns: int | None = 0
    if len(inputs) > 1:
        known = _known(inputs[1])
        columns = known[0] if known is not None and len(known) == 1 else None
    made = _known(output) if output is not None else None
    if made is not None and len(made) == 3:
        made = (1, *made)
    return Signature(
        latent,
        columns,
        made if made is not None and len(made) == 4 else None,
        parameters,
        inputs[0][0] if inputs and inputs[0] else None,
    )


def _known(shape: tuple[int | None, ...]) -> tuple[int, ...] | None:
    """The shape without the batch's axis, if every length is given."""
    lengths = tuple(n for n in shape[1:] if n is not None and n > 0)
    return lengths if lengths and len(lengths) == len(shape) - 1 else None
