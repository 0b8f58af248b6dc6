"""Sealing the answer key: encrypted with a passphrase, so that the study's files may lie where readers work.

Argon2id (RFC 9106, its second recommended setting: 64 MiB, 3 passes, 4 lanes) makes a key of the passphrase;
ChaCha20-Poly1305 (RFC 8439) encrypts and proves that nothing was changed.  The study's id is authenticated with it, so
that one study's key can't be put into another.
"""

from __future__ import annotations

import base64
import json
import os
import unicodedata
import zlib
from typing import Any

from argon2.exceptions import HashingError
from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from synthview.errors import SealError
from synthview.study.protocol_files import canonical_json
from synthview.study.trial import AnswerKey

FORMAT = "synthview-sealed-1"
_COST = {"memory_kib": 65_536, "passes": 3, "lanes": 4}
_MOST_COST = {"memory_kib": 1 << 21, "passes": 64, "lanes": 64}  # a hostile file must not eat the machine
LEAST_PASSPHRASE = 8


def seal_key(key: AnswerKey, passphrase: str) -> str:
    """The key, encrypted, as text.

    Raises:
        SealError: the passphrase is too short.
    """
    if len(passphrase) < LEAST_PASSPHRASE:
        raise SealError(f"the passphrase has {len(passphrase)} characters; use {LEAST_PASSPHRASE} or more")
    salt, nonce = os.urandom(16), os.urandom(12)
    plain = zlib.compress(canonical_json(key.to_dict()).encode(), 9)
    cipher = ChaCha20Poly1305(_derive(passphrase, salt, _COST)).encrypt(nonce, plain, _bound_to(key.study))
    return json.dumps(
        {
            "format": FORMAT,
            "study": key.study,
            **_COST,
            "salt": _text(salt),
            "nonce": _text(nonce),
            "key": _text(cipher),
        }
    )


def open_key(sealed: str, passphrase: str, study: str) -> AnswerKey:
    """The key of a study.

    Raises:
        SealError: wrong passphrase, another study's key, or changed since it was sealed.
    """
    try:
        content: dict[str, Any] = json.loads(sealed)
        cost = {name: int(content[name]) for name in _COST}
        salt, nonce, cipher = (base64.b64decode(content[name]) for name in ("salt", "nonce", "key"))
        known = content["format"] == FORMAT
    except (ValueError, KeyError, TypeError) as error:
        raise SealError("the sealed key is damaged; take the study from a backup") from error
    if not known or any(not 1 <= cost[name] <= most for name, most in _MOST_COST.items()):
        raise SealError(f"the key is sealed as {content['format']!r}, which this synthview doesn't know; update it")
    try:
        plain = ChaCha20Poly1305(_derive(passphrase, salt, cost)).decrypt(nonce, cipher, _bound_to(study))
    except HashingError as error:
        raise SealError("the sealed key is damaged; take the study from a backup") from error
    except InvalidTag as error:
        raise SealError("wrong passphrase, or the sealed key was changed; nothing was opened") from error
    return AnswerKey.from_dict(json.loads(zlib.decompress(plain)))


def _derive(passphrase: str, salt: bytes, cost: dict[str, int]) -> bytes:
    return hash_secret_raw(
        unicodedata.normalize("NFKC", passphrase).encode(),  # the same on every keyboard
        salt,
        time_cost=cost["passes"],
        memory_cost=cost["memory_kib"],
        parallelism=cost["lanes"],
        hash_len=32,
        type=Type.ID,
    )


def _bound_to(study: str) -> bytes:
    return f"{FORMAT}|{study}".encode()


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
