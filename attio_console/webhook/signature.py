"""Attio's signature: lower-case hex HMAC-SHA256 over the raw body, keyed with the webhook's secret."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable


def sign(secret: bytes, body: bytes) -> str:
    """Return the signature that Attio puts in `Attio-Signature` for this body."""
    return hmac.new(secret, body, hashlib.sha256).hexdigest()


def verify(secrets: Iterable[bytes], body: bytes, signature: str) -> bool:
    """Return whether any of the secrets made this signature, in a time that does not tell which one nearly did."""
    given = signature.strip().lower().encode("latin-1", "replace")
    matched = False
    for secret in secrets:
        # No early exit: the time taken depends on how many secrets are valid, never on which one matches.
        matched |= hmac.compare_digest(sign(secret, body).encode(), given)
    return matched
