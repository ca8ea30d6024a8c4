"""Words in a table: each row a name and what is said of it."""

from __future__ import annotations

import html
from collections.abc import Mapping

from IPython.display import HTML

_LEFT = 'style="text-align:left"'
"""On each cell: JupyterLab aligns numbers, and a style sheet is lost where it trusts nobody."""


def listed(rows: Mapping[str, Mapping[str, str]]) -> HTML:
    """Shows sentences in a table, where a DataFrame would set them like numbers.

    Args:
        rows: By name, the cells of a row by their column; the first row names the columns.
    """
    columns = next(iter(rows.values()))
    heads = "".join(f'<th scope="col" {_LEFT}>{html.escape(name)}</th>' for name in columns)
    lines = "".join(
        f'<tr><th scope="row" {_LEFT}>{html.escape(name)}</th>'
        + "".join(f"<td {_LEFT}>{html.escape(cells[column])}</td>" for column in columns)
        + "</tr>"
        for name, cells in rows.items()
    )
    return HTML(f"<table><thead><tr><td></td>{heads}</tr></thead><tbody>{lines}</tbody></table>")
