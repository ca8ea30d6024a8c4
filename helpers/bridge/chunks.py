"""Batching before the crossing: rows of a generator become chunks of whole batches.

Plain Python and NumPy: it runs in this process and in worker processes.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from helpers.bridge.buffers import Pool
from helpers.bridge.columns import NewShapeError
from helpers.bridge.errors import (
    RAISED,
    GeneratorError,
    MismatchError,
    as_kind,
    beside,
    is_ours,
    kind_of,
    told,
)
from helpers.bridge.gathering import open_gatherer
from helpers.bridge.spent import Watch
from helpers.bridge.structure import Layout, Leaves

# A crossing costs 0.1 to 0.5 ms whatever it carries. While a chunk fills in less than FILL_SECONDS
# it grows, up to CHUNK_BYTES; the crossing is a small share of it then.
FILL_SECONDS = 0.004
CHUNK_BYTES = 16 << 20


class Workspace:
    """What a data set keeps from epoch to epoch, in this process or in one worker.

    Args:
      pools: Buffers for each component. New memory costs more than copying into it, because the
        system clears each page on its first use.
      most_batches: Most batches in a chunk, whatever they hold; None for no such bound.

    Attributes:
      batches: Batches in a chunk, as far as they fit `FILL_SECONDS` and `CHUNK_BYTES`.
      stride: Rows to read between two looks at the clock.
    """

    def __init__(self, pools: Sequence[Pool], most_batches: int | None = None):
        self.pools = pools
        self.most_batches = most_batches
        self.batches = 1
        self.stride = 1

    @classmethod
    def of(cls, layout: Layout) -> Workspace:
        """Gives each component of a layout a pool."""
        return cls([Pool() for _ in layout.components])

    def resize(self, seconds: float, parts: list, rows: int, batch_size: int) -> None:
        """Learns from a chunk how many batches the next one should hold.

        Args:
          seconds: How long it took to fill.
          parts: Its components, each an array or a tuple of arrays.
          rows: Its rows.
          batch_size: Rows in a batch.
        """
        batches = math.ceil(rows / batch_size)
        chunk_bytes = sum(
            array.nbytes
            for part in parts
            for array in (part if isinstance(part, tuple) else (part,))
        )
        if seconds > 2 * FILL_SECONDS:
            self.batches = max(1, batches // 2)
        elif seconds < FILL_SECONDS:
            fitting = batches * CHUNK_BYTES // max(1, chunk_bytes)
            self.batches = max(min(2 * batches, fitting), self.batches)
            if self.most_batches is not None:
                self.batches = min(self.batches, self.most_batches)


@dataclass(frozen=True)
class Plan:
    """How the rows of a data set become chunks.

    Attributes:
      layout: Structure of a row.
      batch_size: Rows in a batch.
      drop_remainder: Leaves out a last batch of fewer rows.
      varying: "pad" or "ragged" for components with unknown dimensions; None to expect one shape
        throughout a batch.
      padding: What to pad each component with.
      chunk_batches: Batches in a chunk; None for as many as a workspace says.
      count: Rows that there have to be in an epoch; None for any number.
    """

    layout: Layout
    batch_size: int
    drop_remainder: bool
    varying: str | None
    padding: Leaves
    chunk_batches: int | None
    count: int | None = None


def _numbered(index: int) -> str:
    return f"example {index}"


class Chunks:
    """Iterator over chunks, each a list with the parts of the components, in whole batches.

    A part is an array of rows, or what a `VaryingColumn` closes with. Only the last chunk may end
    in a part of a batch. An error, of the generator or because a row does not match, comes at the
    batch in which it happens, as with `from_generator(...).batch(...)` of tf.data: full batches
    before it arrive, the rows of its own batch do not, and reading may go on after it if the
    generator can.

    Args:
      open_rows: Gives the rows; called once, with the first chunk.
      plan: How they become chunks.
      workspace: Where they gather.
      number: How messages call a row, by its number.
      first: Number of the first row.
      look: Called now and then between two rows; what it raises ends the reading.
      watch: Watches the epochs of a generator.
    """

    def __init__(
        self,
        open_rows: Callable[[], Iterable],
        plan: Plan,
        workspace: Workspace,
        *,
        number: Callable[[int], str] = _numbered,
        first: int = 0,
        look: Callable[[], None] | None = None,
        watch: Watch | None = None,
    ):
        self._open_rows = open_rows
        self._plan = plan
        self._workspace = workspace
        self._number = number
        self._look = look
        self._watch = watch
        self._gatherer = open_gatherer(
            plan.layout, workspace.pools, plan.batch_size, plan.varying, plan.padding
        )
        self._rows: Iterator | None = None
        self._held: tuple = ()  # a row that was read and begins the next chunk
        self._error: Exception | None = None
        self._seen = self._given = first  # rows read, and those of them that chunks have held
        self.length = 0  # rows of the last chunk

    @property
    def resumes_at(self) -> int:
        """Number of the row with which another `Chunks` would go on where this one is."""
        return self._seen if self._error is None else self._given

    @property
    def is_failing(self) -> bool:
        """Whether an error comes next."""
        return self._error is not None

    @property
    def rows(self) -> Iterator | None:
        """The iterator over the rows, once it is open."""
        return self._rows

    def __iter__(self) -> Iterator:
        """Returns itself."""
        return self

    def __next__(self) -> list:
        """Fills the next chunk."""
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        start = time.perf_counter()
        rows, error = self._fill()
        if error is not None or self._plan.drop_remainder:
            rows -= rows % self._plan.batch_size
        if rows == 0 and error is None:
            if self._watch is not None:
                self._watch.ended(self._seen > 0)
            raise StopIteration
        if rows == 0:
            raise error
        self._error = error
        self._given += rows
        self.length = rows
        parts = self._gatherer.close(rows)
        if not isinstance(parts, list):
            parts = [parts]
        if self._plan.chunk_batches is None:
            seconds = time.perf_counter() - start
            self._workspace.resize(seconds, parts, rows, self._plan.batch_size)
        return parts

    def _fill(self) -> tuple[int, Exception | None]:
        """Reads rows; how many are good, and what is wrong after them."""
        batch_size, gatherer = self._plan.batch_size, self._gatherer
        wanted = (self._plan.chunk_batches or self._workspace.batches) * batch_size
        self._given = self._seen
        gatherer.filled = 0
        error: Exception | None = None
        ended = False
        try:
            if self._rows is None:
                rows = iter(self._open_rows())
                if self._watch is not None:
                    self._watch.opened(rows)
                self._rows = rows
            gatherer.open(wanted)
            source, self._held = itertools.chain(self._held, self._rows), ()
            ended = self._gather(source, wanted)
        except RAISED as raised:
            error = raised
        rows = gatherer.filled
        if isinstance(error, NewShapeError):
            if rows % batch_size == 0:  # a new batch may have a new shape
                self._held, error = (error.row,), None
            else:
                error = self._skip_batch(source, rows, error)
        elif error is not None:
            error = self._located(error, self._seen + rows)
        if rows:
            rows, mismatch = gatherer.convert(rows)
            if mismatch is not None:
                error = self._located(mismatch, self._seen + rows, exact=False)
        if self._plan.count is not None and error is None:
            rows, error = self._counted(rows, ended)
        self._seen += rows + (error is not None)
        return rows, error

    def _gather(self, source: Iterator, wanted: int) -> bool:
        """Reads up to so many rows; fewer at the end, and when a chunk of any size is slow.

        Returns:
            Whether it came to the end.
        """
        gatherer, workspace, batch_size = self._gatherer, self._workspace, self._plan.batch_size
        begin = last = time.perf_counter()
        while gatherer.filled < wanted:
            # A stride ends with a batch: the chunk may end there.
            left = min(wanted - gatherer.filled, batch_size - gatherer.filled % batch_size)
            stop = gatherer.filled + min(workspace.stride, left)
            gatherer.fill(itertools.islice(source, stop - gatherer.filled))
            if gatherer.filled < stop:
                return True
            now = time.perf_counter()
            if now - last > FILL_SECONDS:
                workspace.stride = max(1, workspace.stride // 2)
            elif stop % batch_size:
                workspace.stride *= 2
            last = now
            if self._look is not None:
                self._look()
            late = self._plan.chunk_batches is None and now - begin > FILL_SECONDS
            if late and stop % batch_size == 0:
                return False
        return False

    def _skip_batch(self, source: Iterator, rows: int, shape: NewShapeError) -> Exception:
        """Reads to the end of a batch that cannot be built, as tf.data does."""
        error: Exception = self._located(MismatchError(str(shape)), self._seen + rows)
        try:
            left = self._plan.batch_size - rows % self._plan.batch_size - 1
            for row in itertools.islice(source, left):
                self._seen += 1
                self._gatherer.check(row)
        except RAISED as raised:
            error = self._located(raised, self._seen + rows)
        return error

    def _counted(self, rows: int, ended: bool) -> tuple[int, Exception | None]:
        """Holds the rows to the number that was promised."""
        found, count = self._seen + rows, self._plan.count
        if found < count and not ended:
            return rows, None
        if found == count:
            try:
                next(self._rows)  # the generator runs to its end, too
            except StopIteration:
                return rows, None
            except RAISED as error:
                return rows, self._located(error, found)
        what = f"only {found}" if found < count else "more"
        # Nobody asks for more than the batches of `count` rows: an error has to come before the
        # last of them.
        good = rows if found < count else max(0, count - self._seen - 1)
        return good, MismatchError(
            f"the generator gave {what} rows where cardinality promised {count}; give the right "
            "number, or leave cardinality out"
        )

    def _located(self, error: BaseException, index: int, exact: bool = True) -> Exception:
        """Says of an error at which row it happened, and where that is in the user's code."""
        if isinstance(error, MismatchError):
            text = f"{self._number(index)}, {error}"
            return MismatchError(beside(text, self._yielded(exact)))
        kind = as_kind(GeneratorError, kind_of(error))
        return kind(f"{self._number(index)}: {told(error)}")

    def _yielded(self, exact: bool) -> str:
        code = getattr(self._rows, "gi_code", None)
        if code is None or is_ours(code.co_filename):
            return ""
        frame = self._rows.gi_frame
        if exact and frame is not None:
            return f", yielded at {code.co_filename}:{frame.f_lineno} in {code.co_name}"
        return f", yielded by {code.co_name} at {code.co_filename}:{code.co_firstlineno}"
