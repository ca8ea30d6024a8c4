"""The child of `workbook doctor`: examines what a name stands for, and leaves files."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from helpers.diagnose.diagnosis import Diagnosis
from helpers.diagnose.examining import examine
from helpers.diagnose.naming import named, signature_of
from helpers.measure import save


def main(folder: Path, call: dict[str, Any]) -> None:
    """Examines, and leaves the answer in a folder: in all its forms, or as a refusal.

    Args:
        folder: Gets `progress` while it runs; then `text`, `code`, `json`, `html` and
            `speedscope`, or `refusal`.
        call: The arguments of `examine`, names and signature as text.
    """
    _end_with(os.getppid())

    def tell(words: str, share: float) -> None:
        (folder / "progress.new").write_text(f"{share:.3f} {words}")
        (folder / "progress.new").replace(folder / "progress")

    try:
        signature, consumer = call["signature"], call["consumer"]
        made = examine(
            named(call["subject"]),
            output_signature=signature_of(signature) if signature else None,
            batch_size=call["batch_size"], consumer=named(consumer) if consumer else None,
            budget_s=call["budget_s"], tell=tell,
        )  # fmt: skip
        _leave(made, folder)
    except (ValueError, TypeError) as error:
        (folder / "refusal").write_text(str(error))
    except BaseException as error:  # the user's module raised, or exits
        (folder / "refusal").write_text(
            f"importing {call['subject']} raised {type(error).__name__}: {error}"
        )
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # a thread of the user's that is stuck would keep the process


def _leave(made: Diagnosis, folder: Path) -> None:
    save(made, folder / "json")
    made.save_html(folder / "html")
    if made.speedscope:
        made.save_speedscope(folder / "speedscope")
    (folder / "code").write_text(str(made.code))
    (folder / "text").write_text(str(made))  # the last: with it the answer is whole


def _end_with(parent: int) -> None:
    """Ends this process and its group when the parent is gone, should that be killed."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        if hasattr(os, "killpg"):
            os.killpg(0, signal.SIGKILL)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))
