"""Notices what nobody reports: silence on the line, a machine that slept, another process writing to the store."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

from attio_console import errors
from attio_console.attio import AsyncAttio, Identity
from attio_console.model.clock import Clock
from attio_console.sync.contact import Contact

BEAT_S = 1.0
QUIET_S = 10.0
# How long the answer to "who am I" may take: doubled each time, so that a slow line is found to be one.
PATIENCE_S = 6.0
PATIENCE_MOST_S = 48.0
OFFLINE_FIRST_S = 0.5
OFFLINE_MOST_S = 5.0
REFUSED_S = 10.0
# The wall clock ran on this much further than the process did: the machine was asleep.
SLEPT_S = 30.0
# It went back this far: what waits for a time would wait too long.
SET_BACK_S = 5.0
LONG_OFFLINE_S = 60.0


class Heartbeat:
    """Asks Attio who we are, at the start, in silence, and while it cannot be reached."""

    def __init__(
        self,
        attio: AsyncAttio,
        contact: Contact,
        clock: Clock,
        rng: random.Random,
        *,
        known: Callable[[Identity], None],
        missed: Callable[[str], None],
        patience_s: float = PATIENCE_S,
        set_back: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._attio = attio
        self._contact = contact
        self._clock = clock
        self._rng = rng
        self._known = known
        self._missed = missed
        self._on_set_back = set_back
        self._first_patience = self._patience = patience_s

    async def run(self) -> None:
        """Beat until cancelled."""
        await self._ask()
        failures = 0
        down_since: float | None = None
        while True:
            if self._contact.is_online:
                if down_since is not None:
                    gone = self._clock.monotonic() - down_since
                    down_since, failures = None, 0
                    if gone > LONG_OFFLINE_S:
                        self._missed(f"Attio could not be reached for {gone / 60:.0f} min")
                pause = BEAT_S
            else:
                down_since = self._clock.monotonic() if down_since is None else down_since
                failures += 1
                most = REFUSED_S if self._contact.reach == "not-authorised" else OFFLINE_MOST_S
                pause = self._rng.uniform(0.5, 1.0) * min(most, OFFLINE_FIRST_S * 2.0 ** min(failures, 8))
            wall, ran = self._clock.now(), self._clock.monotonic()
            await self._clock.sleep(pause)
            slept = (self._clock.now() - wall).total_seconds() - pause
            late = self._clock.monotonic() - ran - pause
            if slept < -SET_BACK_S:
                await self._set_back()
                self._missed("the clock of this machine was set")
                await self._ask()
            elif max(slept, late) > SLEPT_S:
                self._missed("this machine was asleep")
                await self._ask()
            elif not self._contact.is_online or self._is_quiet():
                await self._ask()

    async def _set_back(self) -> None:
        if self._on_set_back is not None:
            await self._on_set_back()

    def _is_quiet(self) -> bool:
        last = self._contact.last_contact
        return last is None or (self._clock.now() - last).total_seconds() > QUIET_S

    async def _ask(self) -> None:
        heard = self._contact.last_contact
        try:
            # A server that hangs answers nobody: requests wait long for their answers, a person must not.
            async with asyncio.timeout(self._patience):
                identity = await self._attio.self_()
            if not identity.active:
                raise errors.NotAuthorised("Attio does not know this token, or it was revoked.", status=401)
            self._known(identity)
        except TimeoutError:
            waited, self._patience = self._patience, min(self._patience * 2, PATIENCE_MOST_S)
            held_back = self._attio.limiter.stats().gated_for_s > 0
            if self._contact.last_contact == heard and not held_back:
                self._contact.failed(errors.TimedOut(f"Attio has not answered for {waited:.0f} s."))
        except errors.ConsoleError as error:
            self._contact.failed(error)
            if not isinstance(error, (errors.NetworkError, errors.NotAuthorised)):
                # An answer, though not the one asked for: the line is up.
                self._contact.remember(error)
        else:
            self._patience = self._first_patience
            self._contact.ok()
