"""Ways into a Salesforce org: JWT bearer, client credentials, a refresh token, or a token at hand."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode

import msgspec

from attio_console import errors
from attio_console.model.clock import Clock, SystemClock
from attio_console.net import HttpClient

_ASSERTION_LIFE_S = 170
_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@dataclass(frozen=True, slots=True)
class Session:
    """An access token, where its org lives, and which org it is."""

    access_token: str
    instance_url: str
    org_id: str = ""


class SalesforceAuth(Protocol):
    """Somebody who can open a session, again where one has expired."""

    async def open(self, http: HttpClient) -> Session:
        """Return a fresh session."""


@dataclass(frozen=True, slots=True)
class TokenAtHand:
    """An access token that was obtained elsewhere; when it expires there is no other."""

    access_token: str
    instance_url: str
    org_id: str = ""

    async def open(self, http: HttpClient) -> Session:  # noqa: ARG002 - nothing needs asking
        """Return the session the token belongs to."""
        return Session(self.access_token, self.instance_url.rstrip("/"), self.org_id)


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """What an interactive login leaves behind."""

    login_url: str
    client_id: str
    refresh_token: str
    client_secret: str = ""

    async def open(self, http: HttpClient) -> Session:
        """Exchange the refresh token for a session."""
        form = {
            "grant_type": "refresh_token",
            "client_id": self.client_id,
            "refresh_token": self.refresh_token,
        }
        if self.client_secret:
            form["client_secret"] = self.client_secret
        return await ask_token(http, self.login_url, form)


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """A server's own identity; the token address must be the org's own domain."""

    login_url: str
    client_id: str
    client_secret: str

    async def open(self, http: HttpClient) -> Session:
        """Ask for a session as the app's run-as user."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        }
        return await ask_token(http, self.login_url, form)


@dataclass(frozen=True, slots=True)
class JwtBearer:
    """A key pair whose certificate the org trusts: nothing to refresh, asked again each time."""

    login_url: str
    client_id: str
    username: str
    private_key_pem: bytes
    audience: str = ""
    clock: Clock | None = None

    async def open(self, http: HttpClient) -> Session:
        """Ask for a session with an assertion that lives for three minutes."""
        expires = int((self.clock or SystemClock()).now().timestamp()) + _ASSERTION_LIFE_S
        claims = {
            "iss": self.client_id,
            "sub": self.username,
            "aud": self.audience or self.login_url.rstrip("/"),
            "exp": expires,
        }
        form = {"grant_type": _JWT_GRANT, "assertion": sign_rs256(claims, self.private_key_pem)}
        return await ask_token(http, self.login_url, form)


@dataclass(frozen=True, slots=True)
class WebLogin:
    """The interactive login with PKCE: open `url` in a browser, catch the code on loopback, `exchange` it."""

    login_url: str
    client_id: str
    redirect_uri: str
    verifier: str
    state: str

    @classmethod
    def begin(cls, login_url: str, client_id: str, redirect_uri: str) -> WebLogin:
        """Return a login that is ready to be opened in a browser."""
        return cls(
            login_url.rstrip("/"),
            client_id,
            redirect_uri,
            secrets.token_urlsafe(64),
            secrets.token_urlsafe(16),
        )

    @property
    def url(self) -> str:
        """Return the address to open."""
        challenge = _base64url(hashlib.sha256(self.verifier.encode()).digest())
        query = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "scope": "api refresh_token",
            "state": self.state,
        }
        return f"{self.login_url}/services/oauth2/authorize?{urlencode(query)}"

    async def exchange(self, http: HttpClient, code: str, state: str) -> tuple[Session, RefreshToken | None]:
        """Return the session for the code that came back, and what keeps it alive."""
        if not secrets.compare_digest(state, self.state):
            raise errors.NotAuthorised(
                "The login came back with a foreign state", system="salesforce", status=401
            )
        form = {
            "grant_type": "authorization_code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "code": code,
            "code_verifier": self.verifier,
        }
        body = await _post_form(http, self.login_url, form)
        refresh = body.get("refresh_token")
        kept = RefreshToken(self.login_url, self.client_id, str(refresh)) if refresh else None
        return _session(body), kept


async def ask_token(http: HttpClient, login_url: str, form: Mapping[str, str]) -> Session:
    """Return the session that the token address grants for this form."""
    return _session(await _post_form(http, login_url, form))


async def _post_form(http: HttpClient, login_url: str, form: Mapping[str, str]) -> dict[str, Any]:
    response = await http.request(
        "POST",
        f"{login_url.rstrip('/')}/services/oauth2/token",
        content=urlencode(form).encode(),
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    try:
        body = msgspec.json.decode(response.content)
    except msgspec.DecodeError:
        body = {}
    if response.status != 200 or not isinstance(body, dict) or "access_token" not in body:
        said = body if isinstance(body, dict) else {}
        text = said.get("error_description") or said.get("error") or f"the login answered {response.status}"
        raise errors.NotAuthorised(
            f"Salesforce did not let us in: {text}",
            system="salesforce",
            status=response.status,
            code=str(said.get("error") or ""),
            hint="Check the app's policies and the user's approval.",
        )
    return body


def _session(body: Mapping[str, Any]) -> Session:
    identity = str(body.get("id") or "").rstrip("/").split("/")
    org = identity[-2] if len(identity) >= 2 else ""
    return Session(str(body["access_token"]), str(body.get("instance_url") or "").rstrip("/"), org)


def sign_rs256(claims: Mapping[str, Any], private_key_pem: bytes) -> str:
    """Return the claims as a signed JSON web token."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = load_pem_private_key(private_key_pem, password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise errors.ConfigError("The private key for Salesforce is not an RSA key")
    head = _base64url(msgspec.json.encode({"alg": "RS256"}))
    body = _base64url(msgspec.json.encode(dict(claims)))
    signature = key.sign(f"{head}.{body}".encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{head}.{body}.{_base64url(signature)}"


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
