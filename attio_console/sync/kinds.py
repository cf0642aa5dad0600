"""The kinds of conflict, by the names under which they are stored."""

from __future__ import annotations

from typing import Final

FIELD: Final = "field"
SETTLED: Final = "rule-settled"
EDIT: Final = "edit against remote change"
EDIT_OF_DELETED: Final = "edit against delete"
DELETE: Final = "delete-against-edit"
DUPLICATE: Final = "duplicate-identity"
AMBIGUOUS: Final = "ambiguous-pair"
MERGE: Final = "merge"
REFUSED: Final = "refused-write"
GUARD: Final = "guard-stop"

RECORD: Final = "record"
"""The slug of the one line of a conflict that is about a whole record."""
