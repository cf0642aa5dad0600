"""OAuth: the consent page that always agrees, tokens for half an hour, refresh tokens for ever."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

from attio_console.sandbox.hubspot.account import ALL_SCOPES, OAuthApp
from attio_console.sandbox.hubspot.errors import correlation_id, not_found
from attio_console.sandbox.hubspot.state import HubSpot
from attio_console.sandbox.server import HttpError, Request, Response, Router

LIFETIME_S = 1_800


def _refuse(status: int, code: str, message: str) -> HttpError:
    body = {
        "status": code,
        "message": message,
        "correlationId": correlation_id(),
        "error": "invalid_grant" if code.startswith("BAD_") else "invalid_request",
        "error_description": message,
    }
    return HttpError(Response.json(body, status))


class OAuthRoutes:
    """The handlers of one account."""

    def __init__(self, account: HubSpot) -> None:
        self.account = account

    @property
    def app(self) -> OAuthApp:
        """Return the one registered application."""
        return self.account.keyring.app

    def add(self, router: Router) -> None:
        """Serve the consent page and both generations of token endpoints."""
        router.add("GET", "/oauth/authorize", self.authorize)
        for version in ("v1", "v3", "2026-03"):
            router.add("POST", f"/oauth/{version}/token", self.token)
            router.add("POST", f"/oauth/{version}/token/introspect", self.introspect)
        router.add("GET", "/oauth/v1/access-tokens/{token}", self.access_token)
        router.add("GET", "/oauth/v1/refresh-tokens/{token}", self.refresh_token)

    def authorize(self, request: Request) -> Response:
        """Agree at once and send the browser back with a code."""
        query = request.query
        if query.get("client_id") != self.app.client_id:
            raise _refuse(400, "BAD_CLIENT_ID", "missing or unknown client id")
        redirect = query.get("redirect_uri")
        if not redirect:
            raise _refuse(400, "BAD_REDIRECT_URI", "missing or invalid redirect_uri")
        code = self.account.keyring.token(32)
        self.app.codes[code] = {
            "redirect_uri": redirect,
            "challenge": query.get("code_challenge", ""),
            "method": query.get("code_challenge_method", "plain"),
            "scope": query.get("scope", " ".join(ALL_SCOPES)),
        }
        back = {"code": code} | ({"state": query["state"]} if "state" in query else {})
        return Response(302, b"", [("location", f"{redirect}?{urlencode(back)}")])

    def token(self, request: Request) -> Response:
        """Give out an access token."""
        form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
        if form.get("client_id") != self.app.client_id:
            raise _refuse(400, "BAD_CLIENT_ID", "missing or unknown client id")
        grant = form.get("grant_type")
        # With PKCE the verifier stands in for the secret.
        secret = form.get("client_secret", "")
        if not (
            grant == "authorization_code" and form.get("code_verifier") and not secret
        ) and not hmac.compare_digest(secret.encode(), self.app.client_secret.encode()):
            raise _refuse(400, "BAD_CLIENT_SECRET", "missing or invalid client secret")
        match grant:
            case "authorization_code":
                return self._issue(self._redeem(form).split(), None)
            case "refresh_token":
                if form.get("refresh_token") not in self.app.refresh_tokens:
                    raise _refuse(400, "BAD_REFRESH_TOKEN", "missing or invalid refresh token")
                return self._issue(list(ALL_SCOPES), form["refresh_token"])
            case "client_credentials":
                return self._issue(form.get("scope", " ".join(ALL_SCOPES)).split(), "")
        raise _refuse(400, "BAD_GRANT_TYPE", "missing or unknown grant type")

    def _redeem(self, form: dict[str, str]) -> str:
        code = self.app.codes.pop(form.get("code", ""), None)
        if code is None or code["redirect_uri"] != form.get("redirect_uri"):
            raise _refuse(400, "BAD_AUTH_CODE", "missing or unknown auth code")
        if code["challenge"]:
            verifier = form.get("code_verifier", "")
            digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
            if (digest if code["method"] == "S256" else verifier) != code["challenge"]:
                raise _refuse(400, "BAD_AUTH_CODE", "code verifier does not match the challenge")
        return code["scope"]

    def _issue(self, scopes: list[str], refresh: str | None) -> Response:
        if refresh is None:
            refresh = f"na1-{self.account.keyring.token(32)}"
            self.app.refresh_tokens.add(refresh)
        expires = self.account.now() + timedelta(seconds=LIFETIME_S)
        key = self.account.keyring.add(
            self.account.keyring.token(64), "oauth", scopes=tuple(scopes), expires_at=expires
        )
        body: dict[str, Any] = {"token_type": "bearer", "access_token": key.value, "expires_in": LIFETIME_S}
        if refresh:
            body["refresh_token"] = refresh
        return Response.json({**body, "hub_id": self.account.portal_id, "scopes": scopes})

    def introspect(self, request: Request) -> Response:
        """Answer whether a token still opens anything."""
        form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
        token = form.get("token", "")
        key = self.account.keyring.keys.get(token)
        if key is None or (key.expires_at is not None and key.expires_at <= self.account.now()):
            return Response.json({"active": token in self.app.refresh_tokens})
        return Response.json({"active": True, **self._about(token)})

    def access_token(self, request: Request) -> Response:
        """Answer what an access token is for."""
        if request.params["token"] not in self.account.keyring.keys:
            raise not_found("access token not found")
        return Response.json(self._about(request.params["token"]))

    def refresh_token(self, request: Request) -> Response:
        """Answer what a refresh token is for."""
        token = request.params["token"]
        if token not in self.app.refresh_tokens:
            raise not_found("refresh token not found")
        about = {"token": token, "client_id": self.app.client_id, "hub_id": self.account.portal_id}
        return Response.json(
            {**about, "scopes": list(ALL_SCOPES), "token_type": "refresh", "user": "", "user_id": 0}
        )

    def _about(self, token: str) -> dict[str, Any]:
        key = self.account.keyring.keys[token]
        left = (key.expires_at - self.account.now()).total_seconds() if key.expires_at else LIFETIME_S
        return {
            "token": token,
            "hub_id": self.account.portal_id,
            "hub_domain": "northwind.example",
            "app_id": key.app_id,
            "client_id": self.app.client_id,
            "user": "ada@northwind.example",
            "user_id": 1,
            "scopes": list(key.scopes),
            "token_type": "access",
            "expires_in": max(0, int(left)),
        }
