"""What every verb works with: one open profile, its store, its engine, and the names of things."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attio_console.errors import NoSuchThing, ReadOnlyProfile, UsageError
from attio_console.model.clock import Clock
from attio_console.model.schema import Attribute, ListSchema, Member, ObjectSchema, Schema
from attio_console.model.text import plain
from attio_console.services.types import EditState
from attio_console.store.types import Pending

if TYPE_CHECKING:
    from attio_console.config.profiles import Profile
    from attio_console.store import Store
    from attio_console.sync.bus import Bus
    from attio_console.sync.engine import Engine

NOTES = "attio:notes"
TASKS = "attio:tasks"

_RANK: dict[str, int] = {"": 0, "pending": 1, "sending": 2, "refused": 3}


class Bench:
    """One open profile. Verbs are grouped in subclasses; `Console` is all of them."""

    def __init__(
        self,
        profile: Profile,
        store: Store,
        bus: Bus,
        engine: Engine | None,
        clock: Clock,
        *,
        read_only: bool,
    ) -> None:
        self.profile = profile
        self.store = store
        self.bus = bus
        self.engine = engine
        self.clock = clock
        self.read_only = read_only
        self.names = MirrorNames(store)
        self.engine_runs = False

    @property
    def schema(self) -> Schema:
        """The workspace's configuration as mirrored; empty before the first contact."""
        return self.store.mirror.schema

    def required_engine(self) -> Engine:
        """Return the engine; raise UsageError where this console was opened without one."""
        if self.engine is None:
            raise UsageError("This console was opened without an engine.")
        return self.engine

    @property
    def own_token_id(self) -> str | None:
        """The id that our own writes carry as their actor, once Attio has told it."""
        identity = self.engine.identity if self.engine is not None else None
        return identity.token_id if identity is not None else None

    def refuse_when_read_only(self, what: str) -> None:
        """Raise ReadOnlyProfile where this profile may not write: the one place that decides it."""
        if self.read_only:
            raise ReadOnlyProfile(f"{what} is not possible: the profile {self.profile.name} is read-only.")

    def collection_named(self, name: str) -> str:
        """Return the key of the object or list with that slug, name or id; raise NoSuchThing otherwise."""
        found = self.schema.collection(name)
        if found is None:
            everything: tuple[ObjectSchema | ListSchema, ...] = (*self.schema.objects, *self.schema.lists)
            found = next((shape for shape in everything if name.casefold() in _names_of(shape)), None)
        if found is None:
            known = ", ".join(
                [*(o.slug for o in self.schema.objects), *(entry.slug for entry in self.schema.lists)]
            )
            hint = f"Known here: {known}" if known else "Nothing is mirrored yet: attio-console pull"
            raise NoSuchThing(f"The workspace has no object or list called {name!r}.", hint=hint)
        return found.id

    def shape(self, collection: str) -> ObjectSchema | ListSchema:
        """Return the object or list behind a collection; raise NoSuchThing where it is gone."""
        found = self.schema.collection(collection)
        if found is None:
            raise NoSuchThing(
                "That object or list is not in the workspace any more.", hint="R fetches it again."
            )
        return found

    def attribute(self, collection: str, slug: str) -> Attribute | None:
        """Return an attribute of an object or list, or None."""
        found = self.schema.collection(collection)
        return found.attribute(slug) if found else None

    def required_attribute(self, collection: str, slug: str) -> Attribute:
        """Return an attribute; raise NoSuchThing with the names there are otherwise."""
        attribute = self.attribute(collection, slug)
        if attribute is None:
            shape = self.shape(collection)
            known = ", ".join(a.slug for a in shape.attributes if a.is_writable and not a.is_archived)
            raise NoSuchThing(f"{shape.slug} has no attribute {slug!r}.", hint=f"It has: {known}")
        return attribute

    def title_of(self, collection: str) -> str:
        """Return what people call a collection."""
        found = self.schema.collection(collection)
        if isinstance(found, ObjectSchema):
            return plain(found.plural or found.slug)
        if isinstance(found, ListSchema):
            return plain(found.name or found.slug)
        return {NOTES: "Notes", TASKS: "Tasks"}.get(collection, collection)

    def tell_outbox_changed(self, rows: set[tuple[str, str]]) -> None:
        """Let every reader know that the outbox holds something else for these (collection, record id)."""
        from attio_console.sync.bus import Change

        self.bus.publish(
            Change(
                "outbox", frozenset(name for name, _ in rows), frozenset(record_id for _, record_id in rows)
            )
        )

    def label(self, record_id: str) -> str:
        """Return what people call a record, or its shortened id."""
        return plain(self.store.mirror.label(record_id) or f"{record_id[:8]}…")


class MirrorNames:
    """Resolves ids through the mirror."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def record(self, object_slug: str, record_id: str) -> str | None:  # noqa: ARG002
        """Return the label of a record."""
        return self._store.mirror.label(record_id)

    def member(self, member_id: str) -> str | None:
        """Return the name of a workspace member."""
        member: Member | None = self._store.mirror.schema.member(member_id)
        return member.name if member else None


def edit_state(pending: Pending | None) -> EditState:
    """Return how far an edit is, as a cell shows it."""
    if pending is None:
        return ""
    if pending.state in {"refused", "dead"}:
        return "refused"
    return "sending" if pending.state == "sending" else "pending"


def strongest(states: list[EditState]) -> EditState:
    """Return the state that most wants to be seen."""
    return max(states, key=_RANK.__getitem__, default="")


def _names_of(known: ObjectSchema | ListSchema) -> set[str]:
    if isinstance(known, ObjectSchema):
        return {known.singular.casefold(), known.plural.casefold()}
    return {known.name.casefold()}
