"""Copying: through the terminal, which also works over ssh, and through the desktop's own program where there is one."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys

# Terminals cut or refuse longer sequences.
LIMIT = 74_000


def native_command() -> list[str] | None:
    """Return the program that fills this desktop's clipboard, or None."""
    candidates: list[tuple[str, list[str]]] = []
    if sys.platform == "darwin":
        candidates.append(("pbcopy", ["pbcopy"]))
    elif sys.platform == "win32":
        candidates.append(("clip", ["clip"]))
    if os.environ.get("WAYLAND_DISPLAY"):
        candidates.append(("wl-copy", ["wl-copy"]))
    if os.environ.get("DISPLAY"):
        candidates.append(("xclip", ["xclip", "-selection", "clipboard"]))
        candidates.append(("xsel", ["xsel", "--clipboard", "--input"]))
    return next((command for name, command in candidates if shutil.which(name)), None)


async def copy_natively(text: str) -> bool:
    """Hand the text to the desktop's clipboard; return whether there was one that took it."""
    command = native_command()
    if command is None:
        return False
    try:
        process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.PIPE)
        async with asyncio.timeout(2):
            await process.communicate(text.encode())
    except (OSError, TimeoutError):
        return False
    return process.returncode == 0
