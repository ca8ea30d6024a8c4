"""What the panel and the lessons show as HTML: colours from JupyterLab's theme, light or dark."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence

STYLE = """<style>
.jp-OutputArea-output pre { word-break: normal; overflow-wrap: anywhere; }
.wb-panel, .wb-lesson { border: 1px solid var(--jp-border-color2, #ccc); border-radius: 4px;
  padding: 10px 12px; }
.wb-panel .widget-html-content, .wb-lesson .widget-html-content { line-height: 1.4; }
.wb-title { font-weight: 600; font-size: 1.1em; }
.wb-code pre { margin: 0; padding: 8px; overflow: auto; box-sizing: border-box; height: 100%;
  font: 12px/1.4 var(--jp-code-font-family, monospace); white-space: pre;
  color: var(--jp-content-font-color1); background: var(--jp-layout-color2, #f5f5f5); }
.wb-code .widget-html-content, .wb-code .wb-listing { height: 100%; width: 100%; min-width: 0;
  position: relative; }
.wb-copy { position: absolute; right: 6px; top: 6px; cursor: pointer; padding: 2px 8px;
  border: 1px solid var(--jp-border-color1, #bbb); border-radius: 2px; font-size: 12px;
  color: var(--jp-content-font-color1, black); background: var(--jp-layout-color1, white); }
.wb-note { border-left: 4px solid var(--jp-border-color1, #bbb); padding: 2px 0 2px 10px;
  color: var(--jp-content-font-color1, black); }
.wb-note p { margin: 0; }
.wb-real { border-color: #3E97D1; }
.wb-good { border-color: #009E73; }
.wb-open { border-color: #C28100; }
.wb-bad { border-color: #C44E00; }
.wb-faint { color: var(--jp-content-font-color2, #666); }
.wb-table table { border-collapse: collapse; width: 100%; font-size: 12px; }
.wb-table th, .wb-table td { padding: 3px 8px; text-align: right; white-space: nowrap;
  color: var(--jp-content-font-color1); border-bottom: 1px solid var(--jp-border-color2, #ddd); }
.wb-table td:nth-child(2), .wb-table th:nth-child(2), .wb-table td:last-child,
.wb-table th:last-child { text-align: left; white-space: normal; }
.wb-table th { position: sticky; top: 0; background: var(--jp-layout-color2, #f5f5f5); }
.wb-table .wb-setting td { text-align: left; font-style: italic; white-space: normal; }
.wb-export a { color: var(--jp-content-link-color, #0072B2); margin-right: 14px; }
.wb-figure img { display: block; }
</style>"""
"""The first rule is for what a cell prints: JupyterLab would break a sentence within a word."""


def note(*paragraphs: str, kind: str = "plain") -> str:
    """A message with a coloured edge.

    Args:
        paragraphs: Plain text.
        kind: "real", "good", "open", "bad" or "plain".
    """
    role = "alert" if kind == "bad" else "status"
    inside = "".join(f"<p>{html.escape(paragraph)}</p>" for paragraph in paragraphs)
    return f'<div class="wb-note wb-{kind}" role="{role}">{inside}</div>'


def faint(sentence: str) -> str:
    """A line in the theme's second colour."""
    return f'<span class="wb-faint">{html.escape(sentence)}</span>'


def listing(code: str) -> str:
    """Code to read, to select, and to copy with a button."""
    copy = (
        "navigator.clipboard.writeText(this.nextElementSibling.textContent)"
        ".then(() => { this.textContent = 'Copied'; })"
    )
    return (
        f'<div class="wb-listing"><button class="wb-copy" title="Copy the code" '
        f'onclick="{copy}">Copy</button><pre tabindex="0">{html.escape(code)}</pre></div>'
    )


def download(text: str, name: str, kind: str, label: str) -> str:
    """A link that saves a text as a file of the browser; it carries the text itself."""
    data = base64.b64encode(text.encode()).decode()
    return f'<a download="{name}" href="data:{kind};charset=utf-8;base64,{data}">{label}</a>'


def fallback(title: str, said: str, rows: Sequence[tuple[str, str]] = (), code: str = "") -> str:
    """What a saved notebook shows in a widget's place: plain HTML that needs no kernel.

    Args:
        title: Of the widget; none if empty.
        said: A sentence.
        rows: What it is set to, by name; behind a click, as they are many.
        code: That of it; behind a click.
    """
    left = "style='text-align:left'"
    cells = "".join(
        f"<tr><td {left}>{html.escape(name)}</td><td {left}>{html.escape(value)}</td></tr>"
        for name, value in rows
    )
    return "".join(
        [
            f"<p><b>{html.escape(title)}</b></p>" if title else "",
            f"<p><em>{html.escape(said)}</em></p>",
            f"<details><summary>Toggles</summary><table>{cells}</table></details>" if cells else "",
            f"<details><summary>Code</summary><pre>{html.escape(code)}</pre></details>"
            if code
            else "",
        ]
    )
