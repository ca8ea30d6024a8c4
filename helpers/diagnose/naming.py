"""What a name on the command line stands for: "module:callable" or "file.py:callable"."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np

from helpers.quiet import tf


def named(name: str) -> Any:
    """Imports what a name stands for; the user's module runs.

    Args:
        name: "module:callable" or "path/file.py:callable"; dots after the colon reach deeper.

    Raises:
        ValueError: In one sentence, if there is no such file, module or attribute.
    """
    place, colon, attribute = name.rpartition(":")
    if not colon or not place or not attribute:
        raise ValueError(f"{name!r} is no module:callable or file.py:callable.")
    module = _file(Path(place)) if place.endswith(".py") else _module(place)
    for part in attribute.split("."):
        if not hasattr(module, part):
            raise ValueError(f"{place} has no {attribute!r}.")
        module = getattr(module, part)
    return module


def signature_of(text: str) -> Any:
    """Reads a signature: specs as Python, with `tf` and `np`, or the name of a variable.

    Args:
        text: Such as "tf.TensorSpec((3,), tf.float32)" or "module:SIGNATURE".

    Raises:
        ValueError: In one sentence, if it is neither.
    """
    if "(" not in text and ":" in text:
        return named(text)
    try:
        return eval(text, {"tf": tf, "np": np})  # the user's own command line
    except Exception as error:
        raise ValueError(f"the signature {text!r} cannot be read: {error}.") from None


def _file(path: Path) -> Any:
    if not path.is_file():
        raise ValueError(f"there is no file {path}.")
    sys.path.insert(0, str(path.resolve().parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # so that what it defines can be found again
    spec.loader.exec_module(module)
    return module


def _module(name: str) -> Any:
    sys.path.insert(0, str(Path.cwd()))
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and name.startswith(error.name):
            raise ValueError(f"there is no module {name!r}; is it in this folder?") from None
        raise
