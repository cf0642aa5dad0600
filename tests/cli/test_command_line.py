"""The contract that scripts depend on: data on stdout, narration on stderr, exit codes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from .conftest import Run, Sandbox


def test_help_and_version_import_neither_textual_nor_httpx() -> None:
    program = (
        "import sys; from attio_console.cli.app import run; code = run(['--help']);"
        "print(code, [m for m in ('textual', 'httpx', 'apsw', 'pydantic') if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "0 []"
    assert "demo" in done.stdout


def test_an_unknown_command_is_a_usage_error(bare: Run) -> None:
    ran = bare("frobnicate")
    assert ran.code == 2
    assert "frobnicate" in ran.err
    assert ran.out == ""


def test_without_a_profile_it_says_how_to_get_one(bare: Run) -> None:
    ran = bare("status")
    assert ran.code == 1
    assert "attio-console profile add" in ran.err
    assert "Traceback" not in ran.err


def test_an_unknown_token_is_not_authorised(run: Run) -> None:
    ran = run("pull", ATTIO_API_KEY="nobody")
    assert ran.code == 4
    assert "nobody" not in ran.err + ran.out


def test_an_address_nobody_answers_at_is_a_sentence(run: Run) -> None:
    ran = run("pull", ATTIO_BASE_URL="http://127.0.0.1:9")
    assert ran.code == 1
    assert "Traceback" not in ran.err
    assert "Offline" in ran.err


def test_a_token_is_never_sent_over_plain_http_to_another_machine(run: Run) -> None:
    ran = run("pull", ATTIO_BASE_URL="http://attio.example")
    assert ran.code == 1
    assert "https" in ran.err


def test_pull_reports_what_it_found_and_then_finds_nothing_new(run: Run, sandbox: Sandbox) -> None:
    first = run("pull", "--json")
    assert first.code == 0
    found = {part["object"]: part for part in first.json()["partitions"]}
    assert found["people"]["created"] == found["people"]["records"] == len(sandbox.dump("attio", "people"))
    again = {part["object"]: part for part in run("pull", "--json").json()["partitions"]}
    assert (
        again["companies"]["created"] == again["companies"]["changed"] == again["companies"]["deleted"] == 0
    )


def test_pull_of_one_object_leaves_the_others(run: Run) -> None:
    ran = run("pull", "--object", "companies", "--json")
    assert [part["object"] for part in ran.json()["partitions"]] == ["companies"]
    assert run("records", "list", "people", "--json").out == ""


def test_find_prints_what_the_mirror_has(pulled: Run) -> None:
    name = pulled("records", "list", "people", "--limit", "1", "--json").json()
    hits = pulled("find", name["name"], "--json").lines()
    assert name["record_id"] in {hit["record_id"] for hit in hits}
    whole_id = hits[0]["record_id"]
    assert [hit["record_id"] for hit in pulled("find", whole_id, "--json").lines()] == [whole_id]


def test_set_writes_one_field_once(pulled: Run, sandbox: Sandbox) -> None:
    record_id = pulled("records", "list", "people", "--limit", "1", "--json").json()["record_id"]
    before = len(sandbox.control("writes?after=0"))
    ran = pulled("records", "set", "people", record_id, "job_title=Head of Testing", "--json")
    assert ran.code == 0, ran.err
    assert ran.json()["confirmed"] == 1
    truth = next(r for r in sandbox.dump("attio", "people") if r["id"]["record_id"] == record_id)
    assert truth["values"]["job_title"][0]["value"] == "Head of Testing"
    assert len(sandbox.control("writes?after=0")) == before + 1
    assert pulled("records", "set", "people", record_id, "job_title=Head of Testing").code == 0
    assert len(sandbox.control("writes?after=0")) == before + 1


def test_an_edit_over_a_colleagues_edit_becomes_a_conflict(pulled: Run, sandbox: Sandbox) -> None:
    record_id = pulled("records", "list", "people", "--limit", "2", "--json").lines()[1]["record_id"]
    sandbox.control(
        "edit",
        {"system": "attio", "object": "people", "id": record_id, "values": {"job_title": "By a colleague"}},
    )
    ran = pulled("records", "set", "people", record_id, "job_title=By me")
    assert ran.code == 3
    truth = next(r for r in sandbox.dump("attio", "people") if r["id"]["record_id"] == record_id)
    assert truth["values"]["job_title"][0]["value"] == "By a colleague"
    listed = pulled("conflicts", "list", "--json")
    assert listed.code == 3
    conflict = listed.json()
    resolved = pulled("conflicts", "resolve", str(conflict["conflict_id"]), "--take", "external")
    assert resolved.code == 0, resolved.err
    truth = next(r for r in sandbox.dump("attio", "people") if r["id"]["record_id"] == record_id)
    assert truth["values"]["job_title"][0]["value"] == "By me"
    assert pulled("conflicts", "list").code == 0


def test_an_edit_without_the_network_is_kept_and_sent_later(pulled: Run, sandbox: Sandbox) -> None:
    record_id = pulled("records", "list", "people", "--limit", "3", "--json").lines()[2]["record_id"]
    kept = pulled("records", "set", "people", record_id, "job_title=Written offline", "--no-wait", "--json")
    assert kept.code == 0
    assert kept.json()["waiting"] == 1
    assert pulled("outbox", "list", "--json").json()["state"] == "pending"
    assert pulled("sync", "--once").code in {0, 3}
    assert pulled("outbox", "list", "--json").out == ""
    truth = next(r for r in sandbox.dump("attio", "people") if r["id"]["record_id"] == record_id)
    assert truth["values"]["job_title"][0]["value"] == "Written offline"


def test_create_makes_one_record(pulled: Run, sandbox: Sandbox) -> None:
    ran = pulled(
        "records",
        "create",
        "people",
        "name=Lovelace, Ada",
        "email_addresses=ada@analytical.example",
        "--json",
    )
    assert ran.code == 0, ran.err
    people = [r for r in sandbox.dump("attio", "people") if r["id"]["record_id"] in ran.json()["record_ids"]]
    assert [p["values"]["name"][0]["full_name"] for p in people] == ["Ada Lovelace"]


def test_a_value_that_does_not_fit_is_refused_before_anything_is_sent(pulled: Run, sandbox: Sandbox) -> None:
    record_id = pulled("records", "list", "people", "--limit", "1", "--json").json()["record_id"]
    before = len(sandbox.control("writes?after=0"))
    ran = pulled("records", "set", "people", record_id, "email_addresses=not an address")
    assert ran.code == 2
    assert ran.out == ""
    assert len(sandbox.control("writes?after=0")) == before


def test_a_read_only_profile_cannot_write(pulled: Run) -> None:
    record_id = pulled("records", "list", "people", "--limit", "1", "--json").json()["record_id"]
    for command in (
        ("records", "set", "people", record_id, "job_title=x"),
        ("records", "create", "people", "name=X"),
        ("records", "delete", "people", record_id, "--yes"),
        ("outbox", "retry"),
        ("outbox", "discard", "1", "--yes"),
    ):
        ran = pulled("--read-only", *command)
        assert ran.code == 1, command
        assert "read-only" in ran.err, command


def test_an_unknown_attribute_names_those_there_are(pulled: Run) -> None:
    record_id = pulled("records", "list", "people", "--limit", "1", "--json").json()["record_id"]
    ran = pulled("records", "set", "people", record_id, "jobtitle=x")
    assert ran.code == 1
    assert "job_title" in ran.err


def test_status_is_one_document(pulled: Run) -> None:
    board = pulled("status", "--json").json()
    assert {part["object"] for part in board["partitions"]}
    assert board["headline"]["workspace"]


def test_a_data_directory_that_cannot_be_written_is_a_sentence(run: Run, tmp_path: Path) -> None:
    blocked = tmp_path / "a-file"
    blocked.write_text("")
    ran = run("pull", ATTIO_CONSOLE_DATA_DIR=str(blocked))
    assert ran.code == 1
    assert str(blocked) in ran.err
    assert "Traceback" not in ran.err


def test_a_broken_config_file_is_named_with_its_line(bare: Run, environment: dict[str, str]) -> None:
    config = Path(environment["ATTIO_CONSOLE_CONFIG_DIR"]) / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text('default_profile = "work"\n\n[profiles.work]\nread_onyl = true\n')
    ran = bare("status")
    assert ran.code == 1
    assert f"{config}:4" in ran.err
    assert "read_only" in ran.err


def test_a_profile_keeps_its_token_out_of_the_config_file(
    run: Run, sandbox: Sandbox, environment: dict[str, str]
) -> None:
    token = sandbox.line["tokens"]["attio"]
    added = run(
        "profile", "add", "work", "--token-stdin", "--token-file", text=f"{token}\n", ATTIO_API_KEY=""
    )
    assert added.code == 0, added.err
    assert token not in added.err + added.out
    directory = Path(environment["ATTIO_CONSOLE_CONFIG_DIR"])
    assert token not in (directory / "config.toml").read_text()
    kept = directory / "secrets" / "work.attio"
    assert kept.stat().st_mode & 0o077 == 0
    assert run("--profile", "work", "pull", ATTIO_API_KEY="").code == 0
    assert token not in run("profile", "show", "work", ATTIO_API_KEY="").out
    assert run("profile", "list", "--json", ATTIO_API_KEY="").json()["name"] == "work"


def test_a_machine_without_a_keyring_says_what_to_do(run: Run, sandbox: Sandbox) -> None:
    ran = run(
        "profile",
        "add",
        "work",
        "--token-stdin",
        text=sandbox.line["tokens"]["attio"] + "\n",
        ATTIO_API_KEY="",
    )
    assert ran.code == 1
    assert "ATTIO_API_KEY" in ran.err


def test_keys_lists_every_action_with_its_help(bare: Run) -> None:
    actions = bare("keys", "--json").lines()
    assert len({action["id"] for action in actions}) == len(actions) > 40
    assert all(action["help"] and action["keys"] for action in actions)


def test_keys_shows_what_the_config_file_sets_and_what_clashes(bare: Run) -> None:
    path = Path(bare("config", "path").out.strip())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('[keys]\nundo = "F9"\n')
    found = {action["id"]: action for action in bare("keys", "--json").lines()}
    assert found["undo"]["keys"] == ["f9"]
    assert found["undo"]["changed"] and not found["redo"]["changed"]
    path.write_text('[keys]\nundo = "z"\n')
    clash = bare("keys")
    assert clash.code == 1
    assert "z means undo and zoom everywhere" in clash.err
    assert "undo" in clash.out
    checked = bare("config", "validate")
    assert checked.code == 1
    assert "config.toml:2:" in checked.err
    path.write_text('[keys]\nundoo = "z"\n')
    wrong = bare("keys")
    assert wrong.code == 1
    assert "config.toml:2:" in wrong.err and "'undo'" in wrong.err


def test_a_demo_too_large_to_keep_says_so_before_anything_starts(bare: Run, tmp_path: Path) -> None:
    ran = bare("demo", "--records", "50000", "--keep", str(tmp_path / "kept"))
    assert ran.code == 2
    assert "--keep" in ran.err
    assert not (tmp_path / "kept").exists()
