"""A committed run in place of measuring, for a talk or a machine that cannot have TensorFlow.

With `WORKBOOK_REPLAY` set to the name of a machine under results/ ("1" for the first), `run` in a
notebook gives what that machine measured. Where TensorFlow is missing, what only builds pipelines
goes on with a stand-in for it, and a cell that needs the real one shows what is stored of it.
"""

from __future__ import annotations

import functools
import importlib
import os
from pathlib import Path
from typing import Any, NoReturn

MACHINE = "WORKBOOK_REPLAY"
"""Environment variable that names the machine; without it everything is measured."""

_NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"


def replaying() -> bool:
    """Tells whether a committed run stands in for measuring."""
    return bool(os.environ.get(MACHINE))


class NeedsTensorFlow(BaseException):
    """Something was asked of TensorFlow that only the real one can do.

    Not an Exception, so that nobody takes it for an error of the reader's code.
    """


class StandIn:
    """Stands for TensorFlow and all within it while pipelines are described, and not run."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name.startswith("_repr_") or name.startswith("_ipython_can"):
            raise AttributeError(name)
        if self._name == "tf.errors":
            return type(name, (Exception,), {})
        return StandIn(f"{self._name}.{name}")

    def __call__(self, *args: Any, **kwargs: Any) -> StandIn:
        """Goes on describing."""
        return self

    def __getitem__(self, key: Any) -> StandIn:
        return self

    def __mro_entries__(self, bases: tuple) -> tuple[type]:
        return (object,)

    def __instancecheck__(self, instance: Any) -> bool:
        return False

    def __or__(self, other: Any) -> Any:
        return self

    __ror__ = __add__ = __radd__ = __sub__ = __mul__ = __rmul__ = __truediv__ = __or__

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return hash(self._name)

    def _needed(self, *args: Any) -> NoReturn:
        raise NeedsTensorFlow(self._name)

    __iter__ = __len__ = __bool__ = __int__ = __float__ = __index__ = __enter__ = _needed
    __array__ = __str__ = __format__ = __lt__ = __gt__ = __le__ = __ge__ = __contains__ = _needed

    def __repr__(self) -> str:
        return f"<{self._name}, without TensorFlow>"

    def _ipython_display_(self, **kwargs: Any) -> None:
        show_stored()


def stand_in() -> StandIn:
    """Returns what stands for TensorFlow, and has the notebook show what is stored of its cells."""
    from IPython import get_ipython

    shell = get_ipython()
    if shell is not None:
        _leave_out(shell)
    return StandIn("tf")


def _leave_out(shell: Any) -> None:
    """Has cells that need TensorFlow show what is stored of them, and count as done.

    A cell that ended in an error would end "Run all"; the reader's own errors still do.
    """
    left_out: list[BaseException] = []

    def show(
        shell: Any, kind: type, value: BaseException, trace: Any, tb_offset: int | None = None
    ) -> None:
        source = shell.history_manager.input_hist_raw[-1]
        if issubclass(kind, NeedsTensorFlow) or stored_outputs(source) is not None:
            left_out.append(value)
            show_stored()
        else:
            shell.showtraceback((kind, value, trace), tb_offset=tb_offset)

    run_code = shell.run_code

    async def run_or_leave_out(code: Any, result: Any = None, *, async_: bool = False) -> bool:
        raised = await run_code(code, result, async_=async_)
        if result is not None and left_out and result.error_in_exec is left_out[-1]:
            result.error_in_exec = None
        return raised

    shell.set_custom_exc((NeedsTensorFlow, Exception), show)
    shell.run_code = run_or_leave_out


@functools.cache
def has_tensorflow() -> bool:
    """Tells whether TensorFlow can be imported."""
    try:
        importlib.import_module("tensorflow")
    except ImportError:
        return False
    return True


def needs_tensorflow() -> None:
    """Ends a cell that would measure, or examine, where a run is replayed without TensorFlow.

    Raises:
        NeedsTensorFlow: If it is so.
    """
    if replaying() and not has_tensorflow():
        raise NeedsTensorFlow


def show_stored() -> None:
    """Shows, in place of the cell that runs, what is stored of it."""
    from IPython import get_ipython
    from IPython.display import HTML, display

    found = stored_outputs(get_ipython().history_manager.input_hist_raw[-1]) or []
    said = " What it showed in the stored run:" if found else ""
    display(HTML(f"<p><em>This cell needs TensorFlow, which is not here.{said}</em></p>"))
    for data in found:
        display(data, raw=True)


def stored_outputs(source: str) -> list[dict[str, Any]] | None:
    """What the committed notebooks show below a cell with this code, as MIME bundles.

    Args:
        source: The cell's code.

    Returns:
        The bundles; None if no notebook has such a cell.
    """
    return _stored().get(source.strip())


@functools.cache
def _stored() -> dict[str, list[dict[str, Any]]]:
    """All that the committed notebooks show, by the code of the cell."""
    import nbformat

    return {
        cell.source.strip(): [
            output.get("data") or {"text/plain": output.get("text", "")} for output in cell.outputs
        ]
        for path in sorted(_NOTEBOOKS.glob("[0-9][0-9]-*.ipynb"))
        for cell in nbformat.read(path, as_version=4).cells
        if cell.cell_type == "code"
    }
