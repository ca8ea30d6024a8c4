"""Texts of varying length: lines of a file, and batches of rows of about one length."""

from __future__ import annotations

import bisect
import os
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from helpers.sources.skipped import Skipped


def lines(path: str | os.PathLike, skipped: Skipped | None = None) -> Iterator[str]:
    """Reads the lines of a text in UTF-8, without their ends.

    Args:
        path: The file.
        skipped: Takes note of lines that are not UTF-8, which are left out then; by default they
            are an error.

    Raises:
        ValueError: In one sentence, with the line's number and the byte.
    """
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            try:
                text = line.decode()
            except UnicodeDecodeError as error:
                told = ValueError(
                    f"{path}, line {number}: byte {error.start} is 0x{line[error.start]:02x}, "
                    "which is not UTF-8"
                )
                if skipped is None:
                    raise told from None
                skipped.note(f"{path}, line {number}", told)
                continue
            yield text.rstrip("\r\n")


def by_length(
    rows: Iterable[np.ndarray], bounds: Sequence[int], batch_size: int, padding: int = 0
) -> Iterator[np.ndarray]:
    """Makes padded batches of rows of about one length, each as soon as it is full.

    What `tf.data.Dataset.bucket_by_sequence_length` does, before the crossing.

    Args:
        rows: Arrays of rank 1.
        bounds: Lengths at which another bucket begins, ascending.
        batch_size: Rows in a batch; those left over at the end make smaller ones.
        padding: What fills a row up to the longest of its batch.

    Yields:
        (rows, longest) arrays of the rows' type.
    """
    buckets: list[list[np.ndarray]] = [[] for _ in range(len(bounds) + 1)]
    for row in rows:
        bucket = buckets[bisect.bisect(bounds, len(row))]
        bucket.append(row)
        if len(bucket) == batch_size:
            yield _padded(bucket, padding)
            bucket.clear()
    for bucket in filter(None, buckets):
        yield _padded(bucket, padding)


def _padded(rows: list[np.ndarray], padding: int) -> np.ndarray:
    lengths = np.fromiter(map(len, rows), np.int64, len(rows))
    batch = np.full((len(rows), lengths.max()), padding, rows[0].dtype)
    batch[np.arange(batch.shape[1]) < lengths[:, None]] = np.concatenate(rows)
    return batch
