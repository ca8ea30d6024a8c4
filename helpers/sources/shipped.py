"""Real data that packages ship, written as the files that pipelines read."""

from __future__ import annotations

import importlib.util
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np

TABLE = "visits"
CHUNK_ROWS = 1000
"""Rows in a chunk of the HDF5 file, and in a row group of the Parquet file."""


def health() -> Any:
    """Returns the RAND health insurance experiment (statsmodels): a DataFrame, 20 190 rows of 10.

    Counts are integers, the rest float64.
    """
    from statsmodels.datasets import randhie

    table = randhie.load_pandas().data
    whole = {name: np.int64 for name in table if (table[name] == table[name].round()).all()}
    return table.astype(whole)


def write_tables(folder: Path, table: Any = None) -> dict[str, Path]:
    """Writes a table in four formats.

    Args:
        folder: Where.
        table: A DataFrame; `health()` unless given.

    Returns:
        The paths by "sqlite", "parquet", "csv" and "hdf5".
    """
    import h5py
    import pyarrow
    import pyarrow.parquet

    table = health() if table is None else table
    paths = {
        kind: folder / f"visits.{ending}"
        for kind, ending in {
            "sqlite": "db",
            "parquet": "parquet",
            "csv": "csv",
            "hdf5": "h5",
        }.items()
    }
    connection = sqlite3.connect(paths["sqlite"])
    try:
        table.to_sql(TABLE, connection, index=False)
        connection.commit()
    finally:
        connection.close()
    arrow = pyarrow.Table.from_pandas(table, preserve_index=False)
    pyarrow.parquet.write_table(arrow, paths["parquet"], row_group_size=CHUNK_ROWS)
    table.to_csv(paths["csv"], index=False)
    with h5py.File(paths["hdf5"], "w") as file:
        for name in table:
            file.create_dataset(
                name, data=table[name].to_numpy(), chunks=(CHUNK_ROWS,), compression="gzip"
            )
    return paths


def write_images(path: Path, count: int, size: int = 64, *, chunk_rows: int = 64) -> None:
    """Writes crops of photographs as "images" into an HDF5 file, compressed in chunks.

    Args:
        path: The file.
        count: How many.
        size: Their height and width; they are (count, size, size, 3) uint8.
        chunk_rows: How many are compressed together.
    """
    import h5py

    from helpers.sources.photographs import photographs

    rng = np.random.default_rng(0)
    pictures = list(photographs().values())
    with h5py.File(path, "w") as file:
        images = file.create_dataset(
            "images",
            (count, size, size, 3),
            np.uint8,
            chunks=(chunk_rows, size, size, 3),
            compression="gzip",
        )
        for start in range(0, count, chunk_rows):
            stop = min(start + chunk_rows, count)
            images[start:stop] = [_crop(rng, pictures, size) for _ in range(start, stop)]


def _crop(rng: np.random.Generator, pictures: list[np.ndarray], size: int) -> np.ndarray:
    picture = pictures[rng.integers(len(pictures))]
    top, left = (rng.integers(length - size + 1) for length in picture.shape[:2])
    return picture[top : top + size, left : left + size]


def write_text(path: Path) -> int:
    """Writes the help texts of the Python language, which it ships; returns the number of lines."""
    from pydoc_data.topics import topics

    lines = [line for text in topics.values() for line in text.splitlines() if line.strip()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(lines)


def recording() -> Path:
    """Returns the path of a recording of music: 20 s, one channel of 16 bits (music21)."""
    spec = importlib.util.find_spec("music21")  # importing it would take seconds
    return Path(spec.submodule_search_locations[0]) / "audioSearch" / "test_audio.wav"
