"""Twelve ways in which the copies went their own way, and two in which they only look as if."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import phonenumbers

from attio_console.sandbox.attio import records
from attio_console.sandbox.attio.state import Crm
from attio_console.sandbox.attio.transaction import Transaction
from attio_console.sandbox.hubspot.state import HubSpot
from attio_console.sandbox.salesforce.state import Salesforce
from attio_console.sandbox.seed.copies import STAGE_IDS, Copies
from attio_console.sandbox.seed.differences import Difference
from attio_console.sandbox.seed.sources import Source, Sources
from attio_console.sandbox.world import Actor, Workspace, World, stamp

_TYPES = {
    "hubspot": {"companies": "companies", "people": "contacts", "deals": "deals"},
    "salesforce": {"companies": "Account", "people": "Contact", "deals": "Opportunity"},
}


def drift(world: World, workspace: Workspace, sources: Sources, copies: Copies) -> list[Difference]:
    """Change what has to differ and say what was changed; a world too small for all of it gets fewer."""
    return _Drift(world, workspace, sources, copies).all()


class _Drift:
    def __init__(self, world: World, workspace: Workspace, sources: Sources, copies: Copies) -> None:
        self.account = world.part(HubSpot)
        self.org = world.part(Salesforce)
        self.crm = workspace.part(Crm)
        self.sources = sources
        self.copies = copies
        self.members = [m for m in workspace.members.values() if m.access_level != "suspended"]
        self.now = world.clock.now().replace(microsecond=0)
        self.settled = self.now.replace(hour=0, minute=0, second=0) - timedelta(days=9)
        """What was made later is left alone: its story would begin before it did."""
        self.made: list[Difference] = []
        self.taken: set[str] = set()

    def all(self) -> list[Difference]:
        plans: tuple[Callable[[], Difference | None], ...] = (
            self._hubspot_phone,
            self._attio_title,
            self._hubspot_company_name,
            self._hubspot_amount,
            self._attio_stage,
            self._hubspot_blank,
            self._hubspot_deleted,
            self._hubspot_duplicate,
            self._salesforce_both_phones,
            self._salesforce_title,
            self._salesforce_account_name,
            self._salesforce_close_date,
            self._hubspot_phone_format,
            self._salesforce_email_case,
        )
        for plan in plans:
            difference = plan()
            if difference is not None:
                self.made.append(difference)
        return self.made

    def _pick(self, system: str, kind: str, fits: Callable[[Source], Any]) -> tuple[Source, str] | None:
        """Take a record that has a copy in that system alone, so that one change makes one difference."""
        mine = getattr(self.copies, system)[kind]
        others = (self.copies.salesforce if system == "hubspot" else self.copies.hubspot)[kind]
        for source in getattr(self.sources, kind):
            free = source.id in mine and source.id not in others and source.id not in self.taken
            if (
                free
                and source.id not in self.copies.leads
                and source.created_at < self.settled
                and fits(source)
            ):
                self.taken.add(source.id)
                return source, mine[source.id]
        return None

    def _ago(self, **much: float) -> datetime:
        return self.now - timedelta(**much)

    def _say(
        self,
        kind: str,
        system: str,
        what: str,
        source: Source,
        external: str,
        slug: str,
        values: tuple[Any, Any],
        side: str,
        **more: Any,
    ) -> Difference:
        target = next(
            k for k in ("companies", "people", "deals") if source.id in getattr(self.copies, system)[k]
        )
        return Difference(
            number=len(self.made) + 1, kind=kind, system=system, attio_object=target, attio_record_id=source.id,
            external_object=_TYPES[system][target], external_id=external, field=slug,
            attio_value=values[0], external_value=values[1], changed_in=side, what=what, **more,
        )  # fmt: skip

    def _in_hubspot(
        self, name: str, external: str, values: dict[str, Any], member: int, at: datetime
    ) -> None:
        store = self.account.objects[name]
        record = self.account.get(store, external)
        source = self.account.source_of(self.members[member % len(self.members)].email_address)
        self.account.update(store, record, values, source, at=at)

    def _in_salesforce(
        self, name: str, external: str, values: dict[str, Any], member: int, at: datetime
    ) -> None:
        table = self.org.tables[name]
        row = table.find(external)
        if row is None:
            raise LookupError(external)
        author = self.org.user_of(self.members[member % len(self.members)].email_address)
        self.org.update(table, row, values, author, at=at)

    def _in_attio(self, slug: str, record: str, values: dict[str, Any], member: int, at: datetime) -> None:
        target = self.crm.object(slug)
        if target is None:
            raise LookupError(slug)
        actor = Actor("workspace-member", self.members[member % len(self.members)].id)
        transaction = Transaction(self.crm, actor, at=stamp(at), quiet=True)
        row = transaction.row(target, record)
        if row is None:
            raise LookupError(record)
        for attribute_id, data in records.read_values(self.crm, target, values).items():
            transaction.assign(target, row, target.attributes[attribute_id], data)
        transaction.commit()

    def _hubspot_phone(self) -> Difference | None:
        if (found := self._pick("hubspot", "people", lambda s: s.get("phone") and s.get("emails"))) is None:
            return None
        source, external = found
        phone = _other_number(source.get("phone"))
        self._in_hubspot("contacts", external, {"phone": phone}, 2, self._ago(days=3))
        what = "The phone number was changed in HubSpot three days ago."
        return self._say(
            "value",
            "hubspot",
            what,
            source,
            external,
            "phone_numbers",
            (source.get("phone"), phone),
            "external",
        )

    def _attio_title(self) -> Difference | None:
        if (found := self._pick("hubspot", "people", lambda s: s.get("title") and s.get("emails"))) is None:
            return None
        source, external = found
        self._in_attio("people", source.id, {"job_title": "Chief Growth Officer"}, 1, self._ago(days=2))
        what = "The job title was changed in Attio two days ago; HubSpot still has the old one."
        values = ("Chief Growth Officer", source.get("title"))
        return self._say("value", "hubspot", what, source, external, "job_title", values, "attio")

    def _hubspot_company_name(self) -> Difference | None:
        plain = self._pick(
            "hubspot", "companies", lambda s: (s.get("name") or "").isascii() and s.get("domain")
        )
        if plain is None:
            return None
        source, external = plain
        name = f"{source.get('name')} Group"
        self._in_hubspot("companies", external, {"name": name}, 3, self._ago(days=1, hours=4))
        what = "The company was renamed in HubSpot yesterday."
        return self._say(
            "value", "hubspot", what, source, external, "name", (source.get("name"), name), "external"
        )

    def _hubspot_amount(self) -> Difference | None:
        if (
            found := self._pick(
                "hubspot", "deals", lambda s: s.get("value") and s.get("stage") == "In Progress"
            )
        ) is None:
            return None
        source, external = found
        amount = source.get("value") + 12_500
        self._in_hubspot("deals", external, {"amount": amount}, 4, self._ago(hours=20))
        what = "The amount was raised in HubSpot."
        return self._say(
            "value", "hubspot", what, source, external, "value", (source.get("value"), amount), "external"
        )

    def _attio_stage(self) -> Difference | None:
        if (found := self._pick("hubspot", "deals", lambda s: s.get("stage") == "Lead")) is None:
            return None
        source, external = found
        self._in_attio("deals", source.id, {"stage": "In Progress"}, 5, self._ago(hours=6))
        what = "The deal moved on in Attio this morning; HubSpot has it in its first stage."
        values = ("In Progress", STAGE_IDS["Lead"])
        return self._say("value", "hubspot", what, source, external, "stage", values, "attio")

    def _hubspot_blank(self) -> Difference | None:
        if (found := self._pick("hubspot", "people", lambda s: s.get("title") and s.get("emails"))) is None:
            return None
        source, external = found
        self._in_hubspot("contacts", external, {"jobtitle": ""}, 0, self._ago(days=1))
        what = "The job title was emptied in HubSpot."
        return self._say(
            "blank", "hubspot", what, source, external, "job_title", (source.get("title"), None), "external"
        )

    def _hubspot_deleted(self) -> Difference | None:
        keyed = self.account.objects["contacts"].unique["attio_record_id"]
        if (found := self._pick("hubspot", "people", lambda s: s.get("emails") and s.id in keyed)) is None:
            return None
        source, external = found
        store = self.account.objects["contacts"]
        self.account.archive(store, self.account.get(store, external), self._ago(hours=30))
        what = "The contact is in HubSpot's recycle bin; Attio has the person."
        return self._say(
            "deleted", "hubspot", what, source, external, "", (source.get("emails")[0], None), "external"
        )

    def _hubspot_duplicate(self) -> Difference | None:
        if (found := self._pick("hubspot", "people", lambda s: len(s.get("emails") or ()) > 1)) is None:
            return None
        source, external = found
        second = source.get("emails")[1]
        values = {"email": second, "firstname": source.get("first"), "lastname": source.get("last")}
        sent = {name: value for name, value in values.items() if value}
        store = self.account.objects["contacts"]
        twin = self.account.create(
            store, sent, self.account.source_of(self.members[2].email_address), at=self._ago(days=4)
        )
        what = "HubSpot has this person twice, once under each address."
        values_seen = (source.get("emails"), [source.get("emails")[0], second])
        return self._say(
            "duplicate",
            "hubspot",
            what,
            source,
            external,
            "email_addresses",
            values_seen,
            "external",
            other_external_ids=(str(twin.id),),
        )

    def _salesforce_both_phones(self) -> Difference | None:
        if (
            found := self._pick("salesforce", "people", lambda s: s.get("phone") and s.get("emails"))
        ) is None:
            return None
        source, external = found
        here, there = _other_number(source.get("phone")), _other_number(source.get("phone"), 2)
        self._in_attio("people", source.id, {"phone_numbers": [here]}, 6, self._ago(days=2, hours=3))
        self._in_salesforce("Contact", external, {"Phone": there}, 3, self._ago(days=2))
        what = "The phone number was changed in both systems, to different numbers."
        return self._say(
            "both_changed", "salesforce", what, source, external, "phone_numbers", (here, there), "both"
        )

    def _salesforce_title(self) -> Difference | None:
        if (
            found := self._pick("salesforce", "people", lambda s: s.get("title") and s.get("emails"))
        ) is None:
            return None
        source, external = found
        self._in_salesforce("Contact", external, {"Title": "Head of Transformation"}, 4, self._ago(hours=28))
        what = "The title was changed in Salesforce yesterday."
        values = (source.get("title"), "Head of Transformation")
        return self._say("value", "salesforce", what, source, external, "job_title", values, "external")

    def _salesforce_account_name(self) -> Difference | None:
        plain = self._pick(
            "salesforce", "companies", lambda s: (s.get("name") or "").isascii() and s.get("domain")
        )
        if plain is None:
            return None
        source, external = plain
        name = f"{source.get('name')} International"
        self._in_salesforce("Account", external, {"Name": name}, 1, self._ago(days=5))
        what = "The account was renamed in Salesforce."
        return self._say(
            "value", "salesforce", what, source, external, "name", (source.get("name"), name), "external"
        )

    def _salesforce_close_date(self) -> Difference | None:
        if (
            found := self._pick(
                "salesforce", "deals", lambda s: s.get("close_date") and s.get("stage") == "In Progress"
            )
        ) is None:
            return None
        source, external = found
        later = (datetime.fromisoformat(source.get("close_date")) + timedelta(days=30)).date().isoformat()
        self._in_salesforce("Opportunity", external, {"CloseDate": later}, 5, self._ago(hours=9))
        what = "The close date was put off by 30 days in Salesforce."
        return self._say(
            "value",
            "salesforce",
            what,
            source,
            external,
            "close_date",
            (source.get("close_date"), later),
            "external",
        )

    def _hubspot_phone_format(self) -> Difference | None:
        if (found := self._pick("hubspot", "people", lambda s: s.get("phone") and s.get("emails"))) is None:
            return None
        source, external = found
        number = phonenumbers.parse(source.get("phone"))
        shown = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
        self._in_hubspot("contacts", external, {"phone": shown}, 3, self._ago(days=6))
        what = "HubSpot writes the same phone number with spaces."
        return self._say(
            "format",
            "hubspot",
            what,
            source,
            external,
            "phone_numbers",
            (source.get("phone"), shown),
            "external",
            counts=False,
        )

    def _salesforce_email_case(self) -> Difference | None:
        if (found := self._pick("salesforce", "people", lambda s: s.get("emails"))) is None:
            return None
        source, external = found
        shown = source.get("emails")[0].title()
        self._in_salesforce("Contact", external, {"Email": shown}, 2, self._ago(days=7))
        what = "Salesforce writes the same address with capitals."
        return self._say(
            "format",
            "salesforce",
            what,
            source,
            external,
            "email_addresses",
            (source.get("emails")[0], shown),
            "external",
            counts=False,
        )


def _other_number(phone: str, nth: int = 1) -> str:
    """Return the nth other valid number that differs from this one in its last digits alone."""
    found = 0
    for digit in (f"{n:02d}" for n in range(100)):
        other = phone[:-2] + digit
        if other != phone and phonenumbers.is_valid_number(phonenumbers.parse(other)):
            found += 1
            if found == nth:
                return other
    return phone[:-1] + ("1" if phone[-1] != "1" else "2")
