"""The tables of mirror.db. It can be pulled again, so a file of another version is thrown away, never migrated."""

from __future__ import annotations

from attio_console.store.database import Database
from attio_console.store.sql import ask

VERSION = 2
SHIFT = 40
"""A row id is the collection's number << 40 | a sequence, so that one collection is one range of every index."""

# Full text is written in large pieces, which are joined when nobody waits, or when there are many.
TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE collection (
    no INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    size INTEGER NOT NULL DEFAULT 0,
    next_seq INTEGER NOT NULL DEFAULT 1,
    version INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE rec (
    id INTEGER PRIMARY KEY,
    coll INTEGER NOT NULL,
    record_id TEXT NOT NULL,
    label TEXT NOT NULL,
    sort TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    detail TEXT NOT NULL,
    search TEXT NOT NULL,
    hash BLOB NOT NULL
);
CREATE INDEX rec_record ON rec (record_id, coll);
CREATE INDEX rec_sort ON rec (coll, sort);
CREATE TABLE body (id INTEGER PRIMARY KEY, dict INTEGER NOT NULL, data BLOB NOT NULL);
CREATE TABLE dict (no INTEGER PRIMARY KEY, coll INTEGER NOT NULL, data BLOB NOT NULL);
CREATE TABLE link (record_id TEXT NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (record_id, id)) WITHOUT ROWID;
CREATE INDEX link_child ON link (id);
CREATE VIRTUAL TABLE words USING fts5 (
    search, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii', prefix = '1 2 3 4 5'
);
INSERT INTO words (words, rank) VALUES ('automerge', 0), ('crisismerge', 64), ('hashsize', 4194304);
CREATE VIRTUAL TABLE infix USING fts5 (
    search, content = '', contentless_delete = 1, detail = none, tokenize = 'trigram case_sensitive 1'
);
INSERT INTO infix (infix, rank) VALUES ('automerge', 0), ('crisismerge', 64), ('hashsize', 4194304);
CREATE TABLE unindexed (id INTEGER PRIMARY KEY);
CREATE TABLE scan (
    scan INTEGER PRIMARY KEY AUTOINCREMENT,
    coll INTEGER NOT NULL,
    cursor BLOB,
    seen INTEGER NOT NULL DEFAULT 0,
    last_seq INTEGER NOT NULL,
    started_at REAL NOT NULL,
    finished_at REAL
);
CREATE INDEX scan_coll ON scan (coll, scan);
CREATE TABLE scan_page (id INTEGER PRIMARY KEY, scan INTEGER NOT NULL, seqs BLOB NOT NULL);
CREATE INDEX scan_page_scan ON scan_page (scan);
CREATE TABLE ax (
    no INTEGER PRIMARY KEY,
    coll INTEGER NOT NULL,
    slug TEXT NOT NULL,
    done INTEGER NOT NULL DEFAULT 0,
    ready INTEGER NOT NULL DEFAULT 0,
    UNIQUE (coll, slug)
);
"""


def found_version(database: Database) -> int:
    """Return the version of the file; 0 for a fresh one."""
    return int(database.writer.pragma("user_version"))


def create(database: Database) -> None:
    """Make the tables in a fresh file."""
    connection = database.writer
    ask(connection, "BEGIN IMMEDIATE")
    # Another process may have made them while this one waited for the lock.
    if found_version(database) == 0:
        ask(connection, TABLES)
        ask(connection, f"PRAGMA user_version = {VERSION}")
    ask(connection, "COMMIT")


def span(no: int) -> tuple[int, int]:
    """Return the first row id of a collection and the first of the next."""
    return no << SHIFT, (no + 1) << SHIFT


def probe(database: Database) -> None:
    """Touch every table once, so that a damaged file is found when it is opened."""
    for table in (
        "meta",
        "collection",
        "rec",
        "body",
        "dict",
        "link",
        "unindexed",
        "scan",
        "scan_page",
        "ax",
    ):
        database.writer.execute(f"SELECT * FROM {table} LIMIT 1").fetchall()
    for table in ("words", "infix"):
        database.writer.execute(f"SELECT rowid FROM {table} WHERE {table} MATCH '\"a\"' LIMIT 1").fetchall()
