"""Where tokens are kept: never in the config file, a database, a log or on the screen."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from attio_console.errors import ConfigError, SecretMissing

SERVICE = "attio-console"
_FOR_ATTIO = "ATTIO_API_KEY"


class Secrets(Protocol):
    """Keeps a few named secrets per profile. Calls may block: call from a thread."""

    def get(self, profile: str, name: str) -> str | None:
        """Return a secret (attio, hubspot, salesforce, webhook:<id>), or None."""

    def set(self, profile: str, name: str, value: str) -> None:
        """Keep a secret; raises SecretMissing where there is nowhere to keep it."""

    def delete(self, profile: str, name: str) -> None:
        """Forget a secret; nothing happens where there is none."""

    def where(self, profile: str, name: str) -> str:
        """Return in words where the secret is kept, or that there is none."""


class MemorySecrets:
    """Secrets that end with the process: the demo's."""

    def __init__(self, known: dict[str, str] | None = None) -> None:
        self._known = dict(known or {})

    def __repr__(self) -> str:
        return f"MemorySecrets({sorted(self._known)})"

    def get(self, profile: str, name: str) -> str | None:  # noqa: ARG002
        """Return a secret, or None."""
        return self._known.get(name)

    def set(self, profile: str, name: str, value: str) -> None:  # noqa: ARG002
        """Keep a secret until the process ends."""
        self._known[name] = value

    def delete(self, profile: str, name: str) -> None:  # noqa: ARG002
        """Forget a secret."""
        self._known.pop(name, None)

    def where(self, profile: str, name: str) -> str:  # noqa: ARG002
        """Return in words where the secret is kept."""
        return "in memory, until the program ends" if name in self._known else "nowhere"


class SystemSecrets:
    """The environment first, then the keyring, then a file only its owner can read where the profile asks for one."""

    def __init__(self, directory: Path, *, files: bool = False) -> None:
        self._directory = directory / "secrets"
        self._files = files
        # Secrets made while running, such as a webhook's, survive the run only where there is a keyring.
        self._session = MemorySecrets()

    def get(self, profile: str, name: str) -> str | None:
        """Return a secret, or None."""
        if name == "attio" and (given := os.environ.get(_FOR_ATTIO, "").strip()):
            return given
        if held := self._session.get(profile, _key(profile, name)):
            return held
        if self._files:
            path = self._path(profile, name)
            _refuse_open_to_others(path)
            return path.read_text("utf-8").strip() if path.exists() else None
        keyring = _keyring()
        return keyring.get_password(SERVICE, _key(profile, name)) if keyring else None

    def set(self, profile: str, name: str, value: str) -> None:
        """Keep a secret; one made for this run alone stays in memory where there is nowhere else."""
        if self._files:
            self._write(self._path(profile, name), value)
            return
        keyring = _keyring()
        if keyring is not None:
            keyring.set_password(SERVICE, _key(profile, name), value)
        elif name.startswith("webhook:"):
            self._session.set(profile, _key(profile, name), value)
        else:
            raise SecretMissing(
                "This machine has no keyring to keep the token in.",
                hint=f"Set {_FOR_ATTIO} in the environment, or add the profile with --token-file.",
            )

    def delete(self, profile: str, name: str) -> None:
        """Forget a secret."""
        self._session.delete(profile, _key(profile, name))
        self._path(profile, name).unlink(missing_ok=True)
        keyring = _keyring()
        if keyring is not None and keyring.get_password(SERVICE, _key(profile, name)) is not None:
            keyring.delete_password(SERVICE, _key(profile, name))

    def where(self, profile: str, name: str) -> str:
        """Return in words where the secret is kept."""
        if name == "attio" and os.environ.get(_FOR_ATTIO, "").strip():
            return f"in the environment ({_FOR_ATTIO})"
        if self._files:
            path = self._path(profile, name)
            return f"in {path}" if path.exists() else "nowhere"
        keyring = _keyring()
        if keyring is None:
            return "nowhere: this machine has no keyring"
        return "in the keyring" if keyring.get_password(SERVICE, _key(profile, name)) else "nowhere"

    def _path(self, profile: str, name: str) -> Path:
        return self._directory / f"{profile}.{name.replace(':', '-')}"

    def _write(self, path: Path, value: str) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                os.fchmod(file.fileno(), 0o600)
                file.write(value)
        except OSError as problem:
            raise ConfigError(f"{path} cannot be written: {problem.strerror}.") from problem


def _key(profile: str, name: str) -> str:
    return f"{profile}:{name}"


def _refuse_open_to_others(path: Path) -> None:
    if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ConfigError(f"{path} can be read by others.", hint=f"chmod 600 {path}")


class _Backend(Protocol):
    def get_password(self, service: str, username: str) -> str | None: ...

    def set_password(self, service: str, username: str, password: str) -> None: ...

    def delete_password(self, service: str, username: str) -> None: ...


class _Careful:
    """A keyring whose troubles are sentences: locked, refused by its owner, gone."""

    def __init__(self, backend: _Backend) -> None:
        self._backend = backend

    def get_password(self, service: str, username: str) -> str | None:
        with _as_sentence():
            return self._backend.get_password(service, username)

    def set_password(self, service: str, username: str, password: str) -> None:
        with _as_sentence():
            self._backend.set_password(service, username, password)

    def delete_password(self, service: str, username: str) -> None:
        with _as_sentence():
            self._backend.delete_password(service, username)


@contextlib.contextmanager
def _as_sentence() -> Iterator[None]:
    from keyring.errors import KeyringError, KeyringLocked

    try:
        yield
    except KeyringLocked as problem:
        raise SecretMissing("The keyring is locked.", hint="Unlock it and try again.") from problem
    except KeyringError as problem:
        # What a backend says may quote what it was given, so only the kind of trouble is passed on.
        raise SecretMissing(
            f"The keyring refused ({type(problem).__name__}).",
            hint=f"Unlock it, or set {_FOR_ATTIO} in the environment.",
        ) from None


def _keyring() -> _Backend | None:
    """Return the system's keyring, or None where there is none that keeps secrets secret."""
    import keyring
    from keyring.backends.chainer import ChainerBackend

    backend: _Backend | None = keyring.get_keyring()
    if isinstance(backend, ChainerBackend):
        # The chain would write to whichever member comes first: only a safe one may be that.
        backend = next((member for member in backend.backends if _keeps_secrets(member)), None)
    return _Careful(backend) if backend is not None and _keeps_secrets(backend) else None


def _keeps_secrets(backend: object) -> bool:
    import keyring.backends.fail
    import keyring.backends.null

    if isinstance(backend, (keyring.backends.fail.Keyring, keyring.backends.null.Keyring)):
        return False
    # The file backends of keyrings.alt write the token as good as in the clear.
    return not type(backend).__module__.startswith("keyrings.alt")
