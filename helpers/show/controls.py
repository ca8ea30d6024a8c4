"""The panel's drop-downs, and the options that they mean."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import ipywidgets as widgets

from helpers.study import PipelineOptions

from .toggles import TOGGLES, effective, text, without_effect

_NONE = "None"
"""Held in place of None, which a drop-down takes for nothing chosen."""


class Controls:
    """Drop-downs for some fields of the options, and the options that they mean.

    Attributes:
        dropdowns: By field.
        box: All of them, one below the other.
    """

    def __init__(
        self,
        options: PipelineOptions,
        names: Sequence[str],
        on_change: Callable[[], None],
    ) -> None:
        """Makes a drop-down for each name, set to the options.

        Args:
            options: Give every field its value to start from, and the fields without a toggle
                their value for good.
            names: Fields that get a toggle.
            on_change: Called after each change.

        Raises:
            ValueError: If there is no toggle of a name.
        """
        for name in names:
            if name not in TOGGLES:
                raise ValueError(f"there is no toggle {name!r}: choose from {', '.join(TOGGLES)}.")
        self._options = options
        self.dropdowns = {
            name: _dropdown(name, getattr(options, name)) for name in TOGGLES if name in names
        }
        self.box = widgets.VBox(list(self.dropdowns.values()))
        self._disable()
        for dropdown in self.dropdowns.values():
            dropdown.observe(lambda change: (self._disable(), on_change()), names="value")

    def options(self) -> PipelineOptions:
        """Returns what the toggles mean.

        Raises:
            ValueError: In one sentence, if the combination makes no sense.
        """
        return replace(self._options, **effective(self._values()))

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
            dropdown = self.dropdowns[name]
            if _held(value) not in dict(map(reversed, dropdown.options)):
                choices = ", ".join(shown for shown, _ in dropdown.options)
                raise ValueError(f"{name} offers {choices}, and not {value!r}.")
            dropdown.value = _held(value)

    def _values(self) -> dict[str, Any]:
        values = {name: getattr(self._options, name) for name in TOGGLES}
        held = {name: widget.value for name, widget in self.dropdowns.items()}
        return values | {name: None if value == _NONE else value for name, value in held.items()}

    def _disable(self) -> None:
        idle = without_effect(self._values())
        for name, dropdown in self.dropdowns.items():
            dropdown.disabled = name in idle


def _held(value: Any) -> Any:
    """What a drop-down holds for a value."""
    return _NONE if value is None else value


def _dropdown(name: str, value: Any) -> widgets.Dropdown:
    toggle = TOGGLES[name]
    choices = list(toggle.choices)
    if value not in [other for _, other in choices]:
        choices.append((text(value), value))
        if all(isinstance(other, (int, float)) for _, other in choices):
            choices.sort(key=lambda choice: choice[1])
    # ipywidgets 8.1 shows the tooltip of a drop-down that has a label only once it is changed.
    label = f'<span title="{html.escape(toggle.tooltip)}">{html.escape(toggle.label)}</span>'
    dropdown = widgets.Dropdown(
        options=[(shown, _held(other)) for shown, other in choices], value=_held(value),
        description=label, description_allow_html=True,
        style={"description_width": "105px"}, layout={"width": "auto"},
    )  # fmt: skip
    return dropdown.add_class("wb-toggle").add_class(f"wb-toggle-{name.replace('_', '-')}")
