"""Reading `multipart/form-data`: fields, and one file."""

from __future__ import annotations

from dataclasses import dataclass, field
from email.message import Message


@dataclass(frozen=True, slots=True)
class Upload:
    """The file of a form."""

    name: str
    content_type: str
    content: bytes


@dataclass(slots=True)
class Form:
    """What a form brought."""

    fields: dict[str, str] = field(default_factory=dict)
    files: dict[str, Upload] = field(default_factory=dict)


def parse_form(content_type: str, body: bytes) -> Form | None:
    """Read a form, or return None when the body is none."""
    outer = Message()
    outer["content-type"] = content_type
    boundary = outer.get_boundary()
    if outer.get_content_type() != "multipart/form-data" or not boundary:
        return None
    mark = b"--" + boundary.encode("utf-8", "surrogateescape")
    parts = (b"\r\n" + body).split(b"\r\n" + mark)
    if len(parts) < 3 or not parts[-1].startswith(b"--"):
        return None
    form = Form()
    for part in parts[1:-1]:
        head, found, content = part.partition(b"\r\n\r\n")
        if not found:
            return None
        headers = Message()
        for line in head.decode("utf-8", "replace").strip().split("\r\n"):
            name, _, value = line.partition(":")
            headers[name.strip()] = value.strip()
        key = headers.get_param("name", header="content-disposition")
        if not isinstance(key, str):
            return None
        file_name = headers.get_filename()
        if file_name is None:
            form.fields[key] = content.decode("utf-8", "replace")
        else:
            kind = headers.get_content_type() if "content-type" in headers else "application/octet-stream"
            form.files[key] = Upload(file_name, kind, content)
    return form
