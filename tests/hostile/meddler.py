"""A proxy in front of a stand-in that says something else than the server did: wrong shapes, wrong bytes, wrong ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx


@dataclass
class Answer:
    """What is sent back. `raw` replaces everything, head and all."""

    status: int
    headers: dict[str, str]
    body: bytes
    raw: bytes | None = None


Meddle = Callable[[str, str, Answer], Answer]


@dataclass
class Meddler:
    """Forwards to `upstream`, and lets `meddle` change every answer."""

    upstream: str
    meddle: Meddle | None = None
    seen: list[tuple[str, str]] = field(default_factory=list)
    headers_seen: list[dict[str, str]] = field(default_factory=list)
    url: str = ""

    def count(self, path: str) -> int:
        return sum(n for (_, p), n in Counter(self.seen).items() if path in p)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with httpx.AsyncClient(base_url=self.upstream, timeout=30) as client:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, httpx.HTTPError):
                while await self._one(client, reader, writer):
                    pass
        writer.close()

    async def _one(
        self, client: httpx.AsyncClient, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ", 2)
        headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.seen.append((method, path))
        self.headers_seen.append(headers)
        kept = {k: v for k, v in headers.items() if k not in {"host", "content-length", "accept-encoding"}}
        got = await client.request(method, path, content=body, headers=kept)
        answer = Answer(
            got.status_code,
            {k: v for k, v in got.headers.items() if k not in {"content-length", "transfer-encoding"}},
            got.content.replace(self.upstream.encode(), self.url.encode()),
        )
        if self.meddle is not None:
            answer = self.meddle(method, path, answer)
        if answer.raw is not None:
            writer.write(answer.raw)
            await writer.drain()
            return False
        lines = [f"HTTP/1.1 {answer.status} X", *(f"{k}: {v}" for k, v in answer.headers.items())]
        if not any(line.lower().startswith("content-length") for line in lines):
            lines.append(f"content-length: {len(answer.body)}")
        writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + answer.body)
        await writer.drain()
        return True


@contextlib.asynccontextmanager
async def meddling(upstream: str, meddle: Meddle | None = None) -> AsyncIterator[Meddler]:
    """Stand in front of that server for the length of the block."""
    meddler = Meddler(upstream, meddle)
    server = await asyncio.start_server(meddler._serve, "127.0.0.1", 0, limit=1 << 20)
    meddler.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield meddler
    finally:
        server.close()


ODD: tuple[Any, ...] = (
    None, True, -1, 0, 10**30, 1.5e300, "", "x", "\x1b]52;c;AAAA\x07", "2026-13-45T99:99:99Z", [], {}, [None], [[]],
    {"x": 1}, [{}], ["\x00"],
)  # fmt: skip


def warp(document: Any, rng: random.Random, chance: float) -> Any:
    """Return the document with some of its parts missing, doubled or of another type."""
    if rng.random() < chance:
        return rng.choice(ODD)
    if isinstance(document, dict):
        return {k: warp(v, rng, chance) for k, v in document.items() if rng.random() >= chance}
    if isinstance(document, list):
        found = [warp(v, rng, chance) for v in document]
        if found and rng.random() < chance:
            found.append(rng.choice(found))
        return found
    return document


def fuzz(rng: random.Random, share: float = 0.3, chance: float = 0.02) -> Meddle:
    """Meddle with a share of all answers, each in a way of its own."""

    def meddle(method: str, path: str, answer: Answer) -> Answer:
        if rng.random() >= share or not answer.body:
            return answer
        try:
            document = json.loads(answer.body)
        except ValueError:
            return answer
        how = rng.random()
        if how < 0.8:
            answer.body = json.dumps(warp(document, rng, chance if rng.random() < 0.7 else 0.15)).encode()
        elif how < 0.84:
            answer.body = b"<html><body>Sign in to continue</body></html>"
            answer.headers["content-type"] = "text/html"
        elif how < 0.88:
            answer.body = b"[" * 200_000
        elif how < 0.92:
            answer.body = answer.body[: len(answer.body) // 2]
        elif how < 0.96:
            answer.headers["content-length"] = str(len(answer.body) + 10)
            head = f"HTTP/1.1 {answer.status} X\r\ncontent-length: {len(answer.body) + 10}\r\n\r\n"
            answer.raw = head.encode() + answer.body
        else:
            answer.raw = b"\x00\xff garbage\r\n\r\n"
        return answer

    return meddle
