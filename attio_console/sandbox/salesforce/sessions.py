"""Who may come in: sessions, the registered application, and the key its assertions are signed with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from random import Random

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from attio_console.sandbox.salesforce.errors import SalesforceError
from attio_console.sandbox.salesforce.state import Salesforce
from attio_console.sandbox.server import Request
from attio_console.sandbox.world import World

SESSION = timedelta(hours=2)
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._"


@dataclass(frozen=True, slots=True)
class Session:
    """An access token: whose it is, and until when."""

    token: str
    user_id: str
    expires_at: datetime | None


@dataclass(slots=True)
class ConnectedApp:
    """The one application that is registered."""

    client_id: str
    client_secret: str
    username: str
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    refresh_tokens: dict[str, str] = field(default_factory=dict)
    """Refresh token -> user id."""


class Sessions:
    """The sessions of an org; `sessions_of(world)` returns the world's."""

    def __init__(self, org: Salesforce) -> None:
        self.org = org
        self.random = Random(f"{org.world.seed}:salesforce-sessions")
        self.sessions: dict[str, Session] = {}
        self.pem = ""
        """The private key as text, so that it can be kept with the rest of the world."""
        user = org.integration_user
        self.app = ConnectedApp(f"3MVG9{self.word(80)}", self.word(64), user["Username"])
        self.first = self.open(user["Id"], lasting=True)
        self.first_refresh = f"5Aep861{self.word(50)}"
        self.app.refresh_tokens[self.first_refresh] = user["Id"]

    def word(self, length: int) -> str:
        """Draw letters and digits."""
        return "".join(self.random.choice(_ALPHABET) for _ in range(length))

    def open(self, user_id: str, *, lasting: bool = False) -> Session:
        """Begin a session; the one that is handed out at the start lasts."""
        token = f"{self.org.org_id[:15]}!AR8AQ{self.word(80)}"
        until = None if lasting else self.org.world.clock.now() + SESSION
        self.sessions[token] = Session(token, user_id, until)
        return self.sessions[token]

    def of(self, request: Request) -> Session:
        """Return the session of a call, or refuse it."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        session = self.sessions.get(token.strip()) if scheme.lower() in {"bearer", "oauth"} else None
        if session is None or (session.expires_at and session.expires_at <= self.org.world.clock.now()):
            raise SalesforceError(401, "INVALID_SESSION_ID", "Session expired or invalid")
        return session

    def private_key_pem(self) -> bytes:
        """Return the key that the application's assertions are signed with; made when first asked for."""
        self.pem = self.pem or _new_key()
        return self.pem.encode()

    def public_key(self) -> rsa.RSAPublicKey:
        """Return the key of the certificate the application was registered with."""
        key = serialization.load_pem_private_key(self.private_key_pem(), None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError("the registered key is no RSA key")
        return key.public_key()


@cache
def _new_key() -> str:
    # One a process: making a key takes longer than everything else a small sandbox does.
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


class SessionsPart:
    """The world's sessions: `world.part(SessionsPart).sessions`."""

    def __init__(self, world: World) -> None:
        self.sessions = Sessions(world.part(Salesforce))


def sessions_of(world: World) -> Sessions:
    """Return the sessions of the world's org, always the same ones."""
    return world.part(SessionsPart).sessions
