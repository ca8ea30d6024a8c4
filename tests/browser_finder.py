"""Where the Chromium is that the browser tests drive.

    python tests/browser_finder.py      find one, or have Playwright fetch its own

`chromium()` looks at the variable WORKBOOK_CHROMIUM, then for a command on the PATH, then for the
one that Playwright fetched.
"""

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

HOW_TO_GET = (
    "Get one with `playwright install chromium` (in .venv's bin or Scripts folder), or "
    "`sudo apt install chromium` on Debian, or point WORKBOOK_CHROMIUM at a Chrome or Chromium."
)


def starts(path: str | None) -> bool:
    """Whether the browser is there and starts (Ubuntu's chromium-browser may be an empty shell)."""
    if not path or not Path(path).is_file():
        return False
    if os.name == "nt":  # chrome.exe --version opens a window there
        return True
    try:
        done = subprocess.run([path, "--version"], capture_output=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def playwrights_own() -> str:
    """The path where Playwright keeps its Chromium, fetched or not."""
    # In a process of its own: Playwright's sync driver refuses to start inside an event loop.
    code = (
        "from playwright.sync_api import sync_playwright\n"
        "with sync_playwright() as p: print(p.chromium.executable_path)"
    )
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60
    ).stdout.strip()


@functools.cache
def chromium() -> str | None:
    """Path of a Chromium that starts, or None."""
    named = os.environ.get("WORKBOOK_CHROMIUM")
    if named:
        return named if starts(named) else None
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    for path in map(shutil.which, names):
        if starts(path):
            return path
    own = playwrights_own()
    return own if starts(own) else None


def main() -> None:
    """Have Playwright fetch one when there is none; failing is no error, tests are skipped."""
    if chromium() or os.environ.get("WORKBOOK_CHROMIUM"):
        return
    print("No Chromium found; asking Playwright for its own …", flush=True)
    command = [sys.executable, "-m", "playwright", "install", "chromium"]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=600)
    except (OSError, subprocess.SubprocessError):
        print("Playwright could not fetch it; the browser tests will be skipped.")


if __name__ == "__main__":
    main()
