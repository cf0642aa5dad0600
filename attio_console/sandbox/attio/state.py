"""What a workspace's CRM is made of: objects and lists with their attributes, and rows of values.

`workspace.part(Crm)` is the kernel's own part of a workspace. Everything is keyed by id, because slugs can be renamed;
`Crm.object(key)`, `Crm.list(key)` and `Container.attribute(key)` take a slug or an id, as the API does.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from attio_console.sandbox.world import SYSTEM, Actor, Workspace, stamp

if TYPE_CHECKING:
    from attio_console.sandbox.attio.table import Table

TYPES = (
    "text",
    "number",
    "checkbox",
    "currency",
    "date",
    "timestamp",
    "rating",
    "status",
    "select",
    "record-reference",
    "actor-reference",
    "location",
    "domain",
    "email-address",
    "phone-number",
    "interaction",
    "personal-name",
)


@dataclass(slots=True)
class Option:
    """A choice of a select attribute."""

    id: str
    title: str
    is_archived: bool = False


@dataclass(slots=True)
class Status(Option):
    """A column of a status attribute."""

    celebration_enabled: bool = False
    target_time_in_status: str | None = None


@dataclass(slots=True)
class Attribute:
    """One attribute of an object or list."""

    id: str
    container_id: str
    slug: str
    title: str
    type: str
    created_at: str
    description: str | None = None
    is_system: bool = False
    is_writable: bool = True
    is_required: bool = False
    is_unique: bool = False
    is_multiselect: bool = False
    is_default_value_enabled: bool = False
    is_archived: bool = False
    default_value: dict[str, Any] | None = None
    relationship: str | None = None
    """The id of the attribute on the other side."""
    default_currency_code: str | None = None
    display_type: str | None = None
    allowed_object_ids: tuple[str, ...] | None = None
    options: dict[str, Option] = field(default_factory=dict)
    statuses: dict[str, Status] = field(default_factory=dict)
    is_enriched: bool = False
    """Filled in by Attio itself; has no readable history."""
    is_hidden: bool = False
    """Exists in filters only, as `parent_record` of a list."""


@dataclass(frozen=True, slots=True)
class Value:
    """One value with its time and author; `data` holds the type's own fields, ids instead of whole options."""

    active_from: str
    actor: Actor
    data: dict[str, Any]
    active_until: str | None = None

    def closed(self, at: str) -> Value:
        """Return the value as history keeps it."""
        return replace(self, active_until=at)


Values = tuple[Value, ...]


@dataclass(slots=True)
class Row:
    """A record or a list entry. Never changed once a table holds it: writers clone, change and put back."""

    id: str
    created_at: str
    values: dict[str, Values]
    """Active values by attribute id; an empty attribute may be missing."""
    parent: tuple[str, str] | None = None
    """Of an entry: the parent's object id and record id."""
    history: dict[str, Values] = field(default_factory=dict)
    """Closed values by attribute id, in the order they ended."""

    def clone(self) -> Row:
        """Copy the row so that the copy can be changed."""
        return Row(self.id, self.created_at, dict(self.values), self.parent, dict(self.history))

    def get(self, attribute_id: str) -> Values:
        """Return the active values of an attribute."""
        return self.values.get(attribute_id, ())


class Container:
    """What rows belong to: an object or a list."""

    table: Table

    def __init__(self, id: str, slug: str, created_at: str) -> None:
        self.id = id
        self.slug = slug
        self.created_at = created_at
        self.attributes: dict[str, Attribute] = {}
        self._slugs: dict[str, str] = {}
        self.version = 0
        """Grows with every change that may show in a rendered row."""

    def attribute(self, key: str) -> Attribute | None:
        """Find an attribute by slug or id."""
        return self.attributes.get(self._slugs.get(key, key))

    def visible(self) -> Iterator[Attribute]:
        """Return the attributes that rows show: all but archived and hidden ones, in order."""
        return (a for a in self.attributes.values() if not a.is_archived and not a.is_hidden)

    def unique(self) -> list[Attribute]:
        """Return the attributes whose values are looked up."""
        return [a for a in self.attributes.values() if a.is_unique]

    def put_attribute(self, attribute: Attribute) -> None:
        """Add an attribute, or note that its slug or looks changed."""
        self.attributes[attribute.id] = attribute
        self._slugs = {a.slug: a.id for a in self.attributes.values()}
        self.version += 1

    @property
    def id_slug(self) -> str:
        """Name the attribute that holds a row's own id."""
        return "record_id"


class Object(Container):
    """A standard or custom object."""

    def __init__(
        self,
        object_id: str,
        slug: str,
        singular: str,
        plural: str,
        created_at: str,
        *,
        standard: bool,
    ) -> None:
        super().__init__(object_id, slug, created_at)
        self.singular = singular
        self.plural = plural
        self.standard = standard
        self.enabled = True
        self.kind = slug if standard else "custom"
        """Which standard object it is, whatever its slug is renamed to."""


class List(Container):
    """A list: entries of one parent object."""

    def __init__(
        self, list_id: str, slug: str, name: str, parent: Object, created_at: str, created_by: Actor
    ) -> None:
        super().__init__(list_id, slug, created_at)
        self.name = name
        self.parent = parent
        self.created_by = created_by
        self.workspace_access: str | None = "full-access"
        self.member_access: list[dict[str, str]] = []

    @property
    def id_slug(self) -> str:
        """Name the attribute that holds a row's own id."""
        return "entry_id"


@dataclass(slots=True)
class Snapshot:
    """How a row looked before a write that queries do not show yet."""

    container_id: str
    row_id: str
    before: Row | None
    until: float


class Crm:
    """The objects, lists and rows of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.world = workspace.world
        self.objects: dict[str, Object] = {}
        self.lists: dict[str, List] = {}
        self.referrers: dict[str, set[tuple[str, str, str]]] = {}
        """Target record id -> (container, row, attribute) of references that have no other side."""
        self.entries_of: dict[str, list[tuple[str, str]]] = {}
        """Record id -> (list, entry), oldest first."""
        self.lagging: deque[Snapshot] = deque()

    def now(self) -> str:
        """Return this instant as Attio writes it."""
        return stamp(self.world.clock.now())

    def new_id(self) -> str:
        """Return a fresh id."""
        return self.world.ids.uuid()

    def object(self, key: str) -> Object | None:
        """Find an object by slug or id."""
        found = self.objects.get(key)
        return found or next((o for o in self.objects.values() if o.slug == key), None)

    def list(self, key: str) -> List | None:
        """Find a list by slug or id."""
        found = self.lists.get(key)
        return found or next((each for each in self.lists.values() if each.slug == key), None)

    def container(self, container_id: str) -> Object | List:
        """Return the object or list of that id."""
        return self.objects.get(container_id) or self.lists[container_id]

    def containers(self) -> Iterable[Object | List]:
        """Return all objects and lists."""
        return [*self.objects.values(), *self.lists.values()]

    def other_side(self, attribute: Attribute) -> tuple[Object, Attribute] | None:
        """Return the object and attribute that a relationship attribute is entangled with."""
        if attribute.relationship is None:
            return None
        for each in self.objects.values():
            other = each.attributes.get(attribute.relationship)
            if other is not None:
                return each, other
        return None

    def web_url(self, object: Object, record_id: str) -> str:
        """Return where a person would see a record."""
        base = f"https://app.attio.com/{self.workspace.slug}"
        path = {"people": "person", "companies": "company"}.get(object.kind, f"{object.slug}/record")
        return f"{base}/{path}/{record_id}"


def system_value(data: dict[str, Any], at: str, actor: Actor = SYSTEM) -> Value:
    """Make a value that Attio itself (or `actor`) wrote."""
    return Value(at, actor, data)
