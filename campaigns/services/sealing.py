"""The office's secret at rest: AES-256-GCM under a key derived from the key file, bound to its draw.

Whoever has the database alone cannot know the secret before the office reveals it.
"""

import hashlib
import hmac
import secrets
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from campaigns.domain.errors import Broken

_PURPOSE: Final = b"hongbao office secret/1"
_NONCE_BYTES: Final = 12


def seal(hmac_key: bytes, draw_id: UUID, secret: bytes) -> bytes:
    """Nonce and ciphertext of ``secret`` for one draw."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + _cipher(hmac_key).encrypt(nonce, secret, draw_id.bytes)


def unseal(hmac_key: bytes, draw_id: UUID, sealed: bytes) -> bytes:
    """The secret again. Raises Broken ``seal_broken`` when the key file or the row is not the one it was made with."""
    try:
        return _cipher(hmac_key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], draw_id.bytes)
    except InvalidTag:
        raise Broken("seal_broken") from None


def _cipher(hmac_key: bytes) -> AESGCM:
    return AESGCM(hmac.digest(hmac_key, _PURPOSE, hashlib.sha256))
