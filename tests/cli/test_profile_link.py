"""Linking a profile with the other systems from a script."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run, Sandbox


@pytest.fixture
def added(bare: Run, sandbox: Sandbox) -> Run:
    tokens = sandbox.line["tokens"]
    done = bare(
        "profile", "add", "work", "--base-url", sandbox.line["attio"], "--token-stdin", "--token-file",
        text=tokens["attio"] + "\n",
    )  # fmt: skip
    assert done.code == 0, done.err
    return bare


def test_both_systems_are_linked_and_looked_at(added: Run, sandbox: Sandbox) -> None:
    tokens = sandbox.line["tokens"]
    hubspot = added(
        "profile", "link", "work", "hubspot", "--base-url", sandbox.line["hubspot"], "--token-stdin",
        text=tokens["hubspot"] + "\n",
    )  # fmt: skip
    assert hubspot.code == 0, hubspot.err
    salesforce = added(
        "profile", "link", "work", "salesforce", "--login-url", sandbox.line["salesforce"],
        "--client-id", tokens["salesforce"]["client_id"], "--token-stdin", text=tokens["salesforce"]["client_secret"],
    )  # fmt: skip
    assert salesforce.code == 0, salesforce.err
    config = Path(added("config", "path").out.strip().splitlines()[0])
    text = config.read_text()
    assert "[profiles.work.hubspot]" in text
    assert tokens["hubspot"] not in text
    assert tokens["salesforce"]["client_secret"] not in text
    assert added("pull").code == 0
    planned = added("plan", "--json")
    assert planned.code == 3, planned.err
    assert [json.loads(line)["system"] for line in planned.out.splitlines()] == ["hubspot", "salesforce"]


def test_linking_again_changes_what_is_given_and_keeps_the_rest(added: Run, sandbox: Sandbox) -> None:
    secret = sandbox.line["tokens"]["hubspot"]
    first = ("profile", "link", "work", "hubspot", "--base-url", sandbox.line["hubspot"], "--token-stdin")
    assert added(*first, text=secret).code == 0
    again = added("profile", "link", "work", "hubspot", "--poll", "30", "--token-stdin", text="")
    assert again.code == 0, again.err
    text = Path(added("config", "path").out.strip().splitlines()[0]).read_text()
    assert sandbox.line["hubspot"] in text
    assert "poll_s = 30" in text


def test_a_secret_that_does_not_open_anything_is_not_kept(added: Run, sandbox: Sandbox) -> None:
    refused = added(
        "profile", "link", "work", "hubspot", "--base-url", sandbox.line["hubspot"], "--token-stdin",
        text="pat-na1-wrong\n",
    )  # fmt: skip
    assert refused.code == 4
    config = Path(added("config", "path").out.strip().splitlines()[0])
    assert "hubspot" not in config.read_text()


def test_a_setting_of_the_other_system_is_refused(added: Run) -> None:
    refused = added(
        "profile", "link", "work", "hubspot", "--client-id", "x", "--token-stdin", "--no-check", text="x"
    )
    assert refused.code == 2
    assert "--client-id" in refused.err
