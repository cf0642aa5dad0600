"""Which scopes an operation needs, and whether a token has them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_CONFIG = "object_configuration:read"
_RECORD = "record_permission:read"
_LIST = "list_configuration:read"
_ENTRY = "list_entry:read"
_PLACED = (_CONFIG, _RECORD)
"""What else an operation needs that shows where in the workspace something hangs."""

_Scopes = tuple[str, ...]


def anonymous(template: str) -> str:
    """Forget the names of a template's segments: `/v2/notes/{note_id}` is `/v2/notes/{}`."""
    return re.sub(r"\{[^}]*\}", "{}", template)


def _crud(path: str, scope: str, *extra: str, methods: str = "GET POST") -> dict[tuple[str, str], _Scopes]:
    return {
        (method, path): (f"{scope}:read" if method == "GET" else f"{scope}:read-write", *extra)
        for method in methods.split()
    }


def _attributes(target: str, scope: str) -> dict[tuple[str, str], _Scopes]:
    base = f"/v2/{target}/{{}}/attributes"
    needed: dict[tuple[str, str], _Scopes] = {}
    needed |= _crud(base, scope)
    needed |= _crud(f"{base}/{{}}", scope, methods="GET PATCH")
    for kind in ("options", "statuses"):
        needed |= _crud(f"{base}/{{}}/{kind}", scope)
        needed |= _crud(f"{base}/{{}}/{kind}/{{}}", scope, methods="PATCH")
    return needed


_RECORDS = "/v2/objects/{}/records"
_ENTRIES = "/v2/lists/{}/entries"
_RECORDINGS = "/v2/meetings/{}/call_recordings"

REQUIRED: Mapping[tuple[str, str], _Scopes] = {
    **_crud("/v2/objects", "object_configuration"),
    **_crud("/v2/objects/{}", "object_configuration", methods="GET PATCH"),
    ("DELETE", "/v2/objects/{}"): ("object_configuration:read-write", "record_permission:read-write"),
    **_attributes("objects", "object_configuration"),
    **_attributes("lists", "list_configuration"),
    ("GET", "/v2/objects/{}/views"): (_CONFIG,),
    ("GET", "/v2/lists/{}/views"): (_LIST,),
    ("POST", f"{_RECORDS}/query"): (_RECORD, _CONFIG),
    **_crud(_RECORDS, "record_permission", _CONFIG, methods="POST PUT"),
    **_crud(f"{_RECORDS}/{{}}", "record_permission", _CONFIG, methods="GET PATCH PUT DELETE"),
    ("POST", f"{_RECORDS}/merge"): ("record_permission:read-write", _CONFIG),
    **_crud(f"{_RECORDS}/{{}}/attributes/{{}}/values", "record_permission", _CONFIG, methods="GET PUT"),
    ("GET", f"{_RECORDS}/{{}}/entries"): (_RECORD, _CONFIG, _ENTRY),
    ("POST", "/v2/objects/records/search"): (_RECORD, _CONFIG),
    **_crud("/v2/lists", "list_configuration"),
    **_crud("/v2/lists/{}", "list_configuration", methods="GET PATCH"),
    ("POST", f"{_ENTRIES}/query"): (_ENTRY, _LIST),
    **_crud(_ENTRIES, "list_entry", _LIST, methods="POST PUT"),
    **_crud(f"{_ENTRIES}/{{}}", "list_entry", _LIST, methods="GET PATCH PUT DELETE"),
    **_crud(f"{_ENTRIES}/{{}}/attributes/{{}}/values", "list_entry", _LIST, methods="GET PUT"),
    **_crud("/v2/workspace_members", "user_management", methods="GET"),
    **_crud("/v2/workspace_members/{}", "user_management", methods="GET"),
    **_crud("/v2/notes", "note", *_PLACED),
    **_crud("/v2/notes/{}", "note", *_PLACED, methods="GET PATCH"),
    ("DELETE", "/v2/notes/{}"): ("note:read-write",),
    **_crud("/v2/tasks", "task", *_PLACED, "user_management:read"),
    **_crud("/v2/tasks/{}", "task", *_PLACED, "user_management:read", methods="GET PATCH"),
    ("DELETE", "/v2/tasks/{}"): ("task:read-write",),
    # What a comment hangs on decides the second pair of scopes: its handler asks for that.
    ("POST", "/v2/comments"): ("comment:read-write",),
    ("GET", "/v2/comments/{}"): ("comment:read",),
    ("DELETE", "/v2/comments/{}"): ("comment:read-write",),
    ("GET", "/v2/threads"): ("comment:read",),
    ("GET", "/v2/threads/{}"): ("comment:read",),
    **_crud("/v2/meetings", "meeting", _RECORD),
    **_crud("/v2/meetings/{}", "meeting", _RECORD, methods="GET PATCH PUT"),
    ("DELETE", "/v2/meetings/{}"): ("meeting:read-write",),
    ("GET", _RECORDINGS): ("meeting:read", "call_recording:read"),
    ("POST", _RECORDINGS): ("meeting:read", "call_recording:read-write"),
    ("GET", f"{_RECORDINGS}/{{}}"): ("meeting:read", "call_recording:read"),
    ("DELETE", f"{_RECORDINGS}/{{}}"): ("meeting:read", "call_recording:read-write"),
    ("GET", f"{_RECORDINGS}/{{}}/transcript"): ("meeting:read", "call_recording:read"),
    **_crud("/v2/files", "file", *_PLACED),
    ("POST", "/v2/files/upload"): ("file:read-write", *_PLACED),
    **_crud("/v2/files/{}", "file", *_PLACED, methods="GET DELETE"),
    ("GET", "/v2/files/{}/download"): ("file:read", *_PLACED),
    ("GET", "/v2/emails"): ("email:read", *_PLACED),
    **_crud("/v2/webhooks", "webhook"),
    **_crud("/v2/webhooks/{}", "webhook", methods="GET PATCH DELETE"),
}
"""The scopes of every operation but `GET /v2/self`, which needs none."""

WORKSPACE_LEVEL = frozenset(
    {
        *((method, path) for method, path in REQUIRED if path.startswith("/v2/webhooks")),
        ("GET", "/v2/meetings"),
        ("GET", f"{_RECORDINGS}/{{}}/transcript"),
        ("GET", "/v2/emails"),
    }
)
"""Operations that a token of a single user may not use."""

RECORD_PAIR: _Scopes = _PLACED
ENTRY_PAIR: _Scopes = (_LIST, _ENTRY)


def missing(granted: Iterable[str], needed: Iterable[str]) -> list[str]:
    """Return the needed scopes that are not granted; `read-write` includes `read`."""
    held = set(granted)
    held |= {f"{scope.removesuffix(':read-write')}:read" for scope in held if scope.endswith(":read-write")}
    return [scope for scope in needed if scope not in held]
