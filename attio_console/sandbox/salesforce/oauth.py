"""Token endpoints: JWT bearer, client credentials, refresh, web server with PKCE. Passwords are refused."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from attio_console.sandbox.salesforce.sessions import Session, Sessions
from attio_console.sandbox.server import HttpError, Request, Response, Router

JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
# Three minutes by the book; clients in the wild ask for five and get them.
_LONGEST_S = 310
_HOSTS = ("https://login.salesforce.com", "https://test.salesforce.com")


def _refuse(error: str, description: str, status: int = 400) -> HttpError:
    return HttpError(Response.json({"error": error, "error_description": description}, status))


class OAuthRoutes:
    """The handlers of one org."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions

    def add(self, router: Router) -> None:
        """Serve the token endpoints."""
        router.add("POST", "/services/oauth2/token", self.token)
        router.add("GET", "/services/oauth2/authorize", self.authorize)
        router.add("POST", "/services/oauth2/revoke", self.revoke)
        router.add("GET", "/services/oauth2/revoke", self.revoke)
        router.add("POST", "/services/oauth2/introspect", self.introspect)
        router.add("GET", "/services/oauth2/userinfo", self.userinfo)
        router.add("GET", "/id/{org}/{user}", self.identity)

    def token(self, request: Request) -> Response:
        """Give out an access token."""
        form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
        match form.get("grant_type"):
            case grant if grant == JWT:
                return self._answer(request, self._by_assertion(request, form), refresh=None)
            case "client_credentials":
                self._client(form, request)
                user = self.sessions.org.integration_user["Id"]
                return self._answer(request, self.sessions.open(user), refresh=None)
            case "refresh_token":
                self._client(form, request, secret_needed=False)
                user = self.sessions.app.refresh_tokens.get(form.get("refresh_token", ""), "")
                if not user:
                    raise _refuse("invalid_grant", "expired access/refresh token")
                return self._answer(request, self.sessions.open(user), refresh=None)
            case "authorization_code":
                return self._redeem(request, form)
            case "password":
                raise _refuse("invalid_grant", "authentication failure")
            case "device" | "urn:ietf:params:oauth:grant-type:device_code":
                raise _refuse("unsupported_grant_type", "device flow is not enabled for this org")
        raise _refuse("unsupported_grant_type", "grant type not supported")

    def _client(self, form: Mapping[str, str], request: Request, *, secret_needed: bool = True) -> None:
        client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
        scheme, _, basic = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                client_id, _, secret = base64.b64decode(basic).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                client_id = ""
        app = self.sessions.app
        if client_id != app.client_id:
            raise _refuse("invalid_client_id", "client identifier invalid")
        if (secret_needed or secret) and not hmac.compare_digest(secret.encode(), app.client_secret.encode()):
            raise _refuse("invalid_client", "invalid client credentials")

    def _by_assertion(self, request: Request, form: Mapping[str, str]) -> Session:
        header, claims, signed, signature = _split(form.get("assertion", ""))
        app = self.sessions.app
        if header.get("alg") != "RS256":
            raise _refuse("invalid_grant", "invalid assertion")
        if claims.get("iss") != app.client_id:
            raise _refuse("invalid_client_id", "client identifier invalid")
        try:
            self.sessions.public_key().verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            raise _refuse("invalid_grant", "invalid assertion") from None
        here = f"http://{request.headers.get('host', '')}"
        if str(claims.get("aud", "")).rstrip("/") not in {*_HOSTS, here}:
            raise _refuse("invalid_grant", "audience is invalid")
        expires = claims.get("exp")
        if isinstance(expires, str) and expires.isdigit():
            # A client in the wild writes the number as text, and is let in.
            expires = int(expires)
        # A client signs by its own clock; the sandbox's may have been pushed ahead of it.
        clocks = (time.time(), self.sessions.org.world.clock.now().timestamp())
        if not isinstance(expires, (int, float)) or not any(
            0 < expires - now <= _LONGEST_S for now in clocks
        ):
            raise _refuse("invalid_grant", "assertion expired")
        users = self.sessions.org.tables["User"].by_key("Username", str(claims.get("sub", "")))
        if not users or not users[0].get("IsActive"):
            raise _refuse("invalid_grant", "user hasn't approved this consumer")
        return self.sessions.open(users[0]["Id"])

    def authorize(self, request: Request) -> Response:
        """Agree at once and send the browser back with a code."""
        query = request.query
        if query.get("client_id") != self.sessions.app.client_id:
            raise _refuse("invalid_client_id", "client identifier invalid")
        redirect = query.get("redirect_uri")
        if query.get("response_type") != "code" or not redirect:
            raise _refuse("redirect_uri_missing", "expected response_type code and a redirect_uri")
        code = self.sessions.word(40)
        self.sessions.app.codes[code] = {
            "redirect_uri": redirect,
            "challenge": query.get("code_challenge", ""),
            "scope": query.get("scope", "api refresh_token"),
        }
        back = {"code": code} | ({"state": query["state"]} if "state" in query else {})
        return Response(302, b"", [("location", f"{redirect}?{urlencode(back)}")])

    def _redeem(self, request: Request, form: Mapping[str, str]) -> Response:
        code = self.sessions.app.codes.pop(form.get("code", ""), None)
        if code is None:
            raise _refuse("invalid_grant", "invalid authorization code")
        self._client(form, request, secret_needed=not code["challenge"])
        if code["redirect_uri"] != form.get("redirect_uri"):
            raise _refuse("redirect_uri_mismatch", "redirect_uri must match configuration")
        if code["challenge"]:
            digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            if base64.urlsafe_b64encode(digest).decode().rstrip("=") != code["challenge"]:
                raise _refuse("invalid_grant", "invalid code verifier")
        user = self.sessions.org.integration_user["Id"]
        refresh = f"5Aep861{self.sessions.word(50)}" if "refresh_token" in code["scope"] else None
        if refresh:
            self.sessions.app.refresh_tokens[refresh] = user
        return self._answer(request, self.sessions.open(user), refresh=refresh)

    def _answer(self, request: Request, session: Session, *, refresh: str | None) -> Response:
        issued = str(int(self.sessions.org.world.clock.now().timestamp() * 1000))
        identity = f"https://login.salesforce.com/id/{self.sessions.org.org_id}/{session.user_id}"
        mac = hmac.new(
            self.sessions.app.client_secret.encode(), f"{identity}{issued}".encode(), hashlib.sha256
        )
        body = {
            "access_token": session.token,
            "scope": "refresh_token api" if refresh else "api",
            "instance_url": f"http://{request.headers.get('host', '127.0.0.1')}",
            "id": identity,
            "token_type": "Bearer",
            "issued_at": issued,
            "signature": base64.b64encode(mac.digest()).decode(),
        }
        return Response.json(body | ({"refresh_token": refresh} if refresh else {}))

    def revoke(self, request: Request) -> Response:
        """End a session, or take a refresh token back."""
        form = dict(parse_qsl(request.body.decode("utf-8", "replace"))) | request.query
        token = form.get("token", "")
        if (
            self.sessions.sessions.pop(token, None) is None
            and self.sessions.app.refresh_tokens.pop(token, None) is None
        ):
            raise _refuse("unsupported_token_type", "this token type is not supported")
        return Response(200)

    def introspect(self, request: Request) -> Response:
        """Answer whether a token still opens anything."""
        form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
        self._client(form, request)
        session = self.sessions.sessions.get(form.get("token", ""))
        alive = session is not None and (
            session.expires_at is None or session.expires_at > self.sessions.org.world.clock.now()
        )
        return Response.json(
            {"active": alive, "scope": "api", "client_id": self.sessions.app.client_id}
            if alive
            else {"active": False}
        )

    def userinfo(self, request: Request) -> Response:
        """Answer who the caller is."""
        session = self.sessions.of(request)
        user = self.sessions.org.tables["User"].rows[session.user_id]
        return Response.json(
            {
                "sub": f"https://login.salesforce.com/id/{self.sessions.org.org_id}/{user['Id']}",
                "user_id": user["Id"],
                "organization_id": self.sessions.org.org_id,
                "preferred_username": user["Username"],
                "name": user["Name"],
                "email": user["Email"],
                "active": user["IsActive"],
            }
        )

    def identity(self, request: Request) -> Response:
        """Answer who a user is: the document at the address that `id` names."""
        session = self.sessions.of(request)
        org, users = self.sessions.org, self.sessions.org.tables["User"]
        if request.params["org"] != org.org_id or request.params["user"] != session.user_id:
            raise HttpError(Response(403, b"Bad_Id", [("content-type", "text/plain")]))
        user = users.rows[session.user_id]
        host = f"http://{request.headers.get('host', '127.0.0.1')}"
        return Response.json(
            {
                "id": f"{host}/id/{org.org_id}/{user['Id']}",
                "asserted_user": True,
                "user_id": user["Id"],
                "organization_id": org.org_id,
                "username": user["Username"],
                "display_name": user["Name"],
                "email": user["Email"],
                "active": user["IsActive"],
                "user_type": "STANDARD",
                "urls": {
                    "rest": f"{host}/services/data/v{{version}}/",
                    "sobjects": f"{host}/services/data/v{{version}}/sobjects/",
                    "query": f"{host}/services/data/v{{version}}/query/",
                },
            }
        )


def _split(assertion: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    try:
        head, claims, signature = assertion.split(".")
        return _decode(head), _decode(claims), f"{head}.{claims}".encode(), _bytes(signature)
    except (ValueError, binascii.Error, msgspec.DecodeError):
        raise _refuse("invalid_grant", "invalid assertion") from None


def _bytes(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _decode(part: str) -> dict[str, Any]:
    return msgspec.json.decode(_bytes(part), type=dict[str, Any])
