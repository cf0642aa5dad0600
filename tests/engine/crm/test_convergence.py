"""Random days in three systems: whatever happens, in the end all agree, or a person is told where not."""

from __future__ import annotations

import os
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.engine.crm.ledger import Ledger
from tests.engine.crm.play import Play
from tests.engine.crm.stage import Stage, small_world
from tests.engine.crm.truth import read_truth

STEPS = 65
PHASES = 4


async def day(stage: Stage, play: Play, ledger: Ledger, steps: int, *, fenced: bool) -> None:
    """Play some steps, let it become quiet, and look whether what must hold holds."""
    for _ in range(steps):
        if fenced:
            async with stage.fence():
                await play.step()
        else:
            await play.step()
        await stage.breathe(play.dice)
    await stage.control.no_faults()
    await stage.quiet()
    await examine(stage, play, ledger, fenced=fenced)
    ledger.turn_the_page()


async def examine(stage: Stage, play: Play, ledger: Ledger, *, fenced: bool) -> None:
    gaps = (await read_truth(stage)).gaps(stage.store)
    assert gaps == [], "\n".join(str(gap) for gap in gaps)
    if fenced:
        unseen = ledger.unseen(
            stage.store.outbox.items(("confirmed", "pending", "refused", "dead", "discarded"), 100_000)
        )
        assert unseen == [], "\n".join(str(one) for one in unseen)
        # Written once: what arrived although its answer was lost is found there, and not written again.
        assert ledger.empty == []
    people = await stage.control.dump("people")
    addresses = Counter(
        value["email_address"]
        for row in people.values()
        for value in row["values"].get("email_addresses", [])
    )
    doubled = [email for email in play.created if addresses[email] > 1]
    assert doubled == []
    assert (await stage.store.audit.verify()).broken_at is None


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(1, 9))
async def test_after_any_day_all_systems_agree_or_a_person_is_told(tmp_path: Path, seed: int) -> None:
    await play_days(tmp_path, seed, PHASES, STEPS)


async def play_days(directory: Path, seed: int, days: int, steps: int) -> None:
    async with small_world(directory, seed=seed) as stage:
        play = Play(stage, seed)
        await stage.quiet()
        ledger = Ledger(stage)
        for number in range(days):
            begun = len(play.told)
            try:
                await day(stage, play, ledger, steps, fenced=(seed + number) % 2 == 0)
            except BaseException:
                print(f"seed {seed}, day {number}:", *play.told[begun:], sep="\n  ")
                raise


@pytest.mark.soak
async def test_days_without_end(tmp_path: Path) -> None:
    until = time.monotonic() + float(os.environ.get("SOAK_SECONDS", "600"))
    seed = int(os.environ.get("SOAK_SEED", "1000"))
    while time.monotonic() < until:
        seed += 1
        await play_days(tmp_path / str(seed), seed, 6, 60)
        print(f"seed {seed} held", flush=True)
