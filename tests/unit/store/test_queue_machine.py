"""A model of the queues against the real ones, under crashes, expiring leases, merges of ids and workers that come late."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from attio_console.errors import LeaseLost
from attio_console.model.clock import FakeClock
from attio_console.store import Store
from attio_console.store.types import Claim, Delivery, FieldEdit, NewItem, OutboxClaim

_RECORDS = [f"{n}{n}{n}{n}{n}{n}{n}{n}-0000-4000-8000-000000000000" for n in range(3)]
_LEASE = 30.0


@dataclass
class _Write:
    """What the model knows of one edit."""

    number: int
    record: str
    value: int
    state: str = "pending"
    token: int = 0
    lease_until: float = 0.0
    next_at: float = 0.0


@dataclass
class _Letter:
    key: str
    state: str = "pending"
    token: int = 0
    lease_until: float = 0.0
    times: int = 0


@dataclass
class _Model:
    writes: list[_Write] = field(default_factory=list)
    letters: dict[str, _Letter] = field(default_factory=dict)
    sent: dict[str, list[int]] = field(default_factory=dict)


class QueueMachine(RuleBasedStateMachine):
    """Every step is done to the store and to the model; whatever either says must be the same."""

    claims = Bundle("claims")
    letters = Bundle("letters")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.directory = Path(tempfile.mkdtemp())
        self.clock = FakeClock()
        self.model = _Model()
        self.number = 0
        self.store: Store = self.run(Store.open(self.directory / "s", self.clock))

    def run(self, coroutine: Any) -> Any:
        return self.loop.run_until_complete(coroutine)

    def teardown(self) -> None:
        self.run(self.store.close())
        self.run(self.loop.shutdown_default_executor())
        self.loop.close()
        shutil.rmtree(self.directory)

    @property
    def now(self) -> float:
        return self.clock.monotonic()

    # -------------------------------------------------------------------------------------- the outbox

    @rule(record=st.sampled_from(_RECORDS))
    def edit(self, record: str) -> None:
        self.number += 1
        item = NewItem("attio", "c", record, "set", {"name": FieldEdit([self.number - 1], [self.number])})
        self.run(self.store.outbox.add([item], f"edit {self.number}"))
        self.model.writes.append(_Write(self.number, record, self.number, next_at=self.now))

    @rule(target=claims)
    def claim(self) -> Any:
        found = self.run(self.store.outbox.claim("attio", 1, _LEASE))
        heads = [
            w
            for w in self.model.writes
            if w.state in ("pending", "sending")
            and w.next_at <= self.now
            and (w.state == "pending" or w.lease_until <= self.now)
            and not any(
                e.record == w.record and e.number < w.number and e.state in ("pending", "sending")
                for e in self.model.writes
            )
        ]
        if not heads:
            assert found == []
            return None
        (claim,) = found
        head = min(heads, key=lambda w: w.number)
        members = [
            w for w in self.model.writes if w.record == head.record and w.state in ("pending", "sending")
        ]
        assert claim.item.record_id == head.record and len(claim.ids) == len(members)
        assert claim.item.fields["name"].new == [members[-1].value]
        assert claim.item.fields["name"].base == [head.value - 1]
        for write in members:
            write.state, write.token, write.lease_until = "sending", claim.token, self.now + _LEASE
        return claim

    def _settle(
        self, claim: OutboxClaim | None, action: Any, state: str, next_at: float | None = None
    ) -> None:
        if claim is None:
            return
        ours = [w for w in self.model.writes if w.token == claim.token and w.state == "sending"]
        try:
            self.run(action)
        except LeaseLost:
            assert len(ours) < len(claim.ids)
            return
        assert len(ours) == len(claim.ids)
        for write in ours:
            write.state, write.token = state, 0
            write.next_at = self.now if next_at is None else next_at
        if state == "confirmed":
            self.model.sent.setdefault(ours[0].record, []).append(ours[-1].value)

    @rule(claim=claims)
    def confirm(self, claim: OutboxClaim | None) -> None:
        if claim is not None:
            self._settle(claim, self.store.outbox.confirm(claim), "confirmed")

    @rule(claim=claims)
    def refuse(self, claim: OutboxClaim | None) -> None:
        if claim is not None:
            self._settle(claim, self.store.outbox.refuse(claim, "no"), "refused")

    @rule(claim=claims, seconds=st.sampled_from([0.0, 5.0, 60.0]))
    def retry(self, claim: OutboxClaim | None, seconds: float) -> None:
        if claim is not None:
            from datetime import timedelta

            at = self.clock.now() + timedelta(seconds=seconds)
            self._settle(claim, self.store.outbox.retry(claim, "503", at), "pending", self.now + seconds)

    @rule()
    def revive(self) -> None:
        ids = [item.id for item in self.store.outbox.items(("refused",))]
        assert self.run(self.store.outbox.revive(ids)) == len(ids)
        for write in self.model.writes:
            if write.state == "refused":
                write.state, write.next_at = "pending", self.now

    @rule()
    def discard(self) -> None:
        ids = [item.id for item in self.store.outbox.items(("refused",))]
        self.run(self.store.outbox.discard(ids))
        for write in self.model.writes:
            if write.state == "refused":
                write.state = "discarded"

    @rule(old=st.sampled_from(_RECORDS), new=st.sampled_from(_RECORDS))
    def merge(self, old: str, new: str) -> None:
        if old == new:
            return
        self.run(self.store.outbox.move("c", old, new))
        for write in self.model.writes:
            if write.record == old:
                write.record = new
        self.model.sent.setdefault(new, []).extend(self.model.sent.pop(old, []))

    # -------------------------------------------------------------------------------------- the inbox

    @rule(key=st.sampled_from("abcdefgh"))
    def deliver(self, key: str) -> None:
        kept = self.run(self.store.inbox.put(Delivery(key, "w", key.encode(), self.clock.now())))
        assert kept == (key not in self.model.letters)
        self.model.letters.setdefault(key, _Letter(key))

    @rule(target=letters)
    def take(self) -> Any:
        found = self.run(self.store.inbox.claim(1, _LEASE))
        due = [
            letter
            for letter in self.model.letters.values()
            if letter.state == "pending" or (letter.state == "leased" and letter.lease_until <= self.now)
        ]
        assert len(found) == min(len(due), 1)
        if not found:
            return None
        letter = self.model.letters[found[0].delivery.key]
        assert letter in due
        letter.state, letter.token, letter.lease_until = "leased", found[0].token, self.now + _LEASE
        return found[0]

    @rule(claim=letters)
    def process(self, claim: Claim | None) -> None:
        if claim is None:
            return
        letter = self.model.letters[claim.delivery.key]
        mine = letter.state == "leased" and letter.token == claim.token
        try:
            self.run(self.store.inbox.ack([claim]))
        except LeaseLost:
            assert not mine
        else:
            assert mine
            letter.state = "done"
            letter.times += 1

    # -------------------------------------------------------------------------------------- time and accidents

    @rule(seconds=st.sampled_from([1.0, 10.0, 31.0, 100.0]))
    def wait(self, seconds: float) -> None:
        self.run(self.clock.advance(seconds))

    @rule()
    def crash(self) -> None:
        """Leave as a killed process does: nothing is settled, nothing is said goodbye to."""
        self.run(self.store.close())
        self.store = self.run(Store.open(self.directory / "s", self.clock))

    @rule()
    def take_over(self) -> None:
        self.run(self.store.outbox.recover())
        self.run(self.store.inbox.recover())
        for write in self.model.writes:
            if write.state == "sending":
                write.state, write.token = "pending", 0
        for letter in self.model.letters.values():
            if letter.state == "leased":
                letter.state, letter.token = "pending", 0

    @invariant()
    def every_edit_is_where_the_model_says(self) -> None:
        states = ("pending", "sending", "confirmed", "refused", "dead", "discarded")
        items = sorted(self.store.outbox.items(states, limit=10_000), key=lambda item: item.id)
        assert [(i.record_id, i.fields["name"].new, i.state) for i in items] == [
            (w.record, [w.value], w.state) for w in self.model.writes
        ]

    @invariant()
    def the_overlay_shows_the_last_active_edit(self) -> None:
        for record in _RECORDS:
            active = [
                w
                for w in self.model.writes
                if w.record == record and w.state in ("pending", "sending", "refused")
            ]
            shown = self.store.outbox.overlay("c", record)
            assert (
                (shown["name"].new, shown["name"].state) == ([active[-1].value], active[-1].state)
                if active
                else shown == {}
            )

    @invariant()
    def nothing_is_processed_twice_and_depths_are_true(self) -> None:
        assert all(letter.times <= 1 for letter in self.model.letters.values())
        assert self.store.inbox.depth() == sum(
            letter.state != "done" for letter in self.model.letters.values()
        )
        waiting = {w.record for w in self.model.writes if w.state in ("pending", "sending")}
        assert self.store.outbox.depth().pending == len(waiting)


QueueMachine.TestCase.settings = settings(
    max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestQueueMachine = QueueMachine.TestCase
