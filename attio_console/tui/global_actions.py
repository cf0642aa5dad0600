"""What the keys do that work everywhere."""

from __future__ import annotations

import webbrowser
from collections.abc import Sequence
from typing import TYPE_CHECKING

from attio_console.errors import NoSuchThing
from attio_console.model.text import fold
from attio_console.services.actions import CONTEXTS, shown
from attio_console.services.types import Done
from attio_console.tui.dialogs.about import About
from attio_console.tui.dialogs.form import Form, FormField
from attio_console.tui.dialogs.pick import Pick, PickDialog, among
from attio_console.tui.dialogs.requests import RequestsDialog
from attio_console.tui.header import PANES

if TYPE_CHECKING:
    from attio_console.tui.app import ConsoleApp
    from attio_console.tui.pane import Pane


class GlobalActions:
    """Mixed into the main screen; `face` is the app, `pane` the one in front."""

    pane: Pane | None
    previous: str

    @property
    def face(self) -> ConsoleApp:
        """The app, by its own type."""
        raise LookupError

    def go(self, name: str) -> None:
        """Bring a pane to the front."""
        raise LookupError(name)

    async def bring(self, name: str) -> Pane:
        """Bring a pane to the front and return it once its parts exist."""
        raise LookupError(name)

    def why_not(self, action: str) -> str | None:
        """Return why an action cannot be done now, or None."""
        if not self.face.session.ready and action not in {"quit", "leave", "theme"}:
            return "Still opening."
        return None

    # -- panes ------------------------------------------------------------------------------------------------

    async def act_pane_records(self) -> None:
        """Show the records."""
        await self.bring("records")

    async def act_pane_pipelines(self) -> None:
        """Show the pipelines."""
        await self.bring("pipelines")

    async def act_pane_sync(self) -> None:
        """Show the syncs."""
        await self.bring("sync")

    async def act_pane_conflicts(self) -> None:
        """Show the conflicts."""
        await self.bring("conflicts")

    async def act_pane_outbox(self) -> None:
        """Show outbox and history."""
        await self.bring("outbox")

    async def act_pane_next(self) -> None:
        """Show the next pane."""
        await self._step_pane(1)

    async def act_pane_previous(self) -> None:
        """Show the previous pane."""
        await self._step_pane(-1)

    async def _step_pane(self, step: int) -> None:
        names = [name for name, _ in PANES]
        now = self.pane.NAME if self.pane is not None else names[0]
        await self.bring(names[(names.index(now) + step) % len(names)])

    async def act_last_view(self) -> None:
        """Go back to the pane shown before."""
        await self.bring(self.previous)

    # -- undo, sync -------------------------------------------------------------------------------------------

    async def act_undo(self) -> Done:
        """Undo the newest action."""
        return await self.face.verbs.undo()

    async def act_redo(self) -> Done:
        """Do again what was undone last."""
        return await self.face.verbs.redo()

    async def act_sync_now(self) -> Done | None:
        """Ask both sides for news; start the engine again where it stopped."""
        if self.face.session.engine_failure:
            self.face.session.restart_engine()
            return Done("Starting the engine again.")
        return await self.face.verbs.sync_now()

    async def act_pause(self) -> Done:
        """Stop sending and pulling, or go on."""
        verbs = self.face.verbs
        return await (verbs.resume() if verbs.headline().liveness == "paused" else verbs.pause())

    def act_freeze(self) -> None:
        """Say that there is nothing to freeze here."""
        self.face.refuse("Nothing moves here that could be frozen.")

    def act_zoom(self) -> None:
        """Say that this pane is one part already."""
        self.face.refuse("This pane has the whole screen already.")

    # -- leaving ----------------------------------------------------------------------------------------------

    def act_back(self) -> None:
        """Close or clear one thing, where the pane has nothing to close."""

    def act_leave(self) -> None:
        """Quit: nothing is open that could be closed."""
        self.face.act_quit()

    # -- finding a way ----------------------------------------------------------------------------------------

    async def act_help(self) -> None:
        """List what can be done here; Enter does it."""
        contexts = self.face.contexts()
        answer = await self.face.push_screen_wait(
            PickDialog(
                f"Keys in {CONTEXTS.get(contexts[0], contexts[0]) if contexts else 'this place'}",
                among(_picks(self.face, contexts)),
                note="Type to narrow; Enter runs it.",
                placeholder="what do you want to do?",
                wide=True,
            )
        )
        self._run(answer)

    async def act_palette(self) -> None:
        """Find any action by name."""
        answer = await self.face.push_screen_wait(
            PickDialog(
                "What do you want to do?",
                among(_picks(self.face, self.face.contexts(), titles_first=True)),
                placeholder="part of its name",
                wide=True,
            )
        )
        self._run(answer)

    def _run(self, answer: tuple[str, ...] | None) -> None:
        if answer:
            action = next(action for action in self.face.keys.actions if action.id == answer[0])
            self.face.perform(action)

    async def act_about(self) -> None:
        """Say what this pane is for."""
        if self.pane is not None:
            await self.face.push_screen_wait(About(self.pane.NAME.capitalize(), self.pane.ABOUT))

    async def act_log(self) -> None:
        """Show the log of requests."""
        await self.face.push_screen_wait(RequestsDialog())

    async def act_theme(self) -> None:
        """Choose colours, seen as you move."""
        app = self.face
        before = app.theme
        names = sorted(app.available_themes, key=lambda name: (not name.startswith("console-"), name))

        def put_on(name: str) -> None:
            app.theme = name

        answer = await app.push_screen_wait(
            PickDialog(
                "Colours", among(Pick(name, name) for name in names), chosen=(before,), on_highlight=put_on
            )
        )
        app.theme = answer[0] if answer else before
        if answer:
            app.prefer("theme", {"name": app.theme, "over": app.starting_theme})

    async def act_find(self) -> None:
        """Find a record anywhere and show it."""
        verbs = self.face.verbs

        async def load(text: str) -> Sequence[Pick]:
            if not text.strip():
                return []
            hits = await verbs.find(text, None, 50)
            return [
                Pick(f"{hit.collection}\n{hit.record_id}", hit.label, f"{hit.detail}  {hit.kind}".strip())
                for hit in hits
            ]

        answer = await self.face.push_screen_wait(
            PickDialog("Find", load, placeholder="a few letters of anything", empty="Type a few letters.")
        )
        if answer:
            collection, record_id = answer[0].split("\n")
            await self.show_record(collection, record_id)

    async def show_record(self, collection: str, record_id: str) -> None:
        """Show one record in full, wherever the way there started."""
        from attio_console.tui.panes.records import RecordsPane

        pane = await self.bring("records")
        assert isinstance(pane, RecordsPane)
        pane.show_record(collection, record_id)

    async def act_jump(self) -> None:
        """Type where to go."""
        places = self._places()
        form = Form(
            "Go to",
            [
                FormField(
                    "to",
                    "Place",
                    "",
                    "such as: companies acme · conflicts · sales",
                    suggestions=tuple(places),
                )
            ],
            self._jump,
        )
        await self.face.push_screen_wait(form)

    def _places(self) -> dict[str, tuple[str, str]]:
        verbs = self.face.verbs
        places = {name: ("pane", name) for name, _ in PANES}
        places |= {"history": ("pane", "outbox")}
        for tab in verbs.tabs():
            places[tab.slug] = ("object", tab.collection)
        for pipeline in verbs.pipelines():
            places.setdefault(pipeline.slug, ("list", pipeline.list_id))
        return places

    async def _jump(self, values: dict[str, str] | object) -> Done:
        typed = str(values["to"]).strip() if isinstance(values, dict) else ""
        word, _, rest = typed.partition(" ")
        places = self._places()
        found = places.get(word) or next(
            (place for name, place in places.items() if fold(name).startswith(fold(word))), None
        )
        if not word or found is None:
            raise NoSuchThing(f"There is no place called {word!r}.", hint=f"There are: {', '.join(places)}")
        kind, name = found
        if kind == "pane":
            await self.bring(name)
        else:
            await self.open_table(kind, name, rest.strip())
        return Done("")

    async def open_table(self, kind: str, name: str, text: str = "") -> None:
        """Show an object or a list, with a filter."""
        from attio_console.tui.panes.pipelines import PipelinesPane
        from attio_console.tui.panes.records import RecordsPane

        pane = await self.bring("records" if kind == "object" else "pipelines")
        assert isinstance(pane, RecordsPane | PipelinesPane)
        pane.open_collection(name, text)

    def open_in_browser(self, url: str) -> None:
        """Open a record's page, or copy its address where no browser can be started."""
        if not url:
            self.face.refuse("Attio gave no address for this record.")
            return
        try:
            opened = webbrowser.open(url)
        except webbrowser.Error:
            opened = False
        if opened:
            self.face.say(f"Opened {url}")
        else:
            self.face.copy([url])


def _picks(app: ConsoleApp, contexts: Sequence[str], *, titles_first: bool = False) -> list[Pick]:
    actions = [action for action in app.available(contexts) if action.id not in {"help", "palette"}]
    if titles_first:
        actions.sort(key=lambda action: action.title)
    return [
        Pick(
            action.id,
            action.title,
            action.help,
            app.reason_against(action) or "",
            " ".join(shown(key) for key in app.keys.keys(action.id)[:2]),
        )
        for action in actions
    ]
