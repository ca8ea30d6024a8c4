"""Other loaders over real sources, each as its own guide says, imported only when asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from helpers.bench.arms import NotOffered, Way
from helpers.bench.peers import _Converted, _Epochs, _pad_sequence
from helpers.quiet import tf


def stacked(rows: list[Any]) -> Any:
    """The rows of a batch as arrays; dictionaries by column."""
    if isinstance(rows[0], dict):
        return {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    return np.stack(rows)


def padded(rows: list[np.ndarray]) -> np.ndarray:
    """Rows of varying length as one array, with zeros up to the longest."""
    batch = np.zeros((len(rows), max(map(len, rows))), rows[0].dtype)
    for target, row in zip(batch, rows, strict=True):
        target[: len(row)] = row
    return batch


def peer_ways(
    source: Callable[[], Sequence[Any]],
    *,
    batch_size: int,
    workers: int,
    varying: bool = False,
    plain: Callable[[Any], Any] = lambda element: element,
) -> list[Way]:
    """The peers that read any source by its items.

    Args:
        source: Opens it; what is opened is given to the loader.
        batch_size: Rows in a batch.
        workers: Worker processes; 0 for none.
        varying: Whether rows have several lengths, and are padded.
        plain: See `Way`.
    """
    options = {"batch_size": batch_size, "workers": workers, "varying": varying}
    after = f", {workers} workers" if workers else ""
    ways = [
        Way(f"torch → TF tensors{after}", _of(_torch, source, options), plain=plain),
        Way(f"Grain{after}", _of(_grain, source, options), delivers="NumPy", plain=plain),
        Way(f"HF to_tf_dataset{after}", _of(_hugging_face, source, options), plain=plain),
        Way(f"Keras PyDataset{after}", _of(_keras, source, options), plain=_unpacked(plain)),
    ]
    return [replace(way, peer=True) for way in ways]


def _of(make: Callable, source: Callable[[], Any], options: dict[str, Any]) -> Callable:
    return lambda workload, files: make(source(), **options)


def _unpacked(plain: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda element: plain(element[0] if isinstance(element, tuple) else element)


def _torch(source: Sequence[Any], *, batch_size: int, workers: int, varying: bool) -> Iterable[Any]:
    from torch.utils.data import DataLoader

    return _Converted(
        DataLoader(
            source,
            batch_size=batch_size,
            num_workers=workers,
            persistent_workers=workers > 0,
            collate_fn=_pad_sequence if varying else None,
        )
    )


def _grain(source: Sequence[Any], *, batch_size: int, workers: int, varying: bool) -> Iterable[Any]:
    import grain

    batches = grain.MapDataset.source(source).batch(
        batch_size, batch_fn=padded if varying else stacked
    )
    # `ReadOptions` reads 500 elements ahead by default: an epoch, before its first batch comes.
    loader = batches.to_iter_dataset(grain.ReadOptions(num_threads=0, prefetch_buffer_size=0))
    if not workers:
        return loader
    return loader.mp_prefetch(grain.multiprocessing.MultiprocessingOptions(workers))


def _hugging_face(
    source: Sequence[Any], *, batch_size: int, workers: int, varying: bool
) -> tf.data.Dataset:
    import datasets

    datasets.disable_progress_bars()
    first = source[0]
    names = list(first) if isinstance(first, dict) else "row"
    rows = datasets.Dataset.from_dict({"index": np.arange(len(source))})
    batches = rows.with_transform(partial(_items, source)).to_tf_dataset(
        batch_size=batch_size,
        columns=names,
        shuffle=False,
        num_workers=workers,
        collate_fn=_padded_column if varying else None,
    )
    if isinstance(first, dict):
        return batches
    kind = first.dtype  # it makes int64 of all whole numbers
    return batches.map(lambda rows: tf.cast(rows, kind), tf.data.AUTOTUNE)


def _items(source: Sequence[Any], batch: dict[str, Any]) -> dict[str, Any]:
    rows = [source[int(index)] for index in batch["index"]]
    if isinstance(rows[0], dict):
        return {name: [row[name] for row in rows] for name in rows[0]}
    return {"row": rows}


def _padded_column(rows: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {"row": padded([np.asarray(row["row"]) for row in rows])}


def _keras(source: Sequence[Any], *, batch_size: int, workers: int, varying: bool) -> Iterable[Any]:
    if varying:
        raise NotOffered("Keras holds every batch to the width of its first ones")
    import keras
    from keras.src.trainers.data_adapters.py_dataset_adapter import PyDatasetAdapter

    class Batches(keras.utils.PyDataset):
        def __len__(self) -> int:
            return -(-len(source) // batch_size)

        def __getitem__(self, index: int) -> Any:
            places = range(index * batch_size, min((index + 1) * batch_size, len(source)))
            batch = (padded if varying else stacked)([source[place] for place in places])
            return batch if isinstance(batch, dict) else (batch,)

    return _Epochs(
        PyDatasetAdapter(Batches(workers=max(1, workers), use_multiprocessing=workers > 0))
    )
