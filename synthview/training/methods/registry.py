"""The methods, by the name that a recipe gives."""

from __future__ import annotations

from synthview.errors import WrongRequestError
from synthview.training.methods.alpha_gan import AlphaGan
from synthview.training.methods.base import Method
from synthview.training.methods.crfgan import CrfGanMethod
from synthview.training.methods.hagan import HaGanMethod
from synthview.training.methods.ldm import Ldm
from synthview.training.methods.paired import Paired
from synthview.training.methods.vae_gan import VaeGan
from synthview.training.methods.wgan import Wgan

METHODS: dict[str, type[Method]] = {
    "alpha-gan": AlphaGan,
    "crf-gan": CrfGanMethod,
    "ha-gan": HaGanMethod,
    "ldm": Ldm,
    "paired": Paired,
    "vae-gan": VaeGan,
    "wgan": Wgan,
}


def find_method(name: str) -> type[Method]:
    """The method of this name.

    Raises:
        WrongRequestError: there is none; names those there are.
    """
    if name not in METHODS:
        raise WrongRequestError(f"there is no method {name!r}; there are {', '.join(METHODS)}")
    return METHODS[name]
