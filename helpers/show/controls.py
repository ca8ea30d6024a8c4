"""The panel's drop-downs in groups, what they mean, and what is said beside them."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets

from helpers.study import PipelineOptions

from . import memory
from .conflicts import all_conflicts, both_sides, made, reachable
from .toggles import TOGGLES, effective, text, without_effect

_NONE = "None"
"""Held in place of None, which a drop-down takes for nothing chosen."""

_WRONG = "wb-wrong"


class Controls:
    """Drop-downs for some fields of the options, and the options that they mean.

    Attributes:
        dropdowns: By field.
        box: All of them, in groups; each group has room for a sentence below its drop-downs.
        notes: That room, by group.
        wrong: The sentences that keep the toggles from being measured; empty if nothing does.
    """

    def __init__(
        self,
        options: PipelineOptions,
        baseline: PipelineOptions,
        names: Sequence[str],
        on_change: Callable[[], None],
    ) -> None:
        """Makes a drop-down for each name, set to the options.

        Args:
            options: Give every field its value to start from, and the fields without a toggle
                their value for good.
            baseline: What the options are compared with, as the notebook has it.
            names: Fields that get a toggle.
            on_change: Called after each change.

        Raises:
            ValueError: If there is no toggle of a name.
        """
        for name in names:
            if name not in TOGGLES:
                raise ValueError(f"there is no toggle {name!r}: choose from {', '.join(TOGGLES)}.")
        self._options, self._baseline, self._on_change = options, baseline, on_change
        self._names = [name for name in TOGGLES if name in names]
        self._setting = False
        self.dropdowns = {name: self._dropdown(name) for name in self._names}
        self.wrong: tuple[str, ...] = ()
        self.notes: dict[str, widgets.HTML] = {}
        groups = []
        for group in dict.fromkeys(TOGGLES[name].group for name in self._names):
            note = self.notes[group] = widgets.HTML().add_class("wb-why")
            head = widgets.HTML(f'<div class="wb-head">{group}</div>')
            held = [self.dropdowns[name] for name in self._names if TOGGLES[name].group == group]
            groups.append(widgets.VBox([head, *held, note]).add_class("wb-group"))
        self.box = widgets.Box(groups).add_class("wb-groups")
        self._judge()
        for dropdown in self.dropdowns.values():
            dropdown.observe(lambda change: self._changed(), names="value")

    def options(self) -> PipelineOptions:
        """Returns what the toggles mean.

        Raises:
            ValueError: In one sentence, if the combination makes no sense.
        """
        return self.both()[0]

    def both(self) -> tuple[PipelineOptions, PipelineOptions, tuple[str, ...]]:
        """What the toggles mean, the baseline doing the same work, and what else that took.

        Raises:
            ValueError: In one sentence, if the combination makes no sense.
        """
        if self.wrong:
            raise ValueError(self.wrong[0])
        values = self._values()
        fields, said = both_sides(effective(values), self._baseline)
        seed = self._options.seed  # of both: they are held to the same content
        return made(values, seed), made(fields, seed), said

    def set(self, **values: Any) -> None:
        """Sets drop-downs by field.

        Raises:
            ValueError: If there is no such drop-down, or it has no such value.
        """
        for name, value in values.items():
            if name not in self.dropdowns:
                raise ValueError(
                    f"there is no toggle {name!r}: choose {', '.join(self.dropdowns)}."
                )
            options = self.dropdowns[name].options
            if _held(value) not in [held for _, held in options]:
                choices = ", ".join(shown for shown, _ in options)
                raise ValueError(f"{name} offers {choices}, and not {value!r}.")
        self._setting = True
        for name, value in values.items():
            self.dropdowns[name].value = _held(value)
        self._setting = False
        self._changed()

    def take(self, options: PipelineOptions) -> None:
        """Sets every drop-down to what the options are, as far as it offers that."""
        found = {name: getattr(options, name) for name in self._names}
        offered = {
            name: value
            for name, value in found.items()
            if _held(value) in [held for _, held in self.dropdowns[name].options]
        }
        self.set(**offered)

    def _changed(self) -> None:
        if not self._setting:
            self._judge()
            self._on_change()

    def _values(self) -> dict[str, Any]:
        values = {name: getattr(self._options, name) for name in (*TOGGLES, "count")}
        held = {name: widget.value for name, widget in self.dropdowns.items()}
        return values | {name: None if value == _NONE else value for name, value in held.items()}

    def _judge(self) -> None:
        """Disables what has no effect, and says beside the toggles what does not go together."""
        values = self._values()
        idle = without_effect(values)
        found = all_conflicts(effective(values), self._baseline)
        self.wrong = tuple(one.said for one in found)
        said: dict[str, tuple[str, str]] = {}
        marked = set()
        if not found:
            fields, added = both_sides(effective(values), self._baseline)
            for sentence in added:
                said.setdefault(self._group("consumer"), ("", sentence))
            warning = memory.warning(effective(values), fields)
            if warning:
                said[self._group("take", "shape")] = ("wb-warn", warning)
        for one in reversed(found):
            marked.update(name for name in one.fields[:2] if name in self.dropdowns)
            said[self._group(*one.fields)] = (_WRONG, one.said)
        for name, dropdown in self.dropdowns.items():
            dropdown.disabled = name in idle
            (dropdown.add_class if name in marked else dropdown.remove_class)(_WRONG)
        for group, note in self.notes.items():
            kind, sentence = said.get(group, ("", ""))
            shown = f'<span class="{kind}">{html.escape(sentence)}</span>' if sentence else ""
            note.value = shown

    def _group(self, *names: str) -> str:
        """The group of the first of these toggles that the panel has."""
        held = [name for name in names if name in self.dropdowns] or self._names
        return TOGGLES[held[0]].group

    def _dropdown(self, name: str) -> widgets.Dropdown:
        """A drop-down of what can be measured."""
        toggle, value = TOGGLES[name], getattr(self._options, name)
        values = {other: getattr(self._options, other) for other in (*TOGGLES, "count")}
        choices = [
            (shown, other)
            for shown, other in toggle.choices
            if other == value or reachable(name, other, values, self._names, self._baseline)
        ]
        if value not in [other for _, other in choices]:
            choices.append((text(value), value))
            if all(isinstance(other, (int, float)) for _, other in choices):
                choices.sort(key=lambda choice: choice[1])
        # ipywidgets 8.1 shows the tooltip of a drop-down that has a label only once it is changed.
        label = f'<span title="{html.escape(toggle.tooltip)}">{html.escape(toggle.label)}</span>'
        dropdown = widgets.Dropdown(
            options=[(shown, _held(other)) for shown, other in choices], value=_held(value),
            description=label, description_allow_html=True,
            style={"description_width": "96px"}, layout={"width": "auto"},
        )  # fmt: skip
        return dropdown.add_class("wb-toggle").add_class(f"wb-toggle-{name.replace('_', '-')}")


def _held(value: Any) -> Any:
    """What a drop-down holds for a value."""
    return _NONE if value is None else value
