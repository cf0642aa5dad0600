"""One rule changed in a mapping: in its file, where comments and order stay, and in the mapping itself."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from dataclasses import replace
from pathlib import Path
from typing import Any

import tomlkit
import tomlkit.exceptions

from attio_console.errors import ConfigError, NoSuchThing
from attio_console.model.merge import Rule
from attio_console.sync.mapping import FieldMapping, Mapping, ObjectMapping


def own_mapping(directory: Path, system: str) -> Path:
    """Return where a workspace keeps its mapping of a system when its profile names no file."""
    return directory / f"mapping-{system}.toml"


def with_rule(mapping: Mapping, attio: str, external: str, slug: str, rule: Rule) -> Mapping:
    """Return the mapping with another rule for one field of one object. Raises NoSuchThing where it maps none."""

    def changed(field: FieldMapping) -> FieldMapping:
        return replace(field, rule=rule) if field.attio == slug else field

    def is_meant(one: ObjectMapping) -> bool:
        return one.attio == attio and one.external == external

    if not any(is_meant(one) and one.field(slug) for one in mapping.objects):
        raise NoSuchThing(f"{slug} of {attio} is not mapped to {mapping.system} {external}.")
    objects = tuple(
        replace(one, fields=tuple(map(changed, one.fields))) if is_meant(one) else one
        for one in mapping.objects
    )
    return replace(mapping, objects=objects)


def text_with_rule(text: str, path: Path, attio: str, external: str, slug: str, rule: Rule) -> str:
    """Return the text of a mapping file with another rule for one field. Raises ConfigError where it has no such field."""
    try:
        document = tomlkit.parse(text)
    except tomlkit.exceptions.ParseError as error:
        raise ConfigError(f"{path}:{error.line}: {error}") from error
    field = _field(document, attio, external, slug)
    if field is None:
        raise ConfigError(f"{path} does not map {slug} of {attio} to {external} any more.")
    if rule is Rule.MANUAL:
        field.pop("rule", None)
    else:
        field["rule"] = str(rule)
    return tomlkit.dumps(document)


def _field(document: MappingOf[str, Any], attio: str, external: str, slug: str) -> Any:
    for one in document.get("objects") or ():
        if (one.get("attio"), one.get("external")) == (attio, external):
            return next((field for field in one.get("fields") or () if field.get("attio") == slug), None)
    return None
