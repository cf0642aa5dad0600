"""`/v2/objects`, their attributes, options and statuses, and those of lists."""

from __future__ import annotations

import re
from typing import Any

from attio_console.sandbox.attio import schema
from attio_console.sandbox.attio.auth import token_of
from attio_console.sandbox.attio.bodies import Body, data, query_flag, query_number
from attio_console.sandbox.attio.callers import attribute_of, author_of, crm_of, list_of, object_of
from attio_console.sandbox.attio.coerce import coerce
from attio_console.sandbox.attio.errors import ApiError, bad_request, invalid
from attio_console.sandbox.attio.journaling import journal
from attio_console.sandbox.attio.records import delete_row
from attio_console.sandbox.attio.state import Attribute, Container, Crm, List, Object, Value
from attio_console.sandbox.attio.values import value_json
from attio_console.sandbox.attio.words import is_duration
from attio_console.sandbox.server import Request, Response, Router
from attio_console.sandbox.world import SYSTEM

CURRENCIES = (
    "ARS", "AUD", "BRL", "BGN", "CAD", "CLP", "CNY", "COP", "CZK", "DKK", "EUR", "HKD", "HUF", "ISK", "INR", "ILS", "JPY", "KES", "KRW", "MYR",
    "MXN", "NTD", "NZD", "NGN", "NOK", "XPF", "PEN", "PHP", "PLN", "GBP", "RWF", "SAR", "SGD", "ZAR", "SEK", "CHF", "THB", "AED", "UYU", "USD",
)  # fmt: skip
_CREATABLE = (
    "text", "number", "checkbox", "currency", "date", "timestamp", "rating", "status", "select", "record-reference",
    "actor-reference", "location", "email-address", "phone-number",
)  # fmt: skip
_DISPLAY = ("code", "name", "narrowSymbol", "symbol")
_MULTI = frozenset(
    {"select", "record-reference", "actor-reference", "email-address", "phone-number", "domain"}
)
_NOT_UNIQUE = frozenset(
    {"select", "status", "checkbox", "rating", "currency", "location", "record-reference", "actor-reference"}
)
_SLUG = re.compile(r"[a-zA-Z0-9_-]{1,100}")


def add_routes(router: Router) -> None:
    """Serve objects, attributes, options and statuses."""
    router.add("GET", "/v2/objects", _objects)
    router.add("POST", "/v2/objects", _create_object)
    router.add("GET", "/v2/objects/{object}", _object)
    router.add("PATCH", "/v2/objects/{object}", _update_object)
    router.add("DELETE", "/v2/objects/{object}", _delete_object)
    for target in ("objects", "lists"):
        base = f"/v2/{target}/{{{target[:-1]}}}/attributes"
        router.add("GET", base, _attributes)
        router.add("POST", base, _create_attribute)
        router.add("GET", f"{base}/{{attribute}}", _attribute)
        router.add("PATCH", f"{base}/{{attribute}}", _update_attribute)


def read_slug(body: Body, name: str = "api_slug") -> str:
    """Return a slug that may stand in a path."""
    slug = body.text(name, minimum=1)
    if not _SLUG.fullmatch(slug):
        raise body.refuse(name, "A slug has letters, digits, underscores and hyphens only.", "invalid_string")
    return slug


def answer(value: Any) -> Response:
    """Answer with `data`."""
    return Response.json({"data": value})


def _objects(request: Request) -> Response:
    crm = crm_of(request)
    return answer([schema.object_json(crm, each) for each in crm.objects.values() if each.enabled])


def _object(request: Request) -> Response:
    crm = crm_of(request)
    return answer(schema.object_json(crm, object_of(crm, request.params["object"])))


def _create_object(request: Request) -> Response:
    crm, body = crm_of(request), data(request)
    slug = read_slug(body)
    singular, plural = body.text("singular_noun", minimum=1), body.text("plural_noun", minimum=1)
    taken = {o.slug for o in crm.objects.values()}
    if slug in taken or any(o.singular == singular or o.plural == plural for o in crm.objects.values()):
        raise slug_conflict("Failed to create object. Please ensure your api_slug and names are unique.")
    target = schema.new_object(crm, slug, singular, plural)
    journal(request, "objects", target.id)
    return answer(schema.object_json(crm, target))


def _update_object(request: Request) -> Response:
    crm, body = crm_of(request), data(request)
    target = object_of(crm, request.params["object"])
    names = [name for name in ("api_slug", "singular_noun", "plural_noun") if name in body]
    if not names:
        raise ApiError(
            400,
            "validation_type",
            "You passed an empty payload. Please ensure you are updating at least one property in your request.",
        )
    slug = read_slug(body) if "api_slug" in body else target.slug
    singular = body.text("singular_noun", minimum=1) if "singular_noun" in body else target.singular
    plural = body.text("plural_noun", minimum=1) if "plural_noun" in body else target.plural
    if target.standard and slug != target.slug:
        raise bad_request("system_edit_unauthorized", "Cannot change the api_slug of a standard object.")
    if any(o.slug == slug for o in crm.objects.values() if o is not target):
        raise slug_conflict("Failed to update object. Please ensure api_slug is unique.")
    target.slug, target.singular, target.plural = slug, singular, plural
    for each in crm.containers():
        each.version += 1
    journal(request, "objects", target.id)
    return answer(schema.object_json(crm, target))


def _delete_object(request: Request) -> Response:
    crm = crm_of(request)
    target = object_of(crm, request.params["object"])
    if target.standard:
        raise bad_request("system_edit_unauthorized", "Standard objects cannot be deleted.")
    for row in [target.table.row(ref) for ref in target.table.refs()]:
        delete_row(crm, target, row.id, author_of(request))
    for each in [each for each in crm.lists.values() if each.parent is target]:
        del crm.lists[each.id]
        crm.workspace.events.emit("list.deleted", {"list_id": each.id}, token_of(request).actor)
    for attribute in target.attributes.values():
        other = crm.other_side(attribute)
        if other is not None:
            # The other half of the relationship has nothing to point to any more.
            other[1].relationship, other[1].is_archived = None, True
            other[0].put_attribute(other[1])
    del crm.objects[target.id]
    journal(request, "objects", target.id)
    return Response.json({})


def container_of(request: Request) -> tuple[Crm, Container]:
    """Return the object or list that a path names."""
    crm = crm_of(request)
    if "list" in request.params:
        return crm, list_of(crm, request.params["list"])
    return crm, object_of(crm, request.params["object"])


def _attributes(request: Request) -> Response:
    crm, container = container_of(request)
    archived = query_flag(request, "show_archived") or False
    rows = [a for a in container.attributes.values() if not a.is_hidden and (archived or not a.is_archived)]
    limit = query_number(request, "limit", max(1, len(rows)), minimum=1)
    offset = query_number(request, "offset", 0)
    return answer([schema.attribute_json(crm, each) for each in rows[offset : offset + limit]])


def _attribute(request: Request) -> Response:
    crm, container = container_of(request)
    return answer(schema.attribute_json(crm, attribute_of(container, request.params["attribute"])))


def _create_attribute(request: Request) -> Response:
    crm, container = container_of(request)
    body = data(request)
    body.only(
        "title", "description", "api_slug", "type", "is_required", "is_unique", "is_multiselect", "default_value",
        "relationship", "config",
    )  # fmt: skip
    title, slug = body.text("title"), read_slug(body)
    description = None if body.any("description") is None else body.text("description")
    if body.any("type") == "domain":
        raise body.refuse("type", "Attributes of type domain cannot be created.", "custom")
    kind = body.one_of("type", *_CREATABLE)
    if kind == "status" and isinstance(container, Object) and container.kind in {"people", "companies"}:
        raise body.refuse(
            "type", f'Attributes of type status are not supported on object "{container.slug}".', "custom"
        )
    required, unique, multi = body.flag("is_required"), body.flag("is_unique"), body.flag("is_multiselect")
    config = body.body("config")
    if container.attribute(slug) is not None:
        raise _slug_taken(container)
    if multi and kind not in _MULTI:
        raise body.refuse("is_multiselect", f"Attributes of type {kind} hold a single value.", "custom")
    if unique and kind in _NOT_UNIQUE:
        raise body.refuse("is_unique", f"Attributes of type {kind} cannot be unique.", "custom")
    draft = Attribute("", container.id, slug, title, kind, crm.now(), is_multiselect=multi)
    _read_config(crm, draft, config)
    relationship = body.values.get("relationship")
    reverse = (
        _read_relationship(crm, container, draft, Body(relationship, (*body.path, "relationship")))
        if relationship
        else None
    )
    default = (
        _read_default(crm, container, draft, body) if body.values.get("default_value") is not None else None
    )
    attribute = schema.new_attribute(
        crm, container, slug=slug, title=title, type=kind, description=description, is_required=required,
        is_unique=unique, is_multiselect=multi,
    )  # fmt: skip
    attribute.default_currency_code, attribute.display_type = draft.default_currency_code, draft.display_type
    attribute.allowed_object_ids = draft.allowed_object_ids
    attribute.default_value, attribute.is_default_value_enabled = default, default is not None
    actor = token_of(request).actor
    if reverse is not None and isinstance(container, Object):
        other, name, other_slug, other_multi = reverse
        back = schema.new_attribute(
            crm, other, slug=other_slug, title=name, type="record-reference", is_multiselect=other_multi
        )
        schema.relate(container, attribute, other, back)
        schema.attribute_event(crm, other, back, actor, "created")
    if unique:
        container.table.reindex()
    schema.attribute_event(crm, container, attribute, actor, "created")
    journal(request, "attributes", attribute.id)
    return answer(schema.attribute_json(crm, attribute))


def _update_attribute(request: Request) -> Response:
    crm, container = container_of(request)
    attribute = attribute_of(container, request.params["attribute"])
    body = data(request)
    body.only(
        "title",
        "description",
        "api_slug",
        "is_required",
        "is_unique",
        "default_value",
        "config",
        "is_archived",
    )
    if attribute.is_system:
        raise bad_request("system_edit_unauthorized", "Cannot update a System attribute.")
    slug = read_slug(body) if "api_slug" in body else attribute.slug
    title = body.text("title") if "title" in body else attribute.title
    other = container.attribute(slug)
    if other is not None and other is not attribute:
        raise _slug_taken(container)
    flags = {n: body.flag(n) for n in ("is_required", "is_unique", "is_archived") if n in body}
    if flags.get("is_unique") and attribute.type in _NOT_UNIQUE:
        raise body.refuse("is_unique", f"Attributes of type {attribute.type} cannot be unique.", "custom")
    if "description" in body:
        attribute.description = None if body.any("description") is None else body.text("description")
    if "config" in body:
        _read_config(crm, attribute, body.body("config"), required=False)
    if "default_value" in body:
        wanted = body.any("default_value")
        attribute.default_value = None if wanted is None else _read_default(crm, container, attribute, body)
        attribute.is_default_value_enabled = wanted is not None
    attribute.slug, attribute.title = slug, title
    for name, value in flags.items():
        setattr(attribute, name, value)
    container.put_attribute(attribute)
    container.table.reindex()
    schema.attribute_event(crm, container, attribute, token_of(request).actor, "updated")
    journal(request, "attributes", attribute.id)
    return answer(schema.attribute_json(crm, attribute))


def _read_config(crm: Crm, attribute: Attribute, config: Body, *, required: bool = True) -> None:
    if attribute.type == "currency":
        if "currency" in config:
            currency = config.body("currency")
            attribute.default_currency_code = currency.one_of("default_currency_code", *CURRENCIES)
            attribute.display_type = currency.one_of("display_type", *_DISPLAY)
        elif required:
            raise config.refuse("currency", "Required for attributes of type currency")
    if attribute.type == "record-reference" and "record_reference" in config:
        reference = config.body("record_reference")
        found = []
        for place, key in enumerate(reference.list("allowed_objects")):
            target = crm.object(key) if isinstance(key, str) else None
            if target is None:
                raise ApiError(400, "validation_type", f'Could not find an object with slug "{key}".', validation_errors=[
                    {"code": "custom", "path": [*reference.path, "allowed_objects", place], "message": "Unknown object"}
                ])  # fmt: skip
            found.append(target.id)
        if not found:
            raise reference.refuse("allowed_objects", "Array must contain at least 1 element(s)", "too_small")
        attribute.allowed_object_ids = tuple(found)


def _read_relationship(
    crm: Crm, container: Container, draft: Attribute, body: Body
) -> tuple[Object, str, str, bool]:
    body.only("object", "title", "api_slug", "is_multiselect")
    if draft.type != "record-reference" or isinstance(container, List):
        raise invalid(
            body.path, "Only record-reference attributes of objects can have a relationship.", code="custom"
        )
    other = crm.object(body.text("object"))
    if other is None:
        raise ApiError(400, "validation_type", f'Could not find an object with slug "{body.text("object")}".')
    if draft.allowed_object_ids is not None and draft.allowed_object_ids != (other.id,):
        raise invalid(body.path, "allowed_objects must contain only the relationship object.", code="custom")
    slug = read_slug(body)
    if other.attribute(slug) is not None or (other is container and slug == draft.slug):
        raise _slug_taken(other)
    return other, body.text("title"), slug, body.flag("is_multiselect")


def _read_default(crm: Crm, container: Container, attribute: Attribute, body: Body) -> dict[str, Any]:
    default = body.body("default_value")
    if isinstance(container, Object) and container.kind in {"people", "companies"}:
        raise invalid(
            default.path, "Default values are not supported on people or company objects.", code="custom"
        )
    if default.one_of("type", "static", "dynamic") == "dynamic":
        template = default.text("template")
        dynamic = {
            "actor-reference": template == "current-user",
            "timestamp": is_duration(template),
            "date": is_duration(template),
        }
        if not dynamic.get(attribute.type, False):
            raise default.refuse(
                "template", f'"{template}" is no dynamic default of a {attribute.type}.', "custom"
            )
        return {"type": "dynamic", "template": template}
    template_values = default.list("template")
    stored = coerce(crm, attribute, list(template_values), [*default.path, "template"]) or []
    shown = []
    for value in stored:
        full = value_json(crm, attribute, Value("", SYSTEM, value))
        shown.append(
            {k: v for k, v in full.items() if k not in {"active_from", "active_until", "created_by_actor"}}
        )
    return {"type": "static", "template": shown}


def slug_conflict(message: str) -> ApiError:
    """Refuse a slug or title that is taken."""
    return ApiError(409, "slug_conflict", message)


def _slug_taken(container: Container) -> ApiError:
    what = "list" if isinstance(container, List) else "object"
    return slug_conflict(
        f"An attribute with the same API slug already exists on this {what}. Please choose a different API slug."
    )
