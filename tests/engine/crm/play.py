"""What people, networks and machines do to three systems and a console within a day, drawn by lot."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from attio_console.errors import ConsoleError
from attio_console.model.merge import Blanks, Rule
from attio_console.model.values import from_attio
from attio_console.store.outbox import provisional_id
from attio_console.store.types import ConflictRow, FieldEdit, NewItem
from attio_console.sync import kinds
from attio_console.sync.mapping import ObjectMapping
from attio_console.sync.resolve import Resolver
from tests.engine.crm.truth import FIELDS, KINDS, STAGES

if TYPE_CHECKING:
    from tests.engine.crm.stage import Stage

_FAULTS: tuple[dict[str, Any], ...] = (
    {"action": "status", "status": 500, "probability": 0.08},
    {"action": "status", "status": 503, "count": 3},
    {"action": "status", "status": 429, "probability": 0.08, "retry_after": 1},
    {"action": "reset", "probability": 0.06},
    {"action": "commit_then_reset", "probability": 0.1},
    {"action": "commit_then_reset", "method": "PATCH", "count": 2},
    {"action": "truncate", "probability": 0.05},
    {"action": "malformed", "probability": 0.04},
    {"action": "drop_delivery", "probability": 0.4},
    {"action": "duplicate_delivery", "probability": 0.5},
    {"action": "reorder_delivery", "probability": 0.5},
    {"action": "delay_delivery", "probability": 0.3, "seconds": 5},
)


class Play:
    """Draws steps. Everything comes from one seed, so that a failure can be played again."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self.stage = stage
        self.dice = random.Random(seed)
        self.told: list[str] = []
        self.created: list[str] = []
        """e-mail addresses of the people that the operator made"""
        self._number = 0
        self._faulty = False
        self._steps: tuple[tuple[int, Callable[[], Awaitable[str]]], ...] = (
            (26, self.edit_in_attio),
            (16, self.edit_elsewhere),
            (10, self.edit_on_both_sides),
            (8, self.clear),
            (12, self.operator_edit),
            (3, self.operator_create),
            (8, self.resolve),
            (3, self.undo),
            (2, self.delete),
            (2, self.merge),
            (4, self.create),
            (5, self.fault),
            (2, self.fix),
            (5, self.pass_time),
            (2, self.crash),
            (1, self.restart),
            (1, self.change_rules),
            (2, self.revive),
        )

    async def step(self) -> None:
        """Do one thing."""
        weights, steps = zip(*self._steps, strict=True)
        step = self.dice.choices(steps, weights)[0]
        self.told.append(f"{step.__name__}: {await step()}")

    # ------------------------------------------------------------------------------------------- values

    def _unique(self, word: str) -> str:
        self._number += 1
        return f"{word} {self._number}"

    def _value(self, kind: str, slug: str) -> Any:
        """Return a new value for an attribute in a form that is neither system's."""
        self._number += 1
        number = self._number
        match slug:
            case "name" if kind == "people":
                return (f"First{number}", f"Last{number}")
            case "email_addresses":
                return f"Person{number}@New.example"
            case "phone_numbers":
                return f"+1 415 555 {number % 10_000:04d}"
            case "domains":
                return f"new{number}.example"
            case "value":
                return self.dice.choice((number * 100, number + 0.5))
            case "stage":
                return self.dice.choice(list(STAGES))
            case "close_date":
                return f"2027-{1 + number % 12:02d}-{1 + number % 28:02d}"
            case "owner":
                return self.dice.choice(sorted(self.stage.people.everywhere))
            case _:
                return self._unique(slug)

    def _attio(self, kind: str, slug: str, value: Any) -> Any:
        if value is None:
            return []
        if slug == "name" and kind == "people":
            return {"first_name": value[0], "last_name": value[1], "full_name": f"{value[0]} {value[1]}"}
        if slug in {"email_addresses", "phone_numbers", "domains"}:
            return [value]
        return value

    def _native(self, system: str, kind: str, slug: str, value: Any) -> dict[str, Any]:
        names = FIELDS[system][kind][slug]
        if value is None:
            return dict.fromkeys(names, "" if system == "hubspot" else None)
        if slug == "name" and kind == "people":
            return dict(zip(names, value, strict=True))
        if slug == "stage":
            value = STAGES[value] if system == "hubspot" else value
        elif slug == "owner":
            value = next(o for o, e in self.stage.people.owners[system].items() if e == value)
        elif system == "hubspot":
            value = str(value)
        return {names[0]: value}

    def _draw(self) -> tuple[str, str]:
        kind = self.dice.choices(("people", "companies", "deals"), (6, 2, 4))[0]
        slugs = sorted(set(FIELDS["salesforce"][kind]) - {"company", "associated_company"})
        return kind, self.dice.choice(slugs)

    def _some(self, system: str, kind: str) -> str | None:
        name = kind if system == "attio" else KINDS[system][kind]
        ids = sorted(self.stage.living(system, name))
        return self.dice.choice(ids) if ids else None

    # ------------------------------------------------------------------------------------------- other people

    async def edit_in_attio(self, blank: bool = False) -> str:
        """Somebody types into Attio."""
        kind, slug = self._draw()
        row_id = self._some("attio", kind)
        if row_id is None:
            return "nothing there"
        value = None if blank else self._value(kind, slug)
        if not blank and kind == "people" and self.dice.random() < 0.15:
            company = self._some("attio", "companies")
            if company:
                link = {"target_object": "companies", "target_record_id": company}
                return await self._edit("attio", kind, row_id, {"company": [link]})
        return await self._edit("attio", kind, row_id, {slug: self._attio(kind, slug, value)})

    async def edit_elsewhere(self, blank: bool = False) -> str:
        """Somebody types into HubSpot or Salesforce."""
        system = self.dice.choice(("hubspot", "salesforce"))
        kind, slug = self._draw()
        row_id = self._some(system, kind)
        if row_id is None:
            return "nothing there"
        value = None if blank else self._value(kind, slug)
        values = self._native(system, kind, slug, value)
        if not blank and system == "salesforce" and kind == "people" and self.dice.random() < 0.15:
            values = {"AccountId": self._some(system, "companies")}
        return await self._edit(system, KINDS[system][kind], row_id, values)

    async def edit_on_both_sides(self) -> str:
        """Two people type into the same field of the same pair, the same or something else."""
        pairs = self.stage.store.pairs.list(state="confirmed", limit=1000)
        pairs = [p for p in pairs if p.external_type == KINDS[p.system][p.object_key]]
        if not pairs:
            return "no pairs"
        pair = self.dice.choice(pairs)
        kind = pair.object_key
        slug = self.dice.choice(sorted(set(FIELDS[pair.system][kind]) - {"company", "associated_company"}))
        ours = self._value(kind, slug)
        theirs = ours if self.dice.random() < 0.3 else self._value(kind, slug)
        one = await self._edit("attio", kind, pair.record_id, {slug: self._attio(kind, slug, ours)})
        values = self._native(pair.system, kind, slug, theirs)
        return f"{one} | {await self._edit(pair.system, pair.external_type, pair.external_id, values)}"

    async def clear(self) -> str:
        """Somebody empties a field."""
        if self.dice.random() < 0.5:
            return await self.edit_in_attio(blank=True)
        return await self.edit_elsewhere(blank=True)

    async def _edit(self, system: str, name: str, row_id: str | None, values: dict[str, Any]) -> str:
        done = await self.stage.other("edit", system, name, id=row_id, values=values)
        return f"{system} {name} {row_id} {values} {'ok' if done else 'refused'}"

    async def create(self) -> str:
        """Somebody adds a person on one side, or on two at once."""
        self._number += 1
        email = f"made{self._number}@shared.example"
        first, last = f"Made{self._number}", "Newcomer"
        name = {"first_name": first, "last_name": last, "full_name": f"{first} {last}"}
        sides = self.dice.sample(("attio", "hubspot", "salesforce"), self.dice.choice((1, 2, 2, 3)))
        if "attio" in sides:
            await self._edit("attio", "people", None, {"name": name, "email_addresses": [email]})
        if "hubspot" in sides:
            values = {"firstname": first, "lastname": last, "email": email}
            await self._edit("hubspot", "contacts", None, values)
        if "salesforce" in sides:
            await self._edit(
                "salesforce", "Contact", None, {"FirstName": first, "LastName": last, "Email": email}
            )
        return f"{email} in {sides}"

    async def delete(self) -> str:
        """Somebody deletes a record."""
        system = self.dice.choice(("attio", "hubspot", "salesforce"))
        kind = self.dice.choice(("people", "people", "deals"))
        name = kind if system == "attio" else KINDS[system][kind]
        if len(self.stage.living(system, name)) < 5:
            return "too few left"
        row_id = self._some(system, kind)
        await self.stage.other("delete", system, name, id=row_id)
        return f"{system} {name} {row_id}"

    async def merge(self) -> str:
        """Somebody merges two people."""
        system = self.dice.choice(("attio", "hubspot", "salesforce"))
        name = "people" if system == "attio" else KINDS[system]["people"]
        ids = sorted(self.stage.living(system, name))
        if len(ids) < 7:
            return "too few left"
        one, other = self.dice.sample(ids, 2)
        done = await self.stage.other("merge", system, name, id=one, other_id=other)
        return f"{system} {one} + {other} = {done}"

    # ------------------------------------------------------------------------------------------- the operator

    async def operator_edit(self) -> str:
        """The operator types into the console: on what it shows, which may be old."""
        store = self.stage.store
        kind, slug = self._draw()
        known = store.mirror.schema.object(kind)
        ids = sorted(store.mirror.ids(known.id)) if known else []
        if known is None or not ids:
            return "nothing there"
        row_id = self.dice.choice(ids)
        row, attribute = store.mirror.row(known.id, row_id), known.attribute(slug)
        if row is None or attribute is None:
            return "nothing there"
        waiting = store.outbox.overlay(known.id, row_id)
        base = waiting[slug].new if slug in waiting else from_attio(row.document["values"].get(slug, []))
        value = self._attio(kind, slug, self._value(kind, slug))
        if slug == "stage":
            option = attribute.option(value)
            assert option is not None
            value = {"id": option.id, "title": option.title}
        elif slug == "owner":
            member = next(m for m, email in self.stage.people.members.items() if email == value)
            value = {"type": "workspace-member", "id": member}
        elif slug == "value":
            value = {"currency_value": value, "currency_code": attribute.currency_code}
        elif slug == "phone_numbers":
            value = [value[0].replace(" ", "")]
        elif slug == "email_addresses":
            value = [value[0].lower()]
        new = value if isinstance(value, list) else [value]
        item = NewItem("attio", known.id, row_id, "set", {slug: FieldEdit(base, new)}, actor="operator")
        await store.outbox.add([item], "Edit")
        self.stage.bus.changed("outbox")
        return f"{kind} {row_id} {slug} {base} -> {new}"

    async def operator_create(self) -> str:
        """The operator adds a person."""
        store = self.stage.store
        known = store.mirror.schema.object("people")
        if known is None:
            return "nothing there"
        self._number += 1
        email = f"console{self._number}@house.example"
        name = {
            "first_name": f"Console{self._number}",
            "last_name": "Made",
            "full_name": f"Console{self._number} Made",
        }
        fields = {"name": FieldEdit([], [name]), "email_addresses": FieldEdit([], [email])}
        item = NewItem("attio", known.id, provisional_id(), "create", fields, actor="operator")
        await store.outbox.add([item], "Create")
        self.created.append(email)
        self.stage.bus.changed("outbox")
        return email

    async def resolve(self) -> str:
        """The operator decides a conflict."""
        rows = self.stage.store.conflicts.list("open", 0, 1000)
        if not rows:
            return "none open"
        row = self.dice.choice(rows)
        choices = {str(field["slug"]): self._choice(row, field) for field in row.fields}
        if row.kind in {kinds.FIELD, kinds.REFUSED} and len(choices) > 1 and self.dice.random() < 0.3:
            choices.pop(self.dice.choice(sorted(choices)))
        try:
            group = await self._resolver().apply(row, choices, actor="operator")
        except ConsoleError as error:
            return f"{row.id} {row.kind} {choices}: {error}"
        return f"{row.id} {row.kind} {row.label} {choices} -> group {group}"

    def _choice(self, row: ConflictRow, field: dict[str, Any]) -> Any:
        sides = ["attio", "external"]
        if field["slug"] == kinds.RECORD:
            return self.dice.choice((*sides, "both"))
        if field["slug"] == "job_title" and self.dice.random() < 0.4:
            return {"set": [self._unique("Decided")]}
        if field.get("has_base") and field.get("base") and row.system != "attio":
            sides.append("base")
        return self.dice.choice(sides)

    async def undo(self) -> str:
        """The operator takes a decision back."""
        rows = self.stage.store.conflicts.list("resolved", 0, 1000)
        rows = [row for row in rows if row.system != "attio" and row.kind in {kinds.FIELD, kinds.SETTLED}]
        if not rows:
            return "none decided"
        row = self.dice.choice(rows[-6:])
        try:
            report = await self._resolver().undo(row, actor="operator")
        except ConsoleError as error:
            return f"{row.id}: {error}"
        return f"{row.id} {report}"

    def _resolver(self) -> Resolver:
        return Resolver(self.stage.store, self.stage.bus, self.stage.clock)

    async def revive(self) -> str:
        """The operator sends again, or drops, what was refused or given up."""
        items = self.stage.store.outbox.items(("refused", "dead"), 1000)
        if not items:
            return "none"
        item = self.dice.choice(items)
        if self.dice.random() < 0.5:
            await self.stage.store.outbox.revive([item.id])
            verb = "revived"
        else:
            await self.stage.store.outbox.discard([item.id])
            verb = "dropped"
        self.stage.bus.changed("outbox")
        self.stage.bus.records(item.collection, [item.record_id])
        return f"{verb} {item.id} {item.system} {item.fields}"

    async def change_rules(self) -> str:
        """The operator edits the mapping file and starts anew."""
        system = self.dice.choice(("hubspot", "salesforce"))
        rule = self.dice.choice(
            (Rule.MANUAL, Rule.MANUAL, Rule.ATTIO, Rule.EXTERNAL, Rule.NEWEST, Rule.FILL_BLANKS)
        )
        blanks = self.dice.choice((Blanks.FILL, Blanks.FILL, Blanks.KEEP, Blanks.CLEAR))
        await self.stage.remap(system, lambda one: self._with_rules(one, rule, blanks))
        return f"{system} {rule} {blanks}"

    def _with_rules(self, one: ObjectMapping, rule: Rule, blanks: Blanks) -> ObjectMapping:
        fields = (
            dataclasses.replace(field, rule=rule, blanks=blanks) if self.dice.random() < 0.5 else field
            for field in one.fields
        )
        return dataclasses.replace(one, fields=tuple(fields))

    # ------------------------------------------------------------------------------------------- the world

    async def fault(self) -> str:
        """Something begins to fail."""
        rule = dict(self.dice.choice(_FAULTS))
        if "delivery" not in rule["action"]:
            # Salesforce knows no 429: its allowance is the day's, and an hour is waited when it is used up.
            systems = (
                ("attio", "hubspot") if rule.get("status") == 429 else ("attio", "hubspot", "salesforce")
            )
            rule["system"] = self.dice.choice(systems)
        await self.stage.control.post("/faults", rules=[rule])
        return str(rule)

    async def fix(self) -> str:
        """Everything works again."""
        await self.stage.control.no_faults()
        return ""

    async def pass_time(self) -> str:
        """Time goes by."""
        seconds = self.dice.choice((0.5, 3, 20, 60, 700))
        await self.stage.pass_time(seconds)
        return f"{seconds} s"

    async def crash(self) -> str:
        """The console dies and is started again."""
        await self.stage.crash()
        return ""

    async def restart(self) -> str:
        """The console is closed and opened again."""
        await self.stage.restart()
        return ""
