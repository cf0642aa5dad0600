"""Everything a person can ask for with a key, as one table.

The footer, `?`, the command palette, `attio-console keys`, the documentation and remapping are all made from it;
no key is written anywhere else. Nothing here knows a widget.

A context names where a key works. A screen lists its contexts from the narrowest to the widest, and the first one
that knows the key wins, so that `u` may mean one thing on the conflict screen and another everywhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from attio_console.errors import ConfigError
from attio_console.services.key_names import key_name

DISABLED = "none"
"""The key that switches an action off in a remapping."""

CONTEXTS: Mapping[str, str] = {
    "global": "everywhere",
    "list": "in every table",
    "records": "Records",
    "record": "one record",
    "pipelines": "Pipelines",
    "sync": "Sync",
    "conflicts": "Conflicts",
    "conflict": "one conflict",
    "outbox": "Outbox and history",
    "input": "while typing a filter",
    "requests": "the log of requests",
    "dialog": "in a dialog",
    "confirm": "when asked yes or no",
}
"""Every context and what a person calls it."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a person can ask for. `writes` ones are refused by a read-only profile before anything happens.

    The first context is where it is at home.
    """

    id: str
    title: str
    help: str
    keys: tuple[str, ...]
    contexts: tuple[str, ...]
    group: str
    show_in_footer: bool = False
    writes: bool = False

    def in_footer(self, contexts: Sequence[str]) -> bool:
        """Return whether the footer names it where these contexts hold: only where it is at home."""
        return self.show_in_footer and self.contexts[0] in contexts


def _a(
    name: str, title: str, about: str, keys: str, where: str, group: str, *, footer: bool = False, writes: bool = False
) -> Action:  # fmt: skip
    return Action(name, title, about, tuple(keys.split()), tuple(where.split()), group, footer, writes)


MOVE, SELECT, SHOW, EDIT, SYNC, GO, DECIDE = "Move", "Select", "Show", "Change", "Sync", "Go to", "Decide"

ACTIONS: tuple[Action, ...] = (
    # One record
    _a("edit-field", "edit", "Edit the field under the cursor, in an editor that fits its type.", "e enter", "record", EDIT, footer=True, writes=True),
    _a("next-record", "next record", "Go to the next record of the table without leaving the detail.", "J", "record", GO, footer=True),
    _a("previous-record", "previous record", "Go to the previous record of the table.", "K", "record", GO),
    # Pipelines
    _a("card-open", "open", "Open the record of the card under the cursor.", "enter", "pipelines", GO, footer=True),
    _a("card-move-left", "move left", "Move the card, or all marked cards, to the stage on the left.", "H shift+left", "pipelines", EDIT, footer=True, writes=True),
    _a("card-move-right", "move right", "Move the card, or all marked cards, to the stage on the right.", "L shift+right", "pipelines", EDIT, footer=True, writes=True),
    _a("card-stage", "stage", "Move the card, or all marked cards, to a stage chosen by name.", "m", "pipelines", EDIT, footer=True, writes=True),
    _a("card-edit", "edit", "Edit a value of the card's list entry.", "e", "pipelines", EDIT, footer=True, writes=True),
    _a("card-mark", "mark", "Mark or unmark this card and go one down.", "space", "pipelines", SELECT, footer=True),
    _a("list-next", "next list", "Show the next list.", "J", "pipelines", GO, footer=True),
    _a("list-previous", "previous list", "Show the previous list.", "K", "pipelines", GO),
    _a("card-left", "stage left", "Go to the stage on the left.", "h left", "pipelines", MOVE),
    _a("card-right", "stage right", "Go to the stage on the right.", "l right", "pipelines", MOVE),
    _a("card-down", "card down", "Go to the next card.", "j down", "pipelines", MOVE),
    _a("card-up", "card up", "Go to the card above.", "k up", "pipelines", MOVE),
    _a("card-top", "first card", "Go to the first card of the stage.", "g home", "pipelines", MOVE),
    _a("card-bottom", "last card", "Go to the last card of the stage.", "G end", "pipelines", MOVE),
    _a("card-page-down", "page down", "One screenful of cards down.", "pagedown ctrl+d", "pipelines", MOVE),
    _a("card-page-up", "page up", "One screenful of cards up.", "pageup ctrl+u", "pipelines", MOVE),
    # Tables
    _a("open", "open", "Open what is under the cursor.", "enter", "list", GO, footer=True),
    _a("edit", "edit", "Edit the field under the cursor; with marks, the same field of all marked records after a look at the plan.", "e", "records", EDIT, footer=True, writes=True),
    _a("mark", "mark", "Mark or unmark this row and go one down. Marks stay through filter, sort and refresh.", "space", "list", SELECT, footer=True),
    _a("filter", "filter", "Narrow the table as you type: words, or terms such as owner=@me, value>=1000, updated>-2w.", "/", "list pipelines", SHOW, footer=True),
    _a("sort", "sort", "Choose the field to sort by.", "s", "records", SHOW, footer=True),
    _a("sort-ascending", "sort up", "Sort by the column under the cursor, smallest first; again takes it away.", "<", "records", SHOW),
    _a("sort-descending", "sort down", "Sort by the column under the cursor, largest first; again takes it away.", ">", "records", SHOW),
    _a("columns", "columns", "Choose which columns are shown, and in which order.", "c", "records", SHOW, footer=True),
    _a("add", "add", "Create a record.", "a", "records", EDIT, footer=True, writes=True),
    _a("add-to-list", "add to a list", "Add this record, or all marked ones, to a list.", "A", "records record", EDIT, writes=True),
    _a("note", "note", "Write a note on this record.", "N", "record records", EDIT, footer=True, writes=True),
    _a("task", "task", "Add a task for this record.", "T", "record records", EDIT, footer=True, writes=True),
    _a("delete", "delete", "Delete this record, or all marked ones, after asking.", "D delete", "records record", EDIT, writes=True),
    _a("preview", "preview", "Show or hide the preview of the record under the cursor.", "p", "records", SHOW),
    _a("tab-next", "next tab", "Show the next tab of the record: fields, notes, tasks, lists, history, sources, raw.", "]", "record records", SHOW),
    _a("tab-previous", "previous tab", "Show the previous tab of the record.", "[", "record records", SHOW),
    _a("object-next", "next object", "Show the next object.", "J", "records", GO),
    _a("object-previous", "previous object", "Show the previous object.", "K", "records", GO),
    _a("views", "views", "Show a saved view of this object by its number, keep what is shown as one, or delete one.", "V", "records", SHOW, footer=True),
    _a("export", "export", "Save what the table shows, or the marked rows, to a file: CSV, JSON and the like.", "x", "records conflicts", SHOW),
    _a("browser", "open in Attio", "Open this record in the browser.", "o", "records record pipelines", GO),
    _a("down", "down", "One row down.", "j down", "list record conflict requests", MOVE),
    _a("up", "up", "One row up.", "k up", "list record conflict requests", MOVE),
    _a("left", "column left", "One column to the left.", "h left", "list", MOVE),
    _a("right", "column right", "One column to the right; columns that do not fit come into view.", "l right", "list", MOVE),
    _a("page-down", "page down", "One screenful down.", "pagedown ctrl+d", "list record conflict requests", MOVE),
    _a("page-up", "page up", "One screenful up.", "pageup ctrl+u", "list record conflict requests", MOVE),
    _a("top", "first", "Go to the first row.", "g home ctrl+home", "list record conflict requests", MOVE),
    _a("bottom", "last", "Go to the last row.", "G end ctrl+end", "list record conflict requests", MOVE),
    _a("mark-down", "mark downwards", "Mark this row and the next.", "shift+down", "list", SELECT),
    _a("mark-up", "mark upwards", "Mark this row and the one above.", "shift+up", "list", SELECT),
    _a("mark-range", "mark a range", "Start a range here; press again at its other end to mark all between.", "v", "list", SELECT),
    _a("mark-all", "mark all", "Mark everything the filter shows; again takes the marks away.", "* ctrl+a", "list", SELECT),
    _a("mark-same", "mark same value", "Mark the shown rows with the same value in this column.", ",", "list", SELECT),
    _a("mark-invert", "invert marks", "Mark what is not marked, and the other way round.", "i", "list", SELECT),
    _a("copy", "copy", "Copy the id of the row under the cursor.", "y", "list record pipelines", SHOW),
    _a("copy-value", "copy value", "Copy the value under the cursor.", "Y", "records record", SHOW),
    _a("reload", "read again", "Read this view again from the local store.", "r", "list pipelines", SHOW),
    # Sync
    _a("look", "look", "Show what this line is about: its records, its conflicts, or what ran out of attempts.", "enter", "sync", GO, footer=True),
    _a("line-down", "down", "One line down.", "j down", "sync", MOVE),
    _a("line-up", "up", "One line up.", "k up", "sync", MOVE),
    _a("line-page-down", "page down", "One screenful down.", "pagedown ctrl+d", "sync", MOVE),
    _a("line-page-up", "page up", "One screenful up.", "pageup ctrl+u", "sync", MOVE),
    # Conflicts
    _a("take-attio-all", "all Attio", "Resolve all marked conflicts with Attio's values, after a look at the plan.", "H", "conflicts", DECIDE, footer=True, writes=True),
    _a("take-other-all", "all other side", "Resolve all marked conflicts with the other system's values, after a look at the plan.", "L", "conflicts", DECIDE, footer=True, writes=True),
    _a("take-suggested", "suggested", "Resolve this conflict, or all marked ones, as suggested, after a look at the plan.", "S", "conflicts", DECIDE, footer=True, writes=True),
    _a("skip", "skip", "Move this conflict to the end of the queue.", ".", "conflicts", DECIDE, footer=True),
    _a("snooze", "put away", "Put this conflict, or all marked ones, away until a time, or until a side changes.", "w", "conflicts conflict", DECIDE, footer=True),
    _a("assign", "assign", "Make this conflict, or all marked ones, somebody's.", "a", "conflicts conflict", DECIDE),
    _a("comment", "comment", "Say something about this conflict; it stays beside it.", "c", "conflicts conflict", DECIDE),
    # One conflict
    _a("choose-attio", "Attio", "Take Attio's value for this field.", "left h", "conflict", DECIDE, footer=True),
    _a("choose-other", "other side", "Take the other system's value for this field.", "right l", "conflict", DECIDE, footer=True),
    _a("apply", "apply", "Write the chosen values to both sides.", "enter", "conflict", DECIDE, footer=True, writes=True),
    _a("choose-suggested", "suggestion", "Take the suggested side for this field.", "space", "conflict", DECIDE, footer=True),
    _a("choose-base", "base", "Take the value both sides last agreed on.", "0", "conflict", DECIDE, footer=True),
    _a("choose-edit", "edit", "Write the value yourself.", "e", "conflict", DECIDE, footer=True, writes=True),
    _a("choose-both", "both", "Keep the values of both sides; only for fields that hold several.", "b", "conflict", DECIDE, footer=True),
    _a("undo-choice", "undo", "Take the last choice back; where none is left, undo the last resolution.", "u ctrl+z", "conflict", DECIDE, footer=True),
    _a("make-rule", "rule", "Remember a choice for this field as a rule, after a look at the open conflicts it settles.", "!", "conflict", DECIDE, footer=True, writes=True),
    _a("timeline", "timeline", "Show what happened to this field on both sides.", "t", "conflict", SHOW, footer=True),
    _a("conflict-next", "next", "Go to the next conflict.", "n", "conflict", GO, footer=True),
    _a("choose-none", "unset", "Take the choice back.", "backspace", "conflict", DECIDE),
    _a("conflict-previous", "previous", "Go to the previous conflict.", "N", "conflict", GO),
    _a("merged", "merged fields", "Show or hide the fields that merge by themselves.", "tab", "conflict", SHOW),
    # Outbox and history
    _a("outbox-other", "waiting / history", "Switch between what waits and what was done.", "] [", "outbox", SHOW, footer=True),
    _a("retry", "try again", "Send this write, or all marked ones, now.", "t", "outbox", SYNC, footer=True),
    _a("discard", "discard", "Give this write, or all marked ones, up after asking.", "D delete", "outbox", EDIT, footer=True),
    _a("undo-group", "undo this", "Undo the action under the cursor, not only the newest.", "U", "outbox", EDIT, footer=True, writes=True),
    # Everywhere
    _a("undo", "undo", "Undo the newest edit, move, bulk change or resolution; what was sent already gets a compensating write.", "u ctrl+z", "global", EDIT, footer=True, writes=True),
    _a("redo", "redo", "Do again what was undone last.", "ctrl+y", "global", EDIT, writes=True),
    _a("help", "all keys", "List every key that works here; type to narrow, Enter runs it.", "?", "global", GO, footer=True),
    _a("about", "about this", "Say what this pane is for.", "f1", "global", GO),
    _a("palette", "palette", "Find any action by name.", "ctrl+p", "global", GO),
    _a("find", "find", "Find a record anywhere by a few letters.", "ctrl+k", "global", GO),
    _a("jump", "jump", "Type where to go: an object, a list, conflicts, outbox, sync; words after it become the filter.", ":", "global", GO),
    _a("pane-records", "Records", "Show the records.", "1", "global", GO),
    _a("pane-pipelines", "Pipelines", "Show the pipelines.", "2", "global", GO),
    _a("pane-sync", "Sync", "Show how every sync is doing.", "3", "global", GO),
    _a("pane-conflicts", "Conflicts", "Show what waits for a decision.", "4", "global", GO),
    _a("pane-outbox", "Outbox", "Show what waits to be sent, and what was done.", "5", "global", GO),
    _a("pane-next", "next pane", "Show the next pane.", "tab", "global", GO),
    _a("pane-previous", "previous pane", "Show the previous pane.", "shift+tab", "global", GO),
    _a("last-view", "last view", "Go back to the pane shown before.", "-", "global", GO),
    _a("sync-now", "sync now", "Ask both sides for news now.", "R", "sync global", SYNC, footer=True),
    _a("pause", "pause", "Stop sending and pulling, or go on.", "P", "sync global", SYNC, footer=True),
    _a("freeze", "freeze", "Hold the screen still while you read, or let it move again.", "F", "global", SHOW),
    _a("zoom", "zoom", "Give the whole screen to this part, or give it back.", "z", "global", SHOW),
    _a("theme", "theme", "Choose colours, seen as you move.", "ctrl+t", "global", SHOW),
    _a("back", "back", "Close or clear one thing: the detail, the marks, the filter.", "escape", "global", GO),
    _a("leave", "back or quit", "Back; where nothing is open, quit.", "q", "global", GO),
    _a("quit", "quit", "Quit. What waits in the outbox is kept and sent next time.", "ctrl+q", "global input dialog", GO),
    _a("interrupt", "copy or cancel", "Copy the selected text, or close what is open; never quits.", "ctrl+c", "global", GO),
    _a("log", "requests", "Show the log of requests: what was asked, how long it took, and the id support asks for.", "ctrl+g", "global", SHOW),
    # While typing a filter, and in dialogs
    _a("copy-request", "copy id", "Copy the id of the request under the cursor.", "y", "requests", SHOW),
    _a("filter-keep", "keep the filter", "Go to the table and keep the filter.", "enter down", "input", SHOW, footer=True),
    _a("filter-clear", "clear the filter", "Clear the filter and go to the table.", "escape", "input", SHOW, footer=True),
    _a("close", "close", "Close without doing anything.", "escape", "dialog", GO),
    _a("yes", "yes", "Do it.", "y", "confirm", DECIDE),
    _a("no", "no", "Leave everything as it is.", "n enter", "confirm", DECIDE),
)  # fmt: skip

BY_ID: Mapping[str, Action] = {action.id: action for action in ACTIONS}
"""The same table, by id."""

_SHOWN = {
    "up": "↑", "down": "↓", "left": "←", "right": "→", "enter": "Enter", "escape": "Esc", "space": "Space", "tab": "Tab",
    "pageup": "PgUp", "pagedown": "PgDn", "home": "Home", "end": "End", "backspace": "Backspace", "delete": "Del",
}  # fmt: skip


def shown(key: str) -> str:
    """Return a key as it is printed: `ctrl+k` as `Ctrl+K`, `shift+left` as `Shift+←`."""
    *modifiers, last = key.split("+") if len(key) > 1 else [key]
    name = _SHOWN.get(last, last.upper() if modifiers or (len(last) > 1 and last[0] == "f") else last)
    return "+".join([*(modifier.capitalize() for modifier in modifiers), name])


@dataclass(frozen=True, slots=True)
class Clash:
    """Two actions on one key in one context."""

    context: str
    key: str
    actions: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{shown(self.key)} means {' and '.join(self.actions)} {CONTEXTS.get(self.context, self.context)}"
        )


@dataclass(frozen=True)
class Keymap:
    """The table with a person's remapping applied: keys to actions, per context."""

    actions: tuple[Action, ...]
    _table: Mapping[tuple[str, str], Action] = field(repr=False)
    _keys: Mapping[str, tuple[str, ...]] = field(repr=False)

    def resolve(self, key: str, contexts: Sequence[str]) -> Action | None:
        """Return what a key means where these contexts hold, narrowest first."""
        for context in contexts:
            action = self._table.get((context, key))
            if action is not None:
                return action
        return None

    def keys(self, action_id: str) -> tuple[str, ...]:
        """Return the keys of an action, the first being the one to print."""
        return self._keys.get(action_id, ())

    def key(self, action_id: str) -> str:
        """Return an action's first key as it is printed, or nothing where it has none."""
        keys = self.keys(action_id)
        return shown(keys[0]) if keys else ""

    def available(self, contexts: Sequence[str]) -> list[Action]:
        """Return what can be asked for where these contexts hold: each action that at least one key reaches."""
        return [
            action
            for action in self.actions
            if any(context in contexts for context in action.contexts)
            and any(self.resolve(key, contexts) is action for key in self.keys(action.id))
        ]


def clashes(actions: Iterable[Action]) -> list[Clash]:
    """Return every key that means two things in one context."""
    seen: dict[tuple[str, str], list[str]] = {}
    for action in actions:
        for context in action.contexts:
            for key in action.keys:
                seen.setdefault((context, key), []).append(action.id)
    return [Clash(context, key, tuple(ids)) for (context, key), ids in seen.items() if len(ids) > 1]


def keymap(overrides: Mapping[str, Sequence[str] | str] | None = None) -> Keymap:
    """Return the table with keys replaced by action id; `"none"` switches an action off.

    An id or a key that does not exist, and a key that would mean two things in one place, are refused with the names
    involved.
    """
    actions = remapped(overrides or {})
    if found := clashes(actions):
        raise ConfigError(
            "; ".join(str(clash) for clash in found), hint="attio-console keys lists what is taken."
        )
    table = {
        (context, key): action for action in actions for context in action.contexts for key in action.keys
    }
    return Keymap(actions, table, {action.id: action.keys for action in actions})


def remapped(overrides: Mapping[str, Sequence[str] | str]) -> tuple[Action, ...]:
    """Return every action with its keys as a person wants them, clashes and all.

    Raises ConfigError where an id or a key does not exist.
    """
    chosen = {action_id: _with_keys(_named(action_id), keys) for action_id, keys in overrides.items()}
    return tuple(chosen.get(action.id, action) for action in ACTIONS)


def _named(action_id: str) -> Action:
    if action_id in BY_ID:
        return BY_ID[action_id]
    near = get_close_matches(action_id, BY_ID, n=1)
    raise ConfigError(
        f"There is no action called {action_id!r}.",
        hint=f"Did you mean {near[0]!r}?" if near else "attio-console keys lists them.",
    )


def _with_keys(action: Action, keys: Sequence[str] | str) -> Action:
    chosen = (keys,) if isinstance(keys, str) else tuple(keys)
    kept = () if chosen == (DISABLED,) else tuple(dict.fromkeys(key_name(key) for key in chosen))
    return Action(
        action.id,
        action.title,
        action.help,
        kept,
        action.contexts,
        action.group,
        action.show_in_footer,
        action.writes,
    )
