"""A real JupyterLab to drive: started on loopback, ended with its whole family.

    with Server.start(folder) as server, browser(chromium) as chrome:
        book = Notebook.open(chrome.new_page(), server, "00-start-here.ipynb")
        book.run_all()

Nothing of it is the user's: settings, runtime files and notebooks are in a folder of its own. It
asks the network for nothing, and the browser could not reach it.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import psutil
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import BrowserContext, Locator, Page, expect, sync_playwright

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"

START_S = 60
"""How long the server may take to answer; it takes 2 s on an idle machine."""

RUN_S = 120
"""How long cells may take; importing TensorFlow is most of it."""

CONFIG = Path(__file__).resolve().parents[2] / "scripts" / "lab"
"""What the set-up installs as etc/jupyter of the environment."""


@dataclass
class Server:
    """A JupyterLab server with a token.

    Attributes:
        url: Ends in a slash.
        token: Opens it.
        root: The folder with the notebooks.
        process: The server itself; kernels are its children.
    """

    url: str
    token: str
    root: Path
    process: psutil.Process

    @classmethod
    @contextlib.contextmanager
    def start(cls, folder: Path, *, quick: bool = True) -> Iterator[Server]:
        """Starts a server on a copy of notebooks/ below an empty folder, and ends it."""
        root = folder / "notebooks"
        shutil.copytree(
            NOTEBOOKS, root, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
        )
        token = secrets.token_hex(16)
        log = folder / "server.log"
        with log.open("wb") as sink:
            started = subprocess.Popen(
                _command(folder, root),
                cwd=root,
                env=_environment(folder, token, quick),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
            )
        process = psutil.Process(started.pid)
        try:
            url = _answering(started, folder / "runtime", log)
            yield cls(url, token, root, process)
        finally:
            end_family(process)
            started.wait()

    def write(self, name: str, *sources: str) -> str:
        """Writes a notebook of code cells into the server's folder, and returns its name."""
        book = new_notebook(
            cells=[new_code_cell(source) for source in sources],
            metadata={
                "kernelspec": {
                    "name": "python3",
                    "display_name": "Python 3 (ipykernel)",
                    "language": "python",
                }
            },
        )
        nbformat.write(book, self.root / name)
        return name

    def measuring(self) -> list[psutil.Process]:
        """The processes below a kernel that measure."""
        found = []
        for kernel in self.process.children():
            with contextlib.suppress(psutil.NoSuchProcess):
                found += kernel.children(recursive=True)
        return found

    def end_kernels(self) -> None:
        """Ends all kernels, so that one test leaves no work to the next.

        The server is asked to: it would start one that was only killed anew, again and again.
        """
        families = [kernel.children(recursive=True) for kernel in self.process.children()]
        for kernel in json.loads(self._asked("GET", "api/kernels")):
            with contextlib.suppress(urllib.error.HTTPError):  # ended with its notebook
                self._asked("DELETE", f"api/kernels/{kernel['id']}")
        for member in itertools.chain(*families):
            end_family(member)

    def _asked(self, method: str, path: str) -> bytes:
        request = urllib.request.Request(
            self.url + path, method=method, headers={"Authorization": f"token {self.token}"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read()


def _command(folder: Path, root: Path) -> list[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return [
        sys.executable,
        *("-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"),
        f"--ServerApp.root_dir={root}",
        "--ServerApp.terminals_enabled=False",
        "--KernelManager.shutdown_wait_time=0.5",
        "--ServerApp.log_level=WARN",
        f"--LabApp.user_settings_dir={folder / 'settings'}",
        f"--LabApp.workspaces_dir={folder / 'workspaces'}",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.news_url=None",
        "--LabApp.extension_manager=readonly",
    ]


def _environment(folder: Path, token: str, quick: bool) -> dict[str, str]:
    """The variables for the server and its kernels: the mode, and folders of their own."""
    return os.environ | {
        "JUPYTER_TOKEN": token,  # not in the command line, where everyone could read it
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_CONFIG_PATH": str(CONFIG),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "IPYTHONDIR": str(folder / "ipython"),
        "WORKBOOK_QUICK": "1" if quick else "",
    }


def _answering(started: subprocess.Popen[bytes], runtime: Path, log: Path) -> str:
    """Waits until the server answers, and returns its address."""
    end = time.monotonic() + START_S
    while time.monotonic() < end and started.poll() is None:
        for file in runtime.glob(f"jpserver-{started.pid}.json"):
            with contextlib.suppress(json.JSONDecodeError, KeyError, OSError):
                told = json.loads(file.read_text())
                socket.create_connection(("127.0.0.1", told["port"]), timeout=1).close()
                return told["url"]
        time.sleep(0.05)
    raise RuntimeError(f"JupyterLab did not start: {log.read_text()[-2000:]}")


def end_family(process: psutil.Process) -> None:
    """Kills a process and all below it, and waits until they are gone."""
    try:
        family = [*process.children(recursive=True), process]
    except psutil.NoSuchProcess:
        return
    for member in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()
    psutil.wait_procs(family, timeout=10)


@contextlib.contextmanager
def browser(
    chromium: str, *, width: int = 1400, height: int = 1000, scale: int = 1
) -> Iterator[BrowserContext]:
    """A Chromium without a window, that reaches nothing but this machine.

    Args:
        chromium: Its path.
        width: Of a page.
        height: Of a page.
        scale: Pixels of a screenshot for each of the page's.
    """
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    flags = [
        *(["--no-sandbox"] if root else []),  # Chromium refuses to start as root otherwise
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    ]
    with sync_playwright() as playwright:
        chrome = playwright.chromium.launch(executable_path=chromium, args=flags)
        try:
            yield chrome.new_context(
                viewport={"width": width, "height": height},
                device_scale_factor=scale,
                reduced_motion="reduce",
            )
        finally:
            chrome.close()


@dataclass
class Tab:
    """A page, and the errors that its console showed."""

    page: Page
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(30_000)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on(
            "console",
            lambda message: message.type == "error" and self.errors.append(message.text),
        )


class Notebook:
    """A notebook in JupyterLab."""

    def __init__(self, page: Page, server: Server) -> None:
        self.page = page
        self.server = server

    @classmethod
    def open(cls, page: Page, server: Server, name: str) -> Notebook:
        """Opens it, in a workspace of its own, and waits for its kernel."""
        workspace = f"{Path(name).stem}-{secrets.token_hex(4)}"  # one before it is not restored
        page.goto(f"{server.url}lab/workspaces/{workspace}/tree/{name}?token={server.token}")
        book = cls(page, server)
        book.wait_until_idle()
        return book

    @property
    def cells(self) -> Locator:
        """Its code cells."""
        return self.page.locator(".jp-Notebook .jp-CodeCell")

    @property
    def panel(self) -> PanelObject:
        """Its first panel."""
        return PanelObject(self.page, self.page.locator(".wb-panel").first)

    def wait_until_idle(self) -> None:
        """Waits until the kernel is there and has nothing to do."""
        # The notebook's own indicator says idle before there is a kernel.
        expect(self.page.locator("#jp-main-statusbar")).to_contain_text(
            "Python 3 (ipykernel) | Idle", timeout=START_S * 1000
        )

    def run_all(self) -> None:
        """Runs all cells, and waits until each has run."""
        self.menu("Run", "Run All Cells")
        prompt = self.cells.last.locator(".jp-InputPrompt")
        expect(prompt).to_have_text(re.compile(r"\[\d+\]:"), timeout=RUN_S * 1000)
        self.wait_until_idle()

    def cell(self, source: str) -> Locator:
        """The first code cell whose source contains this."""
        return self.cells.filter(
            has=self.page.locator(".jp-InputArea-editor", has_text=source)
        ).first

    def run(self, cell: Locator) -> None:
        """Runs one cell."""
        cell.locator(".jp-InputPrompt").click()
        self.page.keyboard.press("Control+Enter")
        self.wait_until_idle()

    def write(self, cell: Locator, source: str) -> None:
        """Replaces what a cell says."""
        cell.locator(".cm-content").fill(source)

    def restart(self) -> None:
        """Restarts the kernel from the menu, and waits until it is back."""
        self.menu("Kernel", "Restart Kernel…")
        dialog = self.page.locator(".jp-Dialog")
        with self.page.expect_response(lambda response: "/restart" in response.url):
            dialog.locator(".jp-mod-accept").click()
        self.wait_until_idle()

    def menu(self, menu: str, item: str) -> None:
        """Chooses from a menu."""
        self.page.locator(".lm-MenuBar-item", has_text=re.compile(f"^{menu}$")).click()
        entry = self.page.locator(".lm-Menu-item:visible", has_text=re.compile(f"^{item}"))
        entry.first.click()

    def save(self) -> None:
        """Saves it, and waits until the server has written it."""
        with self.page.expect_response(
            lambda response: response.request.method == "PUT" and "/contents/" in response.url
        ) as saved:
            self.menu("File", "Save Notebook")
        assert saved.value.ok

    def errors(self) -> list[str]:
        """What went wrong in its cells: errors, and what was written to stderr."""
        kinds = "vnd.jupyter.error", "vnd.jupyter.stderr"
        places = ", ".join(
            f".jp-OutputArea-output[data-mime-type='application/{k}']" for k in kinds
        )
        return self.page.locator(places).all_inner_texts()


class PanelObject:
    """A panel: what a reader sees of it, and can press."""

    def __init__(self, page: Page, place: Locator) -> None:
        self.page = page
        self.place = place
        self.measure = place.locator("button.wb-measure")
        self.cancel = place.locator("button.wb-cancel")
        self.pair = place.locator("button.wb-pair")
        self.status = place.locator(".wb-status")
        self.count = place.locator(".wb-count")
        self.message = place.locator(".wb-message")
        self.code = place.locator(".wb-code pre")
        self.differs = place.locator(".wb-differ")
        self.runs = place.locator(".wb-run:not(.wb-running)")
        self.running = place.locator(".wb-run.wb-running")
        self.links = place.locator(".wb-export a")
        self.complaint = place.locator(".wb-bad, .wb-why .wb-wrong")

    def toggle(self, name: str) -> Locator:
        """The drop-down of an option."""
        return self.place.locator(f".wb-toggle-{name} select")

    def measure_until(self, runs: int) -> None:
        """Presses Measure, and waits until the list has so many runs."""
        self.measure.click()
        expect(self.runs).to_have_count(runs, timeout=RUN_S * 1000)
        expect(self.measure).to_be_enabled()

    def wait_for_round(self) -> None:
        """Waits until the run under way has done one."""
        expect(self.count).to_contain_text(re.compile(r"round [1-9]"), timeout=RUN_S * 1000)

    def remember(self, place: Locator) -> None:
        """Has the browser keep every line that a place in the panel shows from now on."""
        place.evaluate(
            """place => {
                place.remembered = [];
                const keep = () => place.remembered.push(place.innerText.trim());
                const all = {subtree: true, childList: true, characterData: true};
                new MutationObserver(keep).observe(place, all);
            }"""
        )

    def remembered(self, place: Locator) -> list[str]:
        """The lines kept."""
        return [line for line in place.evaluate("place => place.remembered") if line]

    def saved(self, label: str) -> str:
        """Follows a link that saves a file, and returns what is in it."""
        with self.page.expect_download() as started:
            self.links.filter(has_text=label).click()
        return started.value.path().read_text(encoding="utf-8")
