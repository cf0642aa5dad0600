"""Two thousand people, and what was put between them and their copies: planned, written, proven."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cli.conftest import Run, Sandbox
from tests.cli.test_linking import linked  # noqa: F401 - a fixture


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    command = [sys.executable, "-m", "attio_console.cli", "sandbox", "--records", "2000", "--webhook-http"]
    process = subprocess.Popen(
        [*command, "--no-limits", "--until-input-closes"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stdin is not None
    try:
        yield Sandbox(json.loads(process.stdout.readline()))
    finally:
        process.stdin.close()
        process.wait(timeout=20)
        process.stdout.close()


def written(sandbox: Sandbox) -> Counter[tuple[str, str, str, str]]:
    """Return every field that came in over an API: system, record, field, value."""
    found: Counter[tuple[str, str, str, str]] = Counter()
    for entry in sandbox.control("writes"):
        if entry["path"].startswith("/_sandbox") or entry["object"] == "webhooks":
            continue
        body = entry["body"]
        values: dict[str, Any] = body.get("properties") or body.get("data", {}).get("values") or body
        for name, value in values.items():
            if name != "attributes":
                found[entry["system"], entry["id"], name, str(value)] += 1
    return found


@pytest.mark.timeout(240)
def test_what_is_planned_is_written_exactly_and_then_every_difference_has_a_name(
    linked: Run,  # noqa: F811
    sandbox: Sandbox,
) -> None:
    planned = linked("plan", "--json").lines()
    assert sum(report["pairs"] for report in planned) > 2_000
    wanted = Counter(
        (line["system"], line["record_id"], line["field"], str(line["after"]))
        for report in planned
        for line in report["writes"]
    )
    assert wanted
    assert written(sandbox) == Counter()
    for system in ("hubspot", "salesforce"):
        assert linked("pairs", "accept", system).code == 0
    assert linked("sync", "--once").code == 3  # somebody is asked
    assert written(sandbox) == wanted
    differences = [d for d in sandbox.control("differences") if d["counts"]]
    asked = linked("conflicts", "list", "--json").lines()
    blanks = [d for d in differences if d["kind"] == "blank"]
    assert len(asked) == len(differences) - len(blanks)
    proof = linked("verify", "--json")
    assert proof.code == 3, proof.err
    for report, plan in zip(proof.lines(), planned, strict=True):
        assert report["unnamed"] == 0
        assert report["pairs"] == plan["pairs"]
    # And once more: there is nothing left to write.
    assert linked("sync", "--once").code == 3  # somebody is asked
    assert written(sandbox) == wanted
    assert all(report["writes"] == [] for report in linked("plan", "--json").lines())
