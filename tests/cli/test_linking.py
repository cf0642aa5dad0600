"""Linked systems, as scripts set them up and look at them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Ran, Run, Sandbox

LINKS = """
[profiles.linked.hubspot]
base_url = "{hubspot}"

[profiles.linked.salesforce]
login_url = "{salesforce}"
client_id = "{client_id}"
"""


@pytest.fixture
def linked(bare: Run, sandbox: Sandbox, environment: dict[str, str]) -> Run:
    """A profile with both links and their secrets in files, after a pull."""
    tokens = sandbox.line["tokens"]
    added = bare(
        "profile",
        "add",
        "linked",
        "--base-url",
        sandbox.line["attio"],
        "--token-stdin",
        "--token-file",
        text=tokens["attio"] + "\n",
    )
    assert added.code == 0, added.err
    config = Path(bare("config", "path").out.strip().splitlines()[0])
    places = {"hubspot": sandbox.line["hubspot"], "salesforce": sandbox.line["salesforce"]}
    text = LINKS.format(**places, client_id=tokens["salesforce"]["client_id"])
    config.write_text(config.read_text() + text)

    def run(*arguments: str, text: str = "") -> Ran:
        return bare("--profile", "linked", *arguments, text=text)

    assert run("pull").code == 0
    for system, secret in (
        ("hubspot", tokens["hubspot"]),
        ("salesforce", tokens["salesforce"]["client_secret"]),
    ):
        kept = run(
            "pairs", "init", system, "--token-stdin", "-o", str(config.parent / f"{system}.toml"), text=secret
        )
        assert kept.code == 0, kept.err
    return run


def test_a_plan_says_what_would_be_written_and_writes_nothing(linked: Run, sandbox: Sandbox) -> None:
    before = len(sandbox.control("writes"))
    planned = linked("plan", "--json")
    assert planned.code == 3, planned.err
    hubspot, salesforce = planned.lines()
    assert hubspot["system"] == "hubspot"
    assert not hubspot["accepted"]
    assert hubspot["new_pairs"] > 10
    assert salesforce["pairs"] > 10
    shown = linked("plan", "--system", "hubspot")
    assert "pairs accept hubspot" in shown.err
    assert len(sandbox.control("writes")) == before


def test_a_mapping_is_made_checked_and_its_mistakes_are_named(linked: Run, tmp_path: Path) -> None:
    made = linked("pairs", "init", "hubspot")
    assert made.code == 0, made.err
    path = tmp_path / "mapping.toml"
    path.write_text(made.out)
    assert linked("pairs", "init", "hubspot", "--check", str(path)).code == 0
    path.write_text(made.out.replace('"jobtitle"', '"jobtitel"'))
    wrong = linked("pairs", "init", "hubspot", "--check", str(path), "--json")
    assert wrong.code == 1
    [problem] = wrong.json()
    assert "jobtitel" in problem and "jobtitle" in problem and ".toml:" in problem


def test_pairs_are_found_rejected_and_linked_again(linked: Run) -> None:
    found = linked("pairs", "propose", "hubspot", "--json")
    assert found.code in {0, 3}, found.err
    first = next(row for row in found.lines() if row["state"] == "confirmed" and row["object"] == "people")
    assert linked("pairs", "unlink", str(first["pair_id"])).code == 0
    assert [r["pair_id"] for r in linked("pairs", "list", "--state", "broken", "--json").lines()] == [
        first["pair_id"]
    ]
    again = linked(
        "pairs", "link", "hubspot", "people", first["record_id"], f"contacts:{first['external_id']}"
    )
    assert again.code == 0, again.err
    assert linked("pairs", "list", "--state", "broken", "--json").lines() == []


def test_a_system_that_is_not_linked_is_said(bare: Run, sandbox: Sandbox) -> None:
    added = bare(
        "profile",
        "add",
        "alone",
        "--base-url",
        sandbox.line["attio"],
        "--token-stdin",
        "--token-file",
        text=sandbox.line["tokens"]["attio"] + "\n",
    )
    assert added.code == 0, added.err
    refused = bare("--profile", "alone", "plan", "--system", "hubspot")
    assert refused.code == 1
    assert "profiles.alone.hubspot" in refused.err


def test_an_accepted_sync_writes_its_plan_and_verifies(linked: Run, sandbox: Sandbox) -> None:
    planned = linked("plan", "--system", "hubspot", "--json").json()
    assert linked("pairs", "accept", "hubspot").code == 0
    seq = max((w["seq"] for w in sandbox.control("writes")), default=0)
    synced = linked("sync", "--once")
    assert synced.code in {0, 3}, synced.err
    written = [w for w in sandbox.control(f"writes?after={seq}") if w["system"] == "hubspot"]
    fields = {(w["id"], name) for w in written for name in w["body"]["properties"]}
    assert fields == {(w["record_id"], w["field"]) for w in planned["writes"] if w["system"] == "hubspot"}
    checked = linked("verify", "--system", "hubspot", "--json")
    report = checked.json()
    assert checked.code == (3 if report["differences"] else 0), checked.err
    assert report["unnamed"] == 0
    assert report["pairs"] == planned["pairs"]


def test_help_does_not_pay_for_the_linked_systems() -> None:
    code = "import attio_console.cli.commands, sys; print([m for m in sys.modules if m.startswith(('httpx', 'rapidfuzz', 'phonenumbers'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_conflict_queue_for_scripts(linked: Run, tmp_path: Path) -> None:
    assert linked("pairs", "accept", "hubspot").code == 0
    assert linked("sync", "--once").code in {0, 3}
    listed = linked("conflicts", "list", "--json", "--filter", "system=hubspot kind=field")
    assert listed.code == 3, listed.err
    conflicts = listed.lines()
    one = next(c for c in conflicts if len(c["values"]) == 1)
    number, field = str(one["conflict_id"]), one["values"][0]["field"]
    assert {"base", "attio", "external", "suggestion"} <= set(one["values"][0])

    as_csv = linked("conflicts", "list", "--csv", "--limit", "2").out.splitlines()
    assert as_csv[0].startswith("id,detected_at,age_h,kind,system,object,record")
    wrong = linked("conflicts", "list", "--filter", "sytem=hubspot")
    assert wrong.code == 2
    assert "system" in wrong.err

    assert linked("conflicts", "comment", number, "asked her").code == 0
    assert linked("conflicts", "assign", number, "--to", "nobody").code == 0
    shown = linked("conflicts", "show", number)
    assert "asked her" in shown.err
    past = linked("conflicts", "timeline", number, field, "--json").lines()
    assert {"Attio", "HubSpot"} <= {line["where"] for line in past}
    assert linked("conflicts", "snooze", number, "--until", "2h").code == 0
    left = linked("conflicts", "list", "--json", "--limit", "1000").lines()
    assert int(number) not in [c["conflict_id"] for c in left]

    looked = linked("conflicts", "rule", number, field, "--wins", "attio", "--dry-run", "--json")
    assert looked.code == 0, looked.err
    plan = looked.json()
    path = Path(plan["path"])
    assert plan["generated"] and not path.exists()
    made = linked("conflicts", "rule", number, field, "--wins", "attio", "--no-wait")
    assert made.code == 0, made.err
    assert 'rule = "attio"' in path.read_text()
