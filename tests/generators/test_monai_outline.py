"""The tables of MONAI's keys and shapes are those of MONAI's networks."""

from typing import Any

import pytest
import torch

from synthview.generators.networks.monai_ldm import MonaiLdm
from synthview.generators.networks.monai_outline import has_outline, outline
from tests.generators.test_monai_ldm import AUTOENCODER, DIFFUSION


@pytest.mark.parametrize("layout", ["core", "generative"])
@pytest.mark.parametrize(
    ("autoencoder", "diffusion"),
    [
        ({}, {}),
        ({"with_decoder_nonlocal_attn": True}, {"with_conditioning": True, "cross_attention_dim": 5}),
        ({"with_encoder_nonlocal_attn": False, "attention_levels": (False, False)}, {"resblock_updown": True}),
        ({"channels": (8, 16, 24), "num_res_blocks": (2, 1, 3), "attention_levels": (False, True, True),
          "latent_channels": 4, "in_channels": 2, "out_channels": 2},
         {"channels": (8, 16, 32), "num_res_blocks": (2, 1, 2), "attention_levels": (False, True, True),
          "num_head_channels": (8, 8, 8), "with_conditioning": True, "cross_attention_dim": 4,
          "transformer_num_layers": 2, "num_class_embeds": 3, "in_channels": 7, "resblock_updown": True}),
        ({"channels": (8,), "num_res_blocks": (1,), "attention_levels": (True,)},
         {"channels": (8,), "num_res_blocks": (1,), "attention_levels": (True,), "num_head_channels": (8,)}),
    ],
)  # fmt: skip
def test_as_built(layout: str, autoencoder: dict[str, Any], diffusion: dict[str, Any]) -> None:
    arguments: dict[str, Any] = {
        "autoencoder": {**AUTOENCODER, **autoencoder, "layout": layout},
        "diffusion": {**DIFFUSION, **diffusion, "layout": layout},
    }
    with torch.device("meta"):
        built = MonaiLdm().build(arguments)
    assert has_outline(arguments)
    assert outline(arguments) == {key: tuple(tensor.shape) for key, tensor in built.state_dict().items()}
    family = MonaiLdm()
    assert family.expected_shapes(arguments) == outline(arguments)
    assert family.count_parameters(arguments) == sum(parameter.numel() for parameter in built.parameters())


def test_rare_variants_are_left_to_monai() -> None:
    arguments = {"autoencoder": {**AUTOENCODER, "layout": "core", "include_fc": False}, "diffusion": DIFFUSION}
    assert not has_outline(arguments)
