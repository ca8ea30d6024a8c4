"""Photographs that packages ship, cut into a folder of JPEG files: real pictures, no download."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

SHIPPED = {
    "sklearn": ("china.jpg", "flower.jpg"),
    "skimage": (
        "astronaut.png",
        "chelsea.png",
        "coffee.png",
        "hubble_deep_field.jpg",
        "retina.jpg",
        "rocket.jpg",
    ),
}
"""Files in the wheels of scikit-learn and scikit-image, by package."""


@functools.cache
def photographs() -> dict[str, np.ndarray]:
    """Returns the photographs by name, each (height, width, 3) uint8."""
    from importlib.resources import files

    folders = {"sklearn": ("datasets", "images"), "skimage": ("data",)}
    found = {}
    for package, names in SHIPPED.items():
        for name in names:
            with files(package).joinpath(*folders[package], name).open("rb") as file:
                found[Path(name).stem] = np.asarray(Image.open(file).convert("RGB"))
    return found


def write_crops(folder: Path, count: int, *, seed: int = 0) -> tuple[list[str], np.ndarray]:
    """Writes crops of the photographs as JPEG files, `folder/<photograph>/<number>.jpg`.

    Args:
        folder: Where; made if it is missing.
        count: How many files, the photographs in random order.
        seed: The same seed writes the same files.

    Returns:
        The paths, and for each the number of its photograph, (count,) int32.
    """
    rng = np.random.default_rng(seed)
    named = list(photographs().items())
    labels = rng.integers(len(named), size=count).astype(np.int32)
    paths = []
    for number, label in enumerate(labels):
        name, picture = named[label]
        height, width = rng.integers(160, 257, 2)  # files of a folder differ in size
        top = rng.integers(picture.shape[0] - height + 1)
        left = rng.integers(picture.shape[1] - width + 1)
        path = folder / name / f"{number:05}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture[top : top + height, left : left + width]).save(path, quality=90)
        paths.append(str(path))
    return paths, labels


class Pictures:
    """A folder's JPEG files as rows of (picture, label), by number or one after the other.

    A picture is decoded with Pillow and resized: (side, side, 3) float32 from 0 to 1. Its module
    leaves TensorFlow alone, so that a worker process starts soon.
    """

    def __init__(self, paths: list[str], labels: np.ndarray, side: int = 64):
        """Reads nothing yet."""
        self._paths, self._labels, self._side = paths, labels, side

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, number: int) -> tuple[np.ndarray, np.int32]:
        with Image.open(self._paths[number]) as file:
            picture = file.convert("RGB").resize((self._side, self._side))
        return np.asarray(picture, np.float32) / 255, self._labels[number]

    def rows(self) -> Iterator[tuple[np.ndarray, np.int32]]:
        """Yields every row once, as a generator of one's own would."""
        return (self[number] for number in range(len(self)))
