"""The tables of queue.db and how an older file becomes the present one."""

from __future__ import annotations

from collections.abc import Callable

import apsw

from attio_console.errors import StoreCorrupt, StoreTooNew
from attio_console.store.database import Database
from attio_console.store.failures import translate

_VERSION_1 = """
CREATE TABLE fence (token INTEGER NOT NULL);
INSERT INTO fence VALUES (0);

CREATE TABLE delivery (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL,
    webhook_id TEXT NOT NULL,
    body BLOB NOT NULL,
    received_at REAL NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending',
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at REAL NOT NULL,
    error TEXT NOT NULL DEFAULT '',
    token INTEGER,
    lease_until REAL,
    settled_at REAL
);
CREATE INDEX delivery_waiting ON delivery (state, next_at) WHERE state IN ('pending', 'leased', 'dead');
CREATE TABLE seen (key BLOB PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX seen_at ON seen (at);

CREATE TABLE outgroup (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    title TEXT NOT NULL,
    origin TEXT NOT NULL,
    actor TEXT NOT NULL,
    created_at REAL NOT NULL
);
CREATE INDEX outgroup_origin ON outgroup (origin);
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    group_id INTEGER NOT NULL REFERENCES outgroup (id),
    system TEXT NOT NULL,
    collection TEXT NOT NULL,
    record_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    lane TEXT NOT NULL,
    priority INTEGER NOT NULL,
    fields TEXT NOT NULL,
    payload TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending',
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at REAL NOT NULL,
    error TEXT NOT NULL DEFAULT '',
    created_at REAL NOT NULL,
    sent_at REAL,
    origin TEXT NOT NULL,
    actor TEXT NOT NULL,
    uncertain INTEGER NOT NULL DEFAULT 0,
    written TEXT,
    token INTEGER,
    lease_until REAL
);
CREATE INDEX outbox_waiting ON outbox (system, priority, id) WHERE state IN ('pending', 'sending');
CREATE INDEX outbox_order ON outbox (system, collection, record_id, id) WHERE state IN ('pending', 'sending');
CREATE INDEX outbox_active ON outbox (collection, record_id, id) WHERE state IN ('pending', 'sending', 'refused', 'dead');
CREATE INDEX outbox_state ON outbox (state, id);
CREATE INDEX outbox_group ON outbox (group_id, id);
CREATE INDEX outbox_token ON outbox (token) WHERE token IS NOT NULL;
CREATE INDEX outbox_record ON outbox (record_id);

CREATE TABLE pair (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    system TEXT NOT NULL,
    object_key TEXT NOT NULL,
    collection TEXT NOT NULL,
    record_id TEXT NOT NULL,
    external_type TEXT NOT NULL,
    external_id TEXT NOT NULL,
    state TEXT NOT NULL,
    created_by TEXT NOT NULL,
    score REAL,
    why TEXT NOT NULL,
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL,
    UNIQUE (system, record_id, external_type, external_id)
);
CREATE INDEX pair_external ON pair (system, external_type, external_id);
CREATE INDEX pair_record ON pair (record_id, system);
CREATE INDEX pair_state ON pair (system, state, object_key, id);
CREATE TABLE base (
    pair_id INTEGER NOT NULL REFERENCES pair (id) ON DELETE CASCADE,
    field TEXT NOT NULL,
    items TEXT NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (pair_id, field)
) WITHOUT ROWID;

CREATE TABLE conflict (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    system TEXT NOT NULL,
    pair_id INTEGER,
    collection TEXT NOT NULL,
    record_id TEXT NOT NULL,
    external_type TEXT NOT NULL,
    external_id TEXT NOT NULL,
    identity TEXT NOT NULL,
    label TEXT NOT NULL,
    fields TEXT NOT NULL,
    state TEXT NOT NULL,
    detected_at REAL NOT NULL,
    detected_by TEXT NOT NULL,
    suggestion TEXT,
    revision INTEGER NOT NULL DEFAULT 1,
    updated_at REAL NOT NULL,
    snoozed_until REAL,
    closed_why TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX conflict_identity ON conflict (identity) WHERE state IN ('open', 'snoozed');
CREATE INDEX conflict_state ON conflict (state, detected_at, id);
CREATE INDEX conflict_record ON conflict (record_id);
CREATE INDEX conflict_external ON conflict (external_id);
CREATE TABLE resolution (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    conflict_id INTEGER NOT NULL REFERENCES conflict (id),
    choices TEXT NOT NULL,
    group_id INTEGER,
    actor TEXT NOT NULL,
    at REAL NOT NULL,
    undone_at REAL
);
CREATE INDEX resolution_conflict ON resolution (conflict_id, id);

CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    entry TEXT NOT NULL,
    record TEXT NOT NULL,
    hash BLOB NOT NULL
);
CREATE INDEX audit_record ON audit (record, id);

CREATE TABLE partition (
    system TEXT NOT NULL,
    object TEXT NOT NULL,
    cursor TEXT NOT NULL,
    state TEXT NOT NULL,
    scanned_at REAL,
    error TEXT NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (system, object)
) WITHOUT ROWID;
CREATE TABLE kv (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""

# What people do with a conflict before they decide it.
_VERSION_2 = """
CREATE TABLE conflict_desk (
    conflict_id INTEGER PRIMARY KEY REFERENCES conflict (id) ON DELETE CASCADE,
    assignee TEXT NOT NULL DEFAULT '',
    comments TEXT NOT NULL DEFAULT '[]',
    waits_for TEXT
);
CREATE INDEX conflict_desk_assignee ON conflict_desk (assignee) WHERE assignee <> '';
CREATE INDEX conflict_desk_waiting ON conflict_desk (conflict_id) WHERE waits_for IS NOT NULL;
"""

# Notes and tasks that were carried across, each once.
_VERSION_3 = """
CREATE TABLE activity (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    system TEXT NOT NULL,
    kind TEXT NOT NULL,
    attio_id TEXT NOT NULL DEFAULT '',
    external_type TEXT NOT NULL,
    external_id TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL,
    completed INTEGER NOT NULL DEFAULT 0,
    group_id INTEGER NOT NULL DEFAULT 0,
    error TEXT NOT NULL DEFAULT '',
    at REAL NOT NULL
);
CREATE UNIQUE INDEX activity_attio ON activity (system, attio_id) WHERE attio_id <> '';
CREATE UNIQUE INDEX activity_external ON activity (system, external_type, external_id) WHERE external_id <> '';
CREATE INDEX activity_state ON activity (system, state, id);
"""

MIGRATIONS: tuple[str | Callable[[apsw.Connection], None], ...] = (_VERSION_1, _VERSION_2, _VERSION_3)
"""Step n makes version n + 1 of version n. A step that was published is never edited."""

VERSION = len(MIGRATIONS)

TABLES = (
    "fence",
    "delivery",
    "seen",
    "outgroup",
    "outbox",
    "pair",
    "base",
    "conflict",
    "resolution",
    "audit",
    "partition",
    "kv",
    "conflict_desk",
    "activity",
)
"""Every table, those that others refer to first."""


def migrate(database: Database) -> int:
    """Bring the file to the present version, one transaction for all steps; return the version it had."""
    connection = database.writer
    try:
        found = int(connection.pragma("user_version"))
        if found > VERSION:
            raise StoreTooNew(
                f"{database.path} was written by a newer attio-console (format {found}; this one knows {VERSION})."
            )
        if found < VERSION:
            connection.execute("BEGIN IMMEDIATE")
            try:
                # Another process may have migrated while this one waited for the lock.
                current = int(connection.pragma("user_version"))
                for step in MIGRATIONS[current:]:
                    if isinstance(step, str):
                        connection.execute(step).fetchall()
                    else:
                        step(connection)
                connection.execute(f"PRAGMA user_version = {VERSION}")
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
        connection.execute("PRAGMA foreign_keys = ON")
        _probe(database)
    except apsw.Error as error:
        raise translate(error, database.path) from error
    return found


def _probe(database: Database) -> None:
    """Touch every table once, so that a damaged file is found when it is opened and not in the middle of work."""
    for table in TABLES:
        try:
            database.writer.execute(f"SELECT * FROM {table} LIMIT 1").fetchall()
        except apsw.SQLError as error:
            raise StoreCorrupt(
                f"{database.path} is damaged: {error}.",
                hint="Keep a copy, then run: attio-console doctor --salvage",
            ) from error
