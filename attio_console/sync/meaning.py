"""Whether two values of one attribute say the same, when one is what was meant and the other what Attio gives back."""

from __future__ import annotations

from attio_console.model.schema import Attribute
from attio_console.model.values import Items, canonical


def meaning(attribute: Attribute, items: Items) -> tuple[str, ...]:
    """Return what a field says, in a form that is equal for what Attio gives back for what it was given."""
    if attribute.type == "currency":
        # The code belongs to the attribute: an edit need not name it, and Attio always does.
        return canonical("number", [i.get("currency_value") if isinstance(i, dict) else i for i in items])
    if attribute.type in {"select", "status"}:
        resolved = []
        for entry in items:
            title = entry.get("title") if isinstance(entry, dict) else entry
            known = entry.get("id") if isinstance(entry, dict) else None
            option = attribute.option(str(known or title))
            resolved.append({"id": option.id, "title": option.title} if option else entry)
        return canonical(attribute.type, resolved)
    return canonical(attribute.type, items)
