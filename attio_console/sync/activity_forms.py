"""What a note or task looks like on each side, and the line in it that says whose copy it is."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from attio_console.model.times import instant, stamp
from attio_console.store.activities import ActivityKind

_REF = re.compile(r"\[(attio|hubspot|salesforce):([A-Za-z]+):([A-Za-z0-9-]{1,64})\]")
_BREAK = re.compile(r"<br\s*/?>|</(?:p|div|li|h[1-6]|tr)>", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")
_TITLE: Final = 255
_TASK: Final = 2_000

SYSTEMS: Final = {"attio": "Attio", "hubspot": "HubSpot", "salesforce": "Salesforce"}
SALESFORCE_KEY: Final = "Attio_Id__c"


@dataclass(frozen=True, slots=True)
class Ref:
    """Which activity of which system a text is the copy of."""

    system: str
    type: str
    id: str

    def __str__(self) -> str:
        return f"[{self.system}:{self.type}:{self.id}]"


def ref_in(text: str, systems: Sequence[str]) -> Ref | None:
    """Return the last reference to one of the systems that a text ends with; words before it are nobody's claim."""
    found = [Ref(*match.groups()) for match in _REF.finditer(text[-200:])]
    return next((ref for ref in reversed(found) if ref.system in systems), None)


@dataclass(frozen=True, slots=True)
class Draft:
    """A note or task without the dress of either side."""

    kind: ActivityKind
    ref: Ref
    title: str
    text: str
    author: str = ""
    owner: str = ""
    """the e-mail address of whom it belongs to: a note's author, a task's assignee"""
    at: datetime | None = None
    due: datetime | None = None
    completed: bool = False

    @property
    def signature(self) -> str:
        """Return the line that says who wrote it when, and what it is a copy of."""
        by = f" by {self.author}" if self.author else ""
        when = f", {self.at:%Y-%m-%d %H:%M} UTC" if self.at else ""
        return f"{SYSTEMS[self.ref.system]} {self.kind}{by}{when} {self.ref}"

    def signed(self, limit: int) -> str:
        """Return the text with its signature, no longer than that."""
        room = limit - len(self.signature) - 2
        text = self.text.rstrip()
        if len(text) > room:
            text = text[: room - 1].rstrip() + "…"
        return f"{text}\n\n{self.signature}".lstrip()


def external_type(system: str, kind: ActivityKind) -> str:
    """Return the type that stands for notes or tasks there. Salesforce keeps both as tasks."""
    if system == "salesforce":
        return "Task"
    return "notes" if kind == "note" else "tasks"


def kind_of(system: str, object_type: str) -> ActivityKind:
    """Return what a record of that type is; what somebody logged in Salesforce is a task."""
    del system
    return "note" if object_type == "notes" else "task"


def fields_of(object_type: str) -> tuple[str, ...]:
    """Return the fields to read of an activity there, references included."""
    if object_type == "notes":
        return ("hs_note_body", "hs_timestamp", "hubspot_owner_id", *_HUBSPOT_LINKS)
    if object_type == "tasks":
        return (
            "hs_task_subject",
            "hs_task_body",
            "hs_task_status",
            "hs_timestamp",
            "hs_createdate",
            "createdate",
            "hubspot_owner_id",
            *_HUBSPOT_LINKS,
        )
    return (
        "Subject",
        "Description",
        "Status",
        "IsClosed",
        "ActivityDate",
        "WhoId",
        "WhatId",
        "OwnerId",
        "CreatedById",
        "CreatedDate",
    )


_HUBSPOT_LINKS = ("association:contacts", "association:companies", "association:deals")
_LINKED_TYPES: Final = {
    "association:contacts": "contacts",
    "association:companies": "companies",
    "association:deals": "deals",
}


def parents_of(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return (type, id) of the records that an activity there hangs on; a type of "" is told by the pair alone."""
    found = [(kind, str(values[name])) for name, kind in _LINKED_TYPES.items() if values.get(name)]
    return found + [("", str(values[name])) for name in ("WhoId", "WhatId") if values.get(name)]


# ------------------------------------------------------------------------------------------------- to the other side


def native(
    system: str, draft: Draft, owner_id: str, parents: Sequence[tuple[str, str]]
) -> tuple[dict[str, Any], dict[str, str | None]]:
    """Return the fields and the links of an activity as the other side takes it."""
    if system == "salesforce":
        return _task_of_salesforce(draft, owner_id, parents), {}
    values: dict[str, Any] = {"hubspot_owner_id": owner_id} if owner_id else {}
    at = draft.at
    if draft.kind == "note":
        heading = f"{draft.title}\n\n" if draft.title else ""
        body = f"{heading}{draft.signed(60_000)}"
        values |= {"hs_note_body": to_html(body), "hs_timestamp": _millis(at)}
    else:
        values |= {
            "hs_task_subject": _line(draft.text),
            "hs_task_body": to_html(draft.signed(60_000)),
            "hs_timestamp": _millis(draft.due or at),
            "hs_task_status": status(system, completed=draft.completed),
            "hs_task_type": "TODO",
        }
    links: dict[str, str | None] = {}
    for kind, parent in parents:
        links.setdefault(kind, parent)
    return {name: value for name, value in values.items() if value is not None}, links


def _task_of_salesforce(draft: Draft, owner_id: str, parents: Sequence[tuple[str, str]]) -> dict[str, Any]:
    day = draft.due if draft.kind == "task" else draft.at
    values: dict[str, Any] = {
        "Subject": _line(draft.title or draft.text) or draft.kind.title(),
        "Description": draft.signed(32_000),
        "Status": status("salesforce", completed=draft.completed or draft.kind == "note"),
    }
    if day is not None:
        values["ActivityDate"] = f"{day:%Y-%m-%d}"
    if owner_id:
        values["OwnerId"] = owner_id
    for kind, parent in parents:
        values.setdefault("WhoId" if kind in {"Contact", "Lead"} else "WhatId", parent)
    if any(kind == "Lead" for kind, _ in parents) and values.get("WhatId"):
        # A task about a lead cannot be about an account, too.
        del values["WhatId"]
    return values


def status_field(system: str) -> str:
    """Return the field that says whether a task there is done."""
    return "Status" if system == "salesforce" else "hs_task_status"


def status(system: str, *, completed: bool) -> str:
    """Return the value that says whether a task there is done."""
    if system == "salesforce":
        return "Completed" if completed else "Not Started"
    return "COMPLETED" if completed else "NOT_STARTED"


def is_completed(values: Mapping[str, Any]) -> bool:
    """Return whether a task there is done."""
    return bool(values.get("IsClosed")) or values.get("hs_task_status") == "COMPLETED"


# ------------------------------------------------------------------------------------------------- from the other side


def text_of(values: Mapping[str, Any]) -> str:
    """Return all text of an activity there."""
    return str(values.get("Description") or "") or from_html(
        str(values.get("hs_note_body") or values.get("hs_task_body") or "")
    )


def from_external(
    system: str,
    object_type: str,
    external_id: str,
    values: Mapping[str, Any],
    names: Mapping[str, tuple[str, str]],
) -> Draft:
    """Return an activity of the other side; `names` holds owner id -> (name, e-mail)."""
    kind = kind_of(system, object_type)
    owner = str(values.get("hubspot_owner_id") or values.get("OwnerId") or "")
    author = str(values.get("CreatedById") or owner)
    subject = str(values.get("hs_task_subject") or values.get("Subject") or "").strip()
    text = text_of(values).strip()
    at = values.get("CreatedDate") or (values.get("hs_timestamp") if kind == "note" else None)
    at = at or values.get("createdate") or values.get("hs_createdate")
    due = values.get("ActivityDate") or (values.get("hs_timestamp") if kind == "task" else None)
    title = subject or _line(text)
    if kind == "task":
        text = subject if text in {"", subject} else f"{subject}\n\n{text}".strip()
    return Draft(
        kind,
        Ref(system, object_type, external_id),
        title,
        text,
        names.get(author, ("", ""))[0],
        names.get(owner, ("", ""))[1],
        instant(str(at)) if at else None,
        _when(due),
        completed=is_completed(values),
    )


def to_attio(draft: Draft, links: Sequence[tuple[str, str]], member_id: str) -> dict[str, Any]:
    """Return the payload of the outbox item that makes it in Attio; `links` are (object slug, record id)."""
    slug, record_id = links[0]
    if draft.kind == "note":
        return {
            "parent_object": slug,
            "parent_record_id": record_id,
            "title": draft.title,
            "format": "plaintext",
            "content": draft.signed(100_000),
            **({"created_at": stamp(draft.at)} if draft.at else {}),
        }
    member = [{"referenced_actor_type": "workspace-member", "referenced_actor_id": member_id}]
    return {
        "content": draft.signed(_TASK),
        "deadline_at": stamp(draft.due) if draft.due else None,
        "is_completed": draft.completed,
        "linked_records": [{"target_object": slug, "target_record_id": one} for slug, one in links],
        "assignees": member if member_id else [],
    }


def to_html(text: str) -> str:
    """Return plain text as the little HTML that HubSpot keeps."""
    return html.escape(text, quote=False).replace("\n", "<br>")


def from_html(text: str) -> str:
    """Return the plain text of a body."""
    broken = _BREAK.sub("\n", text)
    return html.unescape(_TAG.sub("", broken)).replace("\xa0", " ").strip()


def _line(text: str) -> str:
    first = text.strip().split("\n", 1)[0].strip()
    return first if len(first) <= _TITLE else first[: _TITLE - 1] + "…"


def _millis(moment: datetime | None) -> str | None:
    return None if moment is None else str(int(moment.timestamp() * 1000))


def moment(value: Any) -> datetime | None:
    """Return the time that a text names, if it names one."""
    return instant(str(value)) if value else None


def _when(value: Any) -> datetime | None:
    text = str(value or "")
    if text.isdigit():
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    return instant(text) if text else None
