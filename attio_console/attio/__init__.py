"""The Attio REST v2 client.

Importing it loads no HTTP library; making an AsyncAttio does.
"""

from attio_console.attio.client import BASE_URL, AsyncAttio
from attio_console.attio.rows import Entry, RawEntry, RawRecord, Record
from attio_console.attio.scan import PAGE_SIZE, RawPage, ScanCursor
from attio_console.attio.things import (
    Actor,
    AttributeInfo,
    Comment,
    EntryRef,
    Identity,
    ListInfo,
    MemberInfo,
    Note,
    ObjectInfo,
    SearchHit,
    Task,
    Thread,
    Webhook,
)
from attio_console.attio.values import Value, read_value, read_values

__all__ = [
    "BASE_URL",
    "PAGE_SIZE",
    "Actor",
    "AsyncAttio",
    "AttributeInfo",
    "Comment",
    "Entry",
    "EntryRef",
    "Identity",
    "ListInfo",
    "MemberInfo",
    "Note",
    "ObjectInfo",
    "RawEntry",
    "RawPage",
    "RawRecord",
    "Record",
    "ScanCursor",
    "SearchHit",
    "Task",
    "Thread",
    "Value",
    "Webhook",
    "read_value",
    "read_values",
]
