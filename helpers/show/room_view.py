"""The room's numbers in a cell, looked at again with a button."""

from __future__ import annotations

import os
import time
from pathlib import Path

import ipywidgets as widgets

from helpers.reproduce.gathering import Folder
from helpers.reproduce.room import Room

from . import page
from .frame import Frame
from .room import drawn


class RoomView(Frame):
    """A folder of shared results: `RoomView("room")`, and Refresh when more have arrived.

    Attributes:
        room: What was gathered last; None if the folder could not be read.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        """Looks into the folder.

        Args:
            folder: Where `workbook share` or its users put the files.
        """
        self._folder = Folder(Path(folder))
        self.room: Room | None = None
        self._again = widgets.Button(description="Refresh", tooltip="Look into the folder again")
        self._status = widgets.HTML()
        self._status.add_class("wb-status")
        self._body = widgets.HTML()
        self._again.on_click(lambda button: self.refresh())
        bar = widgets.HBox([self._again, self._status])
        super().__init__([widgets.HTML(page.STYLE), bar, self._body], "wb-room")
        self.refresh()

    def refresh(self) -> None:
        """Looks into the folder again; the button does this."""
        self._again.disabled = True
        try:
            room = self._folder.gather(self._tell)
            if room is not self.room:
                self._body.value = _body(room)
                self.room = room
                self.save()
            self._status.value = page.faint(f"Looked at {time.strftime('%H:%M:%S')}.")
        except ValueError as error:
            self.room = None
            self._status.value = ""
            self._body.value = page.note(str(error), kind="bad")
        finally:
            self._again.disabled = False

    def _tell(self, name: str, share: float) -> None:
        self._status.value = page.faint(f"Reading {name} …")

    def saved(self) -> str:
        """What was gathered last, for a reader without a kernel."""
        return f"{page.STYLE}{self._body.value}"

    def __repr__(self) -> str:
        """Says what it is, where ipywidgets would list its traits."""
        if self.room is None:
            return "The room's numbers: none yet"
        return f"The room's numbers: {' '.join(self.room.sentences)}"


def _body(room: Room) -> str:
    figures = drawn(room) if room.spreads else ""
    if not room.shared:
        figures = page.note("No file that can be used has arrived yet.")
    return f"{figures}<div class='wb-told'>{room._repr_html_()}</div>"
