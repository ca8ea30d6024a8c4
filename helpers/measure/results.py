"""Frozen records to JSON and back, with a schema version: written whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any, TypeVar

import cattrs

SCHEMA = 2
"""Version of the files' form.

History: 1, the first. 2: trials say which process made them; it was a single one before.
"""

READS = (1, SCHEMA)

R = TypeVar("R", bound=type)
_KINDS: dict[str, type] = {}
_converter = cattrs.Converter(forbid_extra_keys=True)


def record(cls: R) -> R:
    """Registers a frozen dataclass as something that `save` writes and `load` reads."""
    _KINDS[cls.__name__] = cls
    return cls


def to_json(item: Any) -> dict[str, Any]:
    """Turns a record into plain JSON values, in an envelope with its kind and schema version."""
    kind = type(item).__name__
    if _KINDS.get(kind) is not type(item):
        raise TypeError(f"a {kind} is not a record that can be saved; choose {_kinds()}.")
    return {"schema": SCHEMA, "kind": kind, "record": _converter.unstructure(item)}


def from_json(data: Any, name: str = "this file") -> Any:
    """Turns what `to_json` made into the record again.

    Raises:
        ValueError: In one sentence, if it is no record, a newer schema, or a damaged one.
    """
    if not isinstance(data, dict) or "schema" not in data or "kind" not in data:
        raise ValueError(f"{name} is not a results file of this workbook.")
    if data["schema"] not in READS:
        raise ValueError(
            f"{name} has schema {data['schema']} and this workbook reads schema {SCHEMA}: "
            "use the workbook's version that wrote it, or measure again."
        )
    if data["kind"] not in _KINDS:
        raise ValueError(
            f"{name} holds a {data['kind']}, not what is read here: name another file."
        )
    try:
        return _converter.structure(data["record"], _KINDS[data["kind"]])
    except Exception as error:  # cattrs raises groups of many types
        raise ValueError(
            f"{name} is damaged: its {data['kind']} has missing or odd parts."
        ) from error


def save(item: Any, path: str | os.PathLike[str]) -> Path:
    """Writes a record as JSON, whole or not at all, and returns where.

    Args:
        item: A record.
        path: The file; its folder is made when it is missing.

    Raises:
        TypeError: If the item is not a record.
        ValueError: If the folder cannot be written.
    """
    return write_text(path, json.dumps(to_json(item), ensure_ascii=False, separators=(",", ":")))


def write_text(path: str | os.PathLike[str], text: str) -> Path:
    """Writes a text file by way of a neighbour that takes its place once it is complete."""
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, neighbour = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise ValueError(f"{path.parent} cannot be written: {error.strerror}.") from error
    try:
        with open(handle, "w", encoding="utf-8") as file:
            file.write(text + "\n")
        os.chmod(neighbour, 0o644)  # mkstemp's own is for secrets
        os.replace(neighbour, path)
    except OSError as error:
        raise ValueError(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        Path(neighbour).unlink(missing_ok=True)
    return path


def load(path: str | os.PathLike[str]) -> Any:
    """Reads a record that `save` wrote.

    Raises:
        ValueError: In one sentence, if the file is missing, truncated, foreign or newer.
    """
    path = Path(path)
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise ValueError(
            f"{path} is not whole JSON: it was cut short or is another format."
        ) from error
    return from_json(data, path.name)


def _kinds() -> str:
    return ", ".join(sorted(_KINDS))
