"""Other loaders over the same rows, each as its own guide says, imported only when asked for."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from helpers.bench.arms import NotOffered, Way
from helpers.bench.workloads import Stored, Workload, columns, stack
from helpers.quiet import tf

PACKAGES = ("torch", "grain", "datasets")
"""What `make peers` installs; Keras comes with TensorFlow."""


def require() -> dict[str, str]:
    """Returns the versions of the peers.

    Raises:
        ValueError: In one sentence, if one is not installed.
    """
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise ValueError(
            f"--peers compares with packages that are not installed here ({', '.join(missing)}): "
            "run `make peers` once, which adds them to .venv."
        )
    return {name: importlib.metadata.version(name) for name in (*PACKAGES, "keras")}


def peer_ways(workload: Workload) -> list[Way]:
    """The peers for a workload, without workers and with two of them."""
    if workload.kind == "ragged":
        raise NotOffered("no peer makes RaggedTensors; see the padded rows")
    ways = []
    for workers in (2,) if workload.kind == "work" else (0, 2):
        after = f", {workers} workers" if workers else ""
        size = "some" if workers else "many"
        torch = partial(_torch, workers=workers)
        grain = partial(_grain, workers=workers)
        datasets = partial(_hugging_face, workers=workers)
        keras = partial(_keras, workers=workers)
        ways += [
            Way(f"torch DataLoader{after}", torch, size, "torch", _bytes),
            Way(f"torch → TF tensors{after}", partial(torch, convert=True), size),
            Way(f"Grain{after}", grain, size if workers else "few", "NumPy", _bytes),
            Way(f"HF to_tf_dataset{after}", datasets, size),
            Way(f"Keras PyDataset{after}", keras, size, plain=_only),
        ]
    return [replace(way, peer=True) for way in ways]


def _bytes(element: Any) -> Any:
    """Texts as TensorFlow has them, everything else as it is."""
    if isinstance(element, np.ndarray) and element.dtype.kind in "UO":
        element = element.tolist()
    if isinstance(element, list) and element and isinstance(element[0], str):
        return np.array([text.encode() for text in element], object)
    return element


def _only(element: tuple[Any]) -> Any:
    return element[0] if isinstance(element, tuple) else element


# ------------------------------------------------------------------------------------- torch


def _torch(
    workload: Workload, source: Stored, *, workers: int, convert: bool = False
) -> Iterable[Any]:
    """A DataLoader, whose workers stay from epoch to epoch; padding as its guide does it."""
    from torch.utils.data import DataLoader

    collate = {"padded": _pad_sequence, "dict": _float32_features}
    loader = DataLoader(
        source,
        batch_size=workload.batch_size,
        num_workers=workers,
        persistent_workers=workers > 0,
        collate_fn=collate.get(workload.kind),
    )
    return _Converted(loader) if convert else loader


def _pad_sequence(rows: list[np.ndarray]) -> Any:
    import torch

    return torch.nn.utils.rnn.pad_sequence(list(map(torch.from_numpy, rows)), batch_first=True)


def _float32_features(rows: list[dict[str, float]]) -> dict[str, Any]:
    """By default, Python numbers become float64."""
    import torch

    return {
        name: torch.tensor([row[name] for row in rows], dtype=torch.float32) for name in rows[0]
    }


class _Converted:
    """Each batch of a torch DataLoader as tensors of TensorFlow, the shortest way there is."""

    def __init__(self, loader: Iterable[Any]) -> None:
        self._loader = loader

    def __iter__(self) -> Iterator[Any]:
        for batch in self._loader:
            if isinstance(batch, dict):
                yield {name: tf.convert_to_tensor(value.numpy()) for name, value in batch.items()}
            else:
                yield tf.convert_to_tensor(batch if isinstance(batch, list) else batch.numpy())


# ------------------------------------------------------------------------------------- Grain


def _grain(workload: Workload, source: Stored, *, workers: int) -> Iterable[Any]:
    """A MapDataset. No threads, as its guide says for rows in memory; threads were slower."""
    import grain

    batches = grain.MapDataset.source(source).batch(
        workload.batch_size, batch_fn=partial(stack, workload.kind)
    )
    loader = batches.to_iter_dataset(grain.ReadOptions(num_threads=0, prefetch_buffer_size=0))
    if workers:
        loader = loader.mp_prefetch(grain.multiprocessing.MultiprocessingOptions(workers))
    return loader


# ------------------------------------------------------------------------------ Hugging Face


def _hugging_face(workload: Workload, source: Stored, *, workers: int) -> tf.data.Dataset:
    """A Dataset with the rows in Arrow; Python work goes into its transform."""
    import datasets

    datasets.disable_progress_bars()
    if workload.kind == "work":
        rows = datasets.Dataset.from_dict({"index": np.arange(len(source))})
        rows = rows.with_transform(partial(_work, source))
        names = "row"
    else:
        rows = _arrow(workload, source)
        names = rows.column_names if workload.kind == "dict" else "row"
    return rows.to_tf_dataset(
        batch_size=workload.batch_size,
        columns=names,
        shuffle=False,
        num_workers=workers,
        collate_fn=_pad_rows if workload.kind == "padded" else None,
    )


def _arrow(workload: Workload, source: Stored) -> Any:
    from datasets import Array2D, Array3D, Dataset, Features, List, Value

    value = Value("float32")
    if workload.kind == "dict":
        data = columns(workload.kind, source.rows)
        features = Features(dict.fromkeys(data, value))
    elif workload.kind == "text":
        data, features = {"row": source.rows}, Features(row=Value("string"))
    elif workload.kind == "padded":
        data, features = {"row": source.rows}, Features(row=List(value))
    else:
        shape = source.rows.shape[1:]
        kinds = {0: lambda: value, 2: lambda: Array2D(shape, "float32")}
        kinds[3] = lambda: Array3D(shape, "float32")
        data, features = {"row": source.rows}, Features(row=kinds[len(shape)]())
    stored = Dataset.from_dict(data, features=features)
    if source.passes == 1:
        return stored
    return stored.select(np.arange(len(source)) % len(source.rows))


def _work(source: Stored, batch: dict[str, Any]) -> dict[str, Any]:
    return {"row": [source[int(index)] for index in batch["index"]]}


def _pad_rows(rows: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {"row": stack("padded", [row["row"] for row in rows])}


# ------------------------------------------------------------------------------------- Keras


def _keras(workload: Workload, source: Stored, *, workers: int) -> Iterable[Any]:
    """A PyDataset, iterated as `Model.fit` iterates it, whose adapter is not public."""
    from keras.src.trainers.data_adapters.py_dataset_adapter import PyDatasetAdapter

    return _Epochs(PyDatasetAdapter(_py_dataset(workload, source, workers)))


def _py_dataset(workload: Workload, source: Stored, workers: int) -> Any:
    import keras

    class Batches(keras.utils.PyDataset):
        def __len__(self) -> int:
            return len(source) // workload.batch_size

        def __getitem__(self, index: int) -> Any:
            start = index * workload.batch_size
            rows = [source[start + place] for place in range(workload.batch_size)]
            batch = stack(workload.kind, rows)
            if workload.kind == "text":  # arrays of Python objects are not taken
                batch = tf.constant(batch)
            return batch if workload.kind == "dict" else (batch,)

    return Batches(workers=max(1, workers), use_multiprocessing=workers > 0)


class _Epochs:
    """What `Model.fit` does around each epoch."""

    def __init__(self, adapter: Any) -> None:
        self._adapter = adapter
        self._batches = adapter.get_tf_dataset()

    def __iter__(self) -> Iterator[Any]:
        self._adapter.on_epoch_begin()
        try:
            yield from self._batches
        finally:
            self._adapter.on_epoch_end()
