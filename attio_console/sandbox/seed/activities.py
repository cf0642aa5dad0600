"""Notes and tasks on the records that people work with."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from attio_console.sandbox.seed import words
from attio_console.sandbox.seed.chance import moment, stream
from attio_console.sandbox.seed.rows import NoteRow, Options, Row, TaskRow


def make_notes(options: Options, members: int, rows: list[Row]) -> list[NoteRow]:
    """Return notes on about one record in six, some of them long."""
    random = stream(options.seed, "notes")
    notes = []
    for row in random.sample(rows, max(1, len(rows) // 6)):
        for _ in range(random.choice((1, 1, 1, 2, 4))):
            lines = [random.choice(words.NOTE_LINES) for _ in range(random.choice((1, 2, 3, 3, 12)))]
            made = max(row.created_at, moment(random, options.now, 0, 200))
            title = random.choice(words.NOTE_TITLES)
            notes.append(NoteRow(row.key, made, random.randrange(members), title, "\n\n".join(lines)))
    return notes


def make_tasks(options: Options, members: int, rows: list[Row]) -> list[TaskRow]:
    """Return tasks: done, due, overdue, without a date, without a record."""
    random = stream(options.seed, "tasks")
    return [_task(random, options, members, rows) for _ in range(max(1, len(rows) // 12))]


def _task(random: Random, options: Options, members: int, rows: list[Row]) -> TaskRow:
    linked = tuple(row.key for row in random.sample(rows, min(len(rows), random.choice((0, 1, 1, 1, 2)))))
    deadline = None
    if random.random() < 0.8:
        days = random.randrange(-20, 40)
        deadline = (options.now + timedelta(days=days)).replace(hour=17, minute=0, second=0, microsecond=0)
    return TaskRow(
        content=random.choice(words.TASK_LINES),
        deadline_at=deadline,
        is_completed=random.random() < 0.4,
        linked=linked,
        assignee=random.randrange(members),
        created_at=moment(random, options.now, 0, 60),
        author=random.randrange(members),
    )
