"""The shape of an Attio workspace: objects, lists, attributes, options, statuses, members."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a select attribute."""

    id: str
    title: str
    is_archived: bool = False


@dataclass(frozen=True, slots=True)
class Status:
    """One status of a status attribute. `target_time` is an ISO 8601 duration or None."""

    id: str
    title: str
    is_archived: bool = False
    target_time: str | None = None
    celebration_enabled: bool = False


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of an object or a list. `type` is one of Attio's 17 type names, kept verbatim if unknown."""

    id: str
    slug: str
    title: str
    type: str
    is_multi: bool = False
    is_required: bool = False
    is_unique: bool = False
    is_writable: bool = True
    is_system: bool = False
    is_archived: bool = False
    options: tuple[Option, ...] = ()
    statuses: tuple[Status, ...] = ()
    currency_code: str | None = None
    target_object_ids: tuple[str, ...] = ()
    relationship: str | None = None
    """The slug of the attribute on the other object that moves with this one."""

    def option(self, name: str) -> Option | Status | None:
        """Return the option or status with that id or, failing that, that title (case does not matter)."""
        choices: tuple[Option | Status, ...] = (*self.options, *self.statuses)
        for choice in choices:
            if name == choice.id:
                return choice
        folded = name.strip().casefold()
        matches = [choice for choice in choices if choice.title.casefold() == folded]
        return next((choice for choice in matches if not choice.is_archived), matches[0] if matches else None)


@dataclass(frozen=True)
class _Attributed:
    attributes: tuple[Attribute, ...] = ()

    @cached_property
    def _by_name(self) -> dict[str, Attribute]:
        return {a.slug: a for a in self.attributes} | {a.id: a for a in self.attributes}

    def attribute(self, slug_or_id: str) -> Attribute | None:
        """Return the attribute with that slug or id."""
        return self._by_name.get(slug_or_id)


@dataclass(frozen=True)
class ObjectSchema(_Attributed):
    """An object (people, companies, deals, or a custom one) and its attributes in the order Attio shows them."""

    id: str = ""
    slug: str = ""
    singular: str = ""
    plural: str = ""


@dataclass(frozen=True)
class ListSchema(_Attributed):
    """A list and the attributes of its entries. `parent_object` is a slug."""

    id: str = ""
    slug: str = ""
    name: str = ""
    parent_object: str = ""

    @property
    def status_attribute(self) -> Attribute | None:
        """Return the status attribute that makes this list a pipeline, or None."""
        return next((a for a in self.attributes if a.type == "status" and not a.is_archived), None)

    @property
    def value_attribute(self) -> Attribute | None:
        """Return the currency attribute whose sum a pipeline shows, or None."""
        return next((a for a in self.attributes if a.type == "currency" and not a.is_archived), None)


@dataclass(frozen=True, slots=True)
class Member:
    """A workspace member. `access_level` is admin, member or suspended."""

    id: str
    first_name: str
    last_name: str
    email: str
    access_level: str = "member"

    @property
    def name(self) -> str:
        """Return the full name, or the e-mail address where there is none."""
        return f"{self.first_name} {self.last_name}".strip() or self.email


@dataclass(frozen=True)
class Schema:
    """All of a workspace's configuration as it was at one time."""

    workspace_id: str = ""
    workspace_name: str = ""
    workspace_slug: str = ""
    objects: tuple[ObjectSchema, ...] = ()
    lists: tuple[ListSchema, ...] = ()
    members: tuple[Member, ...] = ()
    fetched_at: str = field(default="", compare=False)

    @cached_property
    def _objects(self) -> dict[str, ObjectSchema]:
        return {o.slug: o for o in self.objects} | {o.id: o for o in self.objects}

    @cached_property
    def _lists(self) -> dict[str, ListSchema]:
        return {entry.slug: entry for entry in self.lists} | {entry.id: entry for entry in self.lists}

    @cached_property
    def _members(self) -> dict[str, Member]:
        return {m.id: m for m in self.members} | {m.email.casefold(): m for m in self.members}

    def object(self, slug_or_id: str) -> ObjectSchema | None:
        """Return the object with that slug or id."""
        return self._objects.get(slug_or_id)

    def list(self, slug_or_id: str) -> ListSchema | None:
        """Return the list with that slug or id."""
        return self._lists.get(slug_or_id)

    def member(self, id_or_email: str) -> Member | None:
        """Return the member with that id or e-mail address."""
        return self._members.get(id_or_email) or self._members.get(id_or_email.casefold())

    def collection(self, slug_or_id: str) -> ObjectSchema | ListSchema | None:
        """Return the object or else the list with that slug or id."""
        return self.object(slug_or_id) or self.list(slug_or_id)
