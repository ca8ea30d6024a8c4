"""A pipeline at work: its data set, its consumer's step, its drain within TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from helpers.measure import Span
from helpers.quiet import tf

from . import listing
from .options import Toggles
from .program import Program


class Running:
    """A pipeline that is built again and again: its program is made once, when first needed.

    Sent to another process, it takes its options along and makes its program there.
    """

    def __init__(self, options: Toggles) -> None:
        """Keeps the options; nothing runs yet."""
        self.options = options
        self._program: Program | None = None

    def __getstate__(self) -> Toggles:
        """Leaves the program behind: it holds rows and traced functions."""
        return self.options

    def __setstate__(self, options: Toggles) -> None:
        """Starts without a program."""
        self.__init__(options)

    @property
    def namespace(self) -> dict[str, Any]:
        """The globals of the program: the generator, the consumer's step, the drain."""
        return self._made().namespace

    def _made(self) -> Program:
        if self._program is None:
            self._program = Program(listing.blocks(self.options))
        return self._program

    def dataset(self) -> tf.data.Dataset:
        """Builds the data set anew."""
        return self._made().build()

    def build(self) -> Iterable[Any]:
        """Builds what a trial iterates over."""
        dataset = self.dataset()
        if self.options.drain == "python":
            return dataset
        drain = self.namespace["drain"]
        # Traces on the first call; afterwards the function knows the signature.
        drain.get_concrete_function(tf.data.IteratorSpec(dataset.element_spec))
        return GraphDrain(dataset, drain, self.options)

    def consume(self, element: Any) -> None:
        """Takes the consumer's step."""
        self.namespace["step"](element)


def ready(on_progress: Callable[..., None]) -> None:
    """Does nothing: a process that could call it has imported all that a pipeline needs.

    Args:
        on_progress: Not called.
    """


class GraphDrain:
    """A data set that a loop within TensorFlow drains, after its first element.

    It yields two `Span`: one for the first element, one for all the rest together, because nobody
    in Python sees them one by one.
    """

    def __init__(
        self, dataset: tf.data.Dataset, drain: Callable[[Any], tf.Tensor], options: Toggles
    ) -> None:
        """Keeps what to drain.

        Args:
            dataset: The data set.
            drain: Drains an iterator and returns the number of elements.
            options: Of the pipeline; they tell the number of examples.
        """
        self._dataset = dataset
        self._drain = drain
        self._options = options

    def __iter__(self) -> Iterator[Span]:
        """Drains the data set once."""
        iterator = iter(self._dataset)
        next(iterator)
        first = min(self._options.batch or 1, self._options.take)
        yield Span(1, first)
        elements = int(self._drain(iterator))
        if elements:
            yield Span(elements, self._options.examples - first)
