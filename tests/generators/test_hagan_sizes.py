"""HA-GAN networks of ``synthview train``: other sizes and widths than the published, told by fc1's grid."""

from pathlib import Path

import pytest
import torch

import synthview as sv
from synthview.errors import WrongRequestError
from synthview.generators.loading import inspect_checkpoint
from synthview.generators.networks.hagan import HaGanNetwork
from synthview.generators.networks.hagan_sizes import SMALL, cell_of, sizes_of

SIZE = (32, 48, 16)
CHANNELS = (8, 8, 8, 8, 4, 6, 3)


def narrow(folder: Path, cell: int) -> Path:
    """Weights of a small network that makes 32×48×16 voxels."""
    torch.manual_seed(0)
    grid = (SIZE[0] // cell, SIZE[1] // cell, SIZE[2] // cell)
    path = folder / f"cell{cell}.pth"
    torch.save(HaGanNetwork(5, SMALL[cell], branch=True, channels=CHANNELS, grid=grid).state_dict(), path)
    return path


@pytest.mark.parametrize("cell", SMALL)
def test_a_size_settles_which_network_it_is(tmp_path: Path, cell: int) -> None:
    path = narrow(tmp_path, cell)
    generator = sv.load_generator(path, device="cpu", size=SIZE)
    assert generator.info.arguments["channels"] == CHANNELS and generator.info.latent_shape == (5,)
    volume = generator.generate(seed=1)
    assert volume.voxels.shape == SIZE and volume.axis_codes == ("R", "A", "S")
    assert volume.voxels.std() > 0
    (question,) = inspect_checkpoint(path).open_arguments
    assert "32x48x16" not in question.choices  # thrice as long as wide, which nobody would guess
    with pytest.raises(WrongRequestError, match="size 32x32x32 does not fit the weights, which make "):
        sv.load_generator(path, device="cpu", size=32)


def test_sizes_of_a_grid() -> None:
    assert sizes_of(8) == [(32, 32, 32), (16, 16, 16)]
    assert cell_of((32, 32, 32), 8) == 16 and cell_of((16, 16, 16), 8) == 8 and cell_of((24, 16, 16), 8) is None
    assert all(cell_of(size, 24) in SMALL for size in sizes_of(24))
