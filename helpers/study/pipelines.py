"""PipelineOptions: the toggles of a pipeline under study, and what can be made of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from helpers.measure import Arm
from helpers.quiet import tf

from . import listing, wording
from .options import Toggles
from .program import join
from .running import Running


@dataclass(frozen=True)
class PipelineOptions(Toggles):
    """A pipeline under study: its toggles, its code, its data set, and it as an arm.

    What each toggle means, and which combinations are refused, `Toggles` says.
    """

    def code(self) -> str:
        """Returns the pipeline as Python that runs on its own with TensorFlow and NumPy."""
        return join(listing.blocks(self))

    @tf.autograph.experimental.do_not_convert  # within `interleave` it would warn, at length
    def dataset(self) -> tf.data.Dataset:
        """Builds the data set by running what `code` shows, up to the loop."""
        return Running(self).dataset()

    def build(self) -> Iterable[Any]:
        """Builds what a trial iterates over: the data set, or its drain within TensorFlow."""
        return Running(self).build()

    def arm(self, name: str | None = None) -> Arm:
        """Makes an arm of a comparison; it can be sent to another process.

        Rows, generator, consumer and the drain's trace are made in the arm's first build, which a
        comparison runs for its check of content or as warm-up; later builds make the data set
        alone, from rows that exist.

        Args:
            name: What figures call it; the `label` unless given.
        """
        running = Running(self)
        extra: dict[str, Any] = {}
        if self.batch is not None:
            extra["examples"] = len
        if self.consumer != "idle":
            extra["consume"] = running.consume
        return Arm(name or self.label, running.build, content=self.content, **extra)

    @property
    def label(self) -> str:
        """A short name: the source, then what differs from the plainest pipeline."""
        return wording.label(self, PipelineOptions())

    def changes(self, other: PipelineOptions) -> list[str]:
        """Returns what changes from these options to the others, a sentence each.

        A value without effect, such as the length of a step that nobody takes, does not count.

        Args:
            other: Where the change leads.
        """
        return wording.changes(self, other)
