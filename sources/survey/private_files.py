"""Files that only their owner may open, written in one step and encrypted where there is a key.

Encrypted is AES-256-GCM with a random nonce for every file; the name is sealed in, so that a file which was changed or
moved does not open. Windows has no rights for group and others: there the folder must lie where only its owner comes.

No message of this module holds anything of a file's content.
"""

# ruff: noqa: N818 - an error is named after the fault, as in sources.errors

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Collection
from pathlib import Path
from uuid import uuid4

from filelock import FileLock

from sources.errors import InputError

KEY = "BTG_SURVEY_KEY"

_LOCK = ".lock"
_FOLDER = re.compile(r"[a-z][a-z0-9_]*")
_ENCRYPTED = b"BTG-AES-256-GCM\n"
_KEY_BYTES, _NONCE_BYTES = 32, 12
_POSIX = os.name == "posix"
# Binary on Windows; never through a link that somebody laid.
_FLAGS = getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)


class NotPrivate(InputError):
    """A private file or folder that others than its owner may open."""


class KeyFault(InputError):
    """A key that is missing, malformed, or not the one a file was encrypted with."""


class DamagedStore(InputError):
    """A private file that is not what was written."""


def new_key() -> str:
    """A random key for BTG_SURVEY_KEY: 32 bytes in base64."""
    return base64.b64encode(os.urandom(_KEY_BYTES)).decode()


class PrivateFiles:
    """Files under one folder that only their owner may open. Names are relative to it: `log.jsonl`, `wave/rows`."""

    def __init__(self, root: Path, key: str | None) -> None:
        self._root = root
        self._key = _key_bytes(key) if key else None
        self._lock = FileLock(root / _LOCK, mode=0o600)

    @property
    def encrypts(self) -> bool:
        """Whether what is written is encrypted."""
        return self._key is not None

    def lock(self) -> FileLock:
        """To be held by whoever changes something; the same holder may take it twice."""
        self._make(self._root)
        return self._lock

    def holds(self, name: str) -> bool:
        """Whether there is such a file; needs no key."""
        return self._path(name).exists()

    def read(self, name: str) -> bytes | None:
        """The content of a file, decrypted; None where there is none."""
        path = self._path(name)
        self._check_folders(path.parent)
        try:
            with os.fdopen(os.open(path, os.O_RDONLY | _FLAGS), "rb") as file:
                _refuse_open_to_others(path, os.fstat(file.fileno()))
                body = file.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise DamagedStore(path, "a file that its owner can read", remedy=f"{error.strerror}.") from None
        return self._decrypted(name, body) if body.startswith(_ENCRYPTED) else body

    def write(self, name: str, body: bytes, *, plain: bool = False) -> None:
        """Write a file in one step, encrypted where there is a key unless `plain`."""
        path = self._path(name)
        self._make(path.parent)
        new = path.with_name(f".{path.name}.{uuid4().hex}.new")
        try:
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS, 0o600), "wb") as file:
                file.write(body if plain else self._encrypted(name, body))
                file.flush()
                os.fsync(file.fileno())
            new.replace(path)
        except BaseException:
            new.unlink(missing_ok=True)
            raise
        _sync(path.parent)

    def seal(self, name: str) -> bool:
        """Encrypt a file that was written before there was a key; whether it was."""
        path = self._path(name)
        if self._key is None or not path.exists() or path.read_bytes().startswith(_ENCRYPTED):
            return False
        self.write(name, self.read(name) or b"")
        return True

    def append(self, name: str, line: str) -> None:
        """Add a line to a file that is never encrypted."""
        path = self._path(name)
        self._make(path.parent)
        # Behind half a line of a process that was stopped.
        begin = "" if (self.read(name) or b"\n").endswith(b"\n") else "\n"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | _FLAGS, 0o600), "ab") as file:
            file.write(f"{begin}{line}\n".encode())
            file.flush()
            os.fsync(file.fileno())

    def folders(self) -> list[str]:
        """The names of the folders."""
        self._check_folders(self._root)
        return sorted(path.name for path in self._root.glob("*") if path.is_dir() and _FOLDER.fullmatch(path.name))

    def others(self, folder: str, expected: Collection[str]) -> list[Path]:
        """The files of a folder that have none of these names: what a stopped process left."""
        path = self._path(folder)
        self._check_folders(path)
        return [found for found in path.glob("*") if found.name not in expected]

    def remove(self, paths: list[Path]) -> None:
        """Remove files."""
        for path in paths:
            path.unlink(missing_ok=True)
        for folder in {path.parent for path in paths}:
            _sync(folder)

    def damaged(self, name: str) -> DamagedStore:
        """That a file is not what was written."""
        remedy = "It was damaged or changed by hand: put it back from a backup, or add the wave again."
        return DamagedStore(self._path(name), "the bytes that were written", remedy=remedy)

    def _path(self, name: str) -> Path:
        *folders, file = name.split("/")
        if not all(_FOLDER.fullmatch(folder) for folder in folders) or file == "..":
            raise ValueError("a name of a private folder has lower-case letters, digits and underscores")
        return self._root / name

    def _folders_to(self, folder: Path) -> list[Path]:
        """The private folders down to this one, outermost first."""
        return [path for path in (self._root.parent, self._root, folder) if path.is_relative_to(self._root.parent)]

    def _check_folders(self, folder: Path) -> None:
        for path in self._folders_to(folder):
            if path.exists():
                _refuse_open_to_others(path, path.stat())

    def _make(self, folder: Path) -> None:
        self._root.parent.parent.mkdir(parents=True, exist_ok=True)
        for path in self._folders_to(folder):
            path.mkdir(mode=0o700, exist_ok=True)
            _refuse_open_to_others(path, path.stat())

    def _encrypted(self, name: str, body: bytes) -> bytes:
        if self._key is None:
            return body
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = os.urandom(_NONCE_BYTES)
        return _ENCRYPTED + nonce + AESGCM(self._key).encrypt(nonce, body, name.encode())

    def _decrypted(self, name: str, body: bytes) -> bytes:
        path = self._path(name)
        if self._key is None:
            remedy = f"Set {KEY} to the key with which it was kept."
            raise KeyFault(path, "a key, because this file is encrypted", remedy=remedy)
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce, sealed = body[len(_ENCRYPTED) :][:_NONCE_BYTES], body[len(_ENCRYPTED) + _NONCE_BYTES :]
        try:
            return AESGCM(self._key).decrypt(nonce, sealed, name.encode())
        except (InvalidTag, ValueError):
            remedy = f"{KEY} holds another key, or the file was changed or moved since."
            raise KeyFault(path, "the key with which this file was encrypted", remedy=remedy) from None


def _key_bytes(key: str) -> bytes:
    try:
        found = base64.b64decode(key.strip().replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if len(found) != _KEY_BYTES:
        # From None: the key itself must not stand in a traceback.
        raise KeyFault(KEY, f"{_KEY_BYTES} bytes in base64", remedy="Make one: btg key.") from None
    return found


def _refuse_open_to_others(path: Path, found: os.stat_result) -> None:
    """Raises NotPrivate where group or others have any right. Windows has no such rights."""
    if _POSIX and found.st_mode & 0o077:
        remedy = f"Nothing was read or written. Take their rights away: chmod -R go-rwx '{path}'"
        raise NotPrivate(path, "a file or folder that only its owner may open", remedy=remedy)


def _sync(folder: Path) -> None:
    """Make sure that a renamed or removed file stays so when the power fails."""
    if _POSIX:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
