"""Random structures, chunks and batch sizes: the bridge beside tf.data, and how many were equal.

An example is a structure with a few kinds of rows in it; each of several ways is one comparison.
Building a data set takes longer than reading a short one, so a pair of data sets reads several
lists of rows. `python -m contract.fuzz COUNT SEED` prints a tally, as one line of JSON.
"""

import copy
import dataclasses
import functools
import itertools
import json
import os
import sys
from collections.abc import Callable, Iterator

from contract.drawn import Drawn
from contract.seen import difference, plain
from contract.structures import Rows, signatures
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from helpers import bridge
from helpers.quiet import tf

LISTS = 3  # of rows, for one structure
WORKER_SHARE = 40  # one structure in so many is tried with workers too
ARRAY_SHARE = 3  # and one in so many as arrays


@dataclasses.dataclass
class Tally:
    """What a run of the fuzz found.

    Attributes:
      structures: Structures drawn.
      comparisons: Data sets of the bridge compared with tf.data's.
      by_way: Comparisons of each way.
      differences: What differed, in words that suffice to draw it again.
    """

    structures: int = 0
    comparisons: int = 0
    by_way: dict[str, int] = dataclasses.field(default_factory=dict)
    differences: list[str] = dataclasses.field(default_factory=list)

    def add(self, way: str, text: str | None) -> None:
        """Counts a comparison."""
        self.comparisons += 1
        self.by_way[way] = self.by_way.get(way, 0) + 1
        if text:
            self.differences.append(f"{way}: {text}")

    def include(self, other: "Tally") -> None:
        """Adds what another run found."""
        self.structures += other.structures
        self.comparisons += other.comparisons
        self.differences += other.differences
        for way, count in other.by_way.items():
            self.by_way[way] = self.by_way.get(way, 0) + count

    def text(self) -> str:
        """The counts in a line, and below it what differed."""
        ways = ", ".join(f"{count} {way}" for way, count in self.by_way.items())
        return "\n".join(
            [
                f"{self.comparisons} comparisons over {self.structures} structures ({ways}): "
                f"{len(self.differences)} differ",
                *self.differences,
            ]
        )


@dataclasses.dataclass(frozen=True)
class Draw:
    """An example: a structure, how it is batched, and rows.

    Attributes:
      signature: Structure of a row.
      batch_size: Rows in a batch.
      chunks: Chunk sizes to try.
      drop_remainder: Whether a last batch of fewer rows is left out.
      varying: See `bridge.from_generator`.
      counts: Rows of each list.
      seed: Of the rows.
    """

    signature: object
    batch_size: int
    chunks: tuple[int | None, ...]
    drop_remainder: bool
    varying: str | None
    counts: tuple[int, ...]
    seed: int

    def lists(self, tensors: bool = True) -> Iterator[Drawn]:
        """Draws the lists of rows.

        Args:
          tensors: Whether there may be tensors among the values.
        """
        shape_changes = 1 if self.varying else self.batch_size
        for number, count in enumerate(self.counts):
            rows = Rows(self.signature, count, shape_changes, self.seed + number, tensors=tensors)
            yield Drawn([copy.deepcopy(row) for row in rows()])

    @property
    def options(self) -> dict:
        """How it is batched, as arguments."""
        return {"batch_size": self.batch_size, "drop_remainder": self.drop_remainder}


draws = st.builds(
    Draw,
    signatures,
    st.integers(1, 6),
    st.lists(st.one_of(st.none(), st.integers(1, 30)), min_size=2, max_size=2).map(tuple),
    st.booleans(),
    st.sampled_from([None, None, "pad", "ragged"]),
    st.lists(st.integers(0, 23), min_size=LISTS, max_size=LISTS).map(tuple),
    st.integers(0, 2**31),
)


def fuzz(count: int, start: int = 0, progress: Callable[[Tally], None] | None = None) -> Tally:
    """Compares until so many comparisons are done.

    Args:
      count: Number of comparisons, at least.
      start: Seed; the same one draws the same examples.
      progress: Called after each structure.
    """
    tally = Tally()
    drawing = settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )

    @seed(start)
    @drawing
    @given(draws)
    def example(draw):
        if tally.comparisons < count:
            tally.structures += 1
            compare(draw, tally)
            if progress is not None:
                progress(tally)

    example()
    return tally


def compare(draw: Draw, tally: Tally) -> None:
    """Compares one example under every way that it is meant for."""
    if draw.varying and not _has_unknown(draw.signature):
        draw = dataclasses.replace(draw, varying=None)
    here: dict = {}
    stock = _stock(lambda: here["rows"](), draw)
    ours = {
        f"rows, chunk_size={chunk}": bridge.from_generator(
            lambda: here["rows"](),
            output_signature=draw.signature,
            varying=draw.varying,
            chunk_size=chunk,
            **draw.options,
        )
        for chunk in draw.chunks
    }
    for here["rows"] in draw.lists():
        expected = _record(stock)
        for way, dataset in ours.items():
            _add(tally, draw, "rows", way, _record(dataset), expected)
        source = bridge.from_source(
            here["rows"],
            output_signature=draw.signature,
            varying=draw.varying,
            chunk_size=draw.chunks[0],
            **draw.options,
        )
        _add(tally, draw, "items", "items", _record(source), expected)
    if tally.structures % ARRAY_SHARE == 0 and not draw.varying:
        _compare_arrays(draw, tally)
    if tally.structures % WORKER_SHARE == 0:
        _compare_workers(draw, tally)


def _compare_arrays(draw: Draw, tally: Tally) -> None:
    """Compares the rows of the first list, if they fit into arrays, as a source of arrays."""
    (rows, *_) = draw.lists()
    if not len(rows) or _has_unknown(draw.signature):
        return
    whole = tf.data.Dataset.from_generator(rows, output_signature=draw.signature)
    arrays = tf.nest.map_structure(lambda t: t.numpy(), next(iter(whole.batch(len(rows)))))
    expected = _record(tf.data.Dataset.from_tensor_slices(arrays).batch(**draw.options))
    _add(
        tally,
        draw,
        "arrays",
        "arrays",
        _record(bridge.from_source(arrays, **draw.options)),
        expected,
    )


def _compare_workers(draw: Draw, tally: Tally) -> None:
    """Compares the rows of the last list with one and two workers."""
    *_, rows = draw.lists(tensors=False)
    options = {"output_signature": draw.signature, "varying": draw.varying, **draw.options}
    one = bridge.from_generator(rows, num_workers=1, chunk_size=draw.chunks[0], **options)
    _add(tally, draw, "one worker", "one worker", _record(one), _record(_stock(rows, draw)))
    if _has_unknown(draw.signature) and not draw.varying:
        return  # rows of one shape stand together in the whole, and not in a shard
    two = bridge.from_generator(rows, num_workers=2, **options)
    shards = [
        _record(_stock(functools.partial(rows, shard, 2), draw))["elements"] for shard in range(2)
    ]
    in_turn = [
        batch
        for batches in itertools.zip_longest(*shards)
        for batch in batches
        if batch is not None
    ]
    expected = _record(_stock(rows, draw)) | {"elements": in_turn}
    _add(tally, draw, "two workers", "two workers", _record(two), expected)


def _stock(rows: Callable, draw: Draw) -> tf.data.Dataset:
    dataset = tf.data.Dataset.from_generator(rows, output_signature=draw.signature)
    batch = {None: dataset.batch, "pad": dataset.padded_batch, "ragged": dataset.ragged_batch}
    return batch[draw.varying](draw.batch_size, drop_remainder=draw.drop_remainder)


def _record(dataset: tf.data.Dataset) -> dict:
    """What a data set gives, or the class of the error that it ends in."""
    record = {"element_spec": dataset.element_spec, "elements": []}
    try:
        for element in dataset:
            record["elements"].append(plain(element))
    except tf.errors.OpError as error:
        record["error"] = type(error).__name__
    return record


def _add(tally, draw, way, words, found, expected) -> None:
    text = difference(found, expected)
    tally.add(way, text and f"{text} [{words}; {draw}]")


def _has_unknown(signature) -> bool:
    return any(None in spec.shape for spec in tf.nest.flatten(signature))


def main() -> None:
    """Prints the tally of as many comparisons as the command line says."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    count, start = map(int, sys.argv[1:])
    print(json.dumps(dataclasses.asdict(fuzz(count, start))), file=answers, flush=True)


if __name__ == "__main__":
    main()
