"""A mapping as a TOML file that a person edits: written with comments, read with the line of every mistake."""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec
import tomlkit
import tomlkit.exceptions
from tomlkit.items import AoT

from attio_console.crm.protocol import CrmObject
from attio_console.errors import ConfigError
from attio_console.model.schema import Schema
from attio_console.sync.mapping import Activities, FieldMapping, Guards, Mapping, MatchKey, ObjectMapping

_HEADER = """Which fields of Attio and {system} stand for each other. Check it with: attio-console pairs init {system} --check
rule: manual, newest, attio, external, fill-blanks, never
direction: both, to-attio, to-external
blanks: fill (a blank is filled, never overwrites), keep, clear (a blank is a value)
transform: auto, personal-name, full-name, location
key_field: the unique field there that holds the Attio record id
stamp: true writes it for every confirmed pair, so that no later run, mapping or console can take one record for another;
  false leaves it as it is
activities: off, both, to-external, to-attio: which way notes and tasks of paired records are carried, each once"""


def write_mapping(mapping: Mapping) -> str:
    """Return a mapping as the text of its file; what is as usual is left out."""
    document = tomlkit.document()
    for line in _HEADER.format(system=mapping.system).split("\n"):
        document.add(tomlkit.comment(line))
    document.add(tomlkit.nl())
    document["system"] = mapping.system
    for name in ("first_sync", "region"):
        document[name] = getattr(mapping, name)
    document["guards"] = _table(mapping.guards)
    # Said in full, so that whoever reads the file sees that there is something to switch on.
    activities = tomlkit.table()
    activities.update({"notes": mapping.activities.notes, "tasks": mapping.activities.tasks})
    document["activities"] = activities
    objects = tomlkit.aot()
    for one in mapping.objects:
        table = _table(one, skip=("fields", "match"))
        if one.match:
            table["match"] = [{"attio": key.attio, "external": key.external} for key in one.match]
        table["fields"] = _aot(one.fields)
        objects.append(table)
    document["objects"] = objects
    return tomlkit.dumps(document)


def _aot(mapped: Sequence[FieldMapping]) -> AoT:
    result = tomlkit.aot()
    for one in mapped:
        result.append(_table(one))
    return result


def _table(value: Any, skip: Sequence[str] = ()) -> tomlkit.items.Table:
    table = tomlkit.table()
    for name, content in msgspec.to_builtins(value).items():
        if name in skip or content in ({}, [], ""):
            continue
        usual = next(f for f in fields(value) if f.name == name)
        if usual.default is not MISSING and getattr(value, name) == usual.default:
            continue
        table[name] = content
    return table


@dataclass(frozen=True)
class _Source:
    """The text of a file, to find the line of a mistake in."""

    path: str
    text: str

    def line(self, keys: Sequence[str | int]) -> int:
        """Return the line of objects[0].fields[3].rule and the like, or of what encloses it."""
        object_at = field_at = -1
        wanted_object = keys[1] if len(keys) > 1 and keys[0] == "objects" else None
        wanted_field = keys[3] if len(keys) > 3 and keys[2] == "fields" else None
        last = next((key for key in reversed(keys) if isinstance(key, str)), "")
        best = 1
        for number, line in enumerate(self.text.splitlines(), 1):
            stripped = line.strip()
            if stripped == "[[objects]]":
                object_at, field_at = object_at + 1, -1
            elif stripped.startswith("[[objects.fields"):
                field_at += 1
            inside = (wanted_object is None or object_at == wanted_object) and (
                wanted_field is None or field_at == wanted_field
            )
            if inside and stripped.startswith("[[") and object_at == wanted_object:
                best = number
            if inside and re.match(rf"\[?\"?{re.escape(last)}\"?[\]\s]*(=|$)", stripped):
                return number
        return best

    def error(self, keys: Sequence[str | int], message: str, nearest: str = "") -> ConfigError:
        """Return a mistake with its place, and the name that was probably meant."""
        hint = f"Did you mean {nearest}?" if nearest else None
        return ConfigError(f"{self.path}:{self.line(keys)}: {message}", hint=hint)


def read_mapping(path: Path) -> Mapping:
    """Return the mapping in a file. Raises ConfigError with file and line where it is not one."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"The mapping {path} cannot be read: {error.strerror}") from error
    return parse_mapping(text, str(path))


def parse_mapping(text: str, path: str = "mapping.toml") -> Mapping:
    """Return the mapping in a text. Raises ConfigError with file and line where it is not one."""
    source = _Source(path, text)
    try:
        document: dict[str, Any] = tomlkit.parse(text).unwrap()
    except tomlkit.exceptions.ParseError as error:
        raise ConfigError(f"{path}:{error.line}: {error}") from error
    _known_keys(source, document, Mapping, ())
    _known_keys(source, document.get("guards") or {}, Guards, ("guards",))
    _known_keys(source, document.get("activities") or {}, Activities, ("activities",))
    for number, table in enumerate(_tables(source, document, ())):
        _known_keys(source, table, ObjectMapping, ("objects", number))
        for key in table.get("match") or []:
            _known_keys(source, key, MatchKey, ("objects", number, "match"))
        for at, field in enumerate(table.get("fields") or []):
            if isinstance(field.get("external"), str):
                field["external"] = [field["external"]]
            _known_keys(source, field, FieldMapping, ("objects", number, "fields", at))
    try:
        return msgspec.convert(document, Mapping)
    except msgspec.ValidationError as error:
        keys = _path(str(error))
        raise source.error(keys, str(error).split(" - at ")[0]) from error


def _tables(
    source: _Source, document: MappingOf[str, Any], keys: tuple[str | int, ...]
) -> list[dict[str, Any]]:
    found = document.get("objects")
    if not isinstance(found, list) or not found:
        raise source.error(keys, "there are no [[objects]]")
    return found


def _known_keys(source: _Source, table: Any, shape: type, keys: tuple[str | int, ...]) -> None:
    known = [f.name for f in fields(shape)]
    for name in table if isinstance(table, dict) else ():
        if name not in known:
            near = get_close_matches(name, known, n=1)
            raise source.error(
                (*keys, name), f"{name!r} is not known here", near[0] if near else ", ".join(known)
            )


def _path(message: str) -> tuple[str | int, ...]:
    found = re.search(r"`\$(.*)`", message)
    parts: list[str | int] = []
    for name, number in re.findall(r"\.(\w+)|\[(\d+)\]", found[1] if found else ""):
        parts.append(int(number) if number else name)
    return tuple(parts)


def check_mapping(
    mapping: Mapping,
    schema: Schema,
    objects: MappingOf[str, CrmObject],
    text: str = "",
    path: str = "mapping.toml",
) -> list[ConfigError]:
    """Return every name in a mapping that one of the two schemas does not have, with its line and the nearest name."""
    source = _Source(path, text)
    problems: list[ConfigError] = []
    for number, one in enumerate(mapping.objects):
        at: tuple[str | int, ...] = ("objects", number)
        attio, external = schema.object(one.attio), objects.get(one.external)
        if attio is None:
            slugs = [o.slug for o in schema.objects]
            problems.append(_unknown(source, (*at, "attio"), "Attio has no object", one.attio, slugs))
        if external is None:
            problems.append(
                _unknown(source, (*at, "external"), f"{mapping.system} has no", one.external, list(objects))
            )
        if attio is None or external is None:
            continue
        there = [f.name for f in external.fields]
        if one.key_field and external.field(one.key_field) is None:
            problems.append(
                _unknown(source, (*at, "key_field"), f"{one.external} has no field", one.key_field, there)
            )
        for place, field in enumerate(one.fields):
            here: tuple[str | int, ...] = (*at, "fields", place)
            if attio.attribute(field.attio) is None:
                slugs = [a.slug for a in attio.attributes]
                problems.append(
                    _unknown(source, (*here, "attio"), f"{one.attio} has no attribute", field.attio, slugs)
                )
            problems += [
                _unknown(source, (*here, "external"), f"{one.external} has no field", name, there)
                for name in field.external
                if external.field(name) is None
            ]
    return problems


def _unknown(
    source: _Source, keys: Sequence[str | int], what: str, name: str, known: Sequence[str]
) -> ConfigError:
    near = get_close_matches(name, known, n=1, cutoff=0.4)
    return source.error(keys, f"{what} {name!r}", near[0] if near else "")
