"""What each process of a cluster runs; `helpers.scale.cluster` starts it.

The first line on standard input, JSON, says what to be. The answer, a line of JSON on standard
output, says where it listens, or in a sentence why not. Further lines ask how it is. The process
ends with its input, and so with whoever started it, whatever ends that one.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import Any


def prepare() -> Any:
    """Imports what a server needs; gives the module of TensorFlow's service."""
    from helpers.quiet import tf

    return tf.data.experimental.service


def main() -> None:
    """Serves until standard input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a user's generator prints is for the log
    service = prepare()
    line = sys.stdin.readline()
    if not line:  # whoever started it is gone already
        return
    told = json.loads(line)
    try:
        server, port = _start(service, told)
    except Exception as error:  # TensorFlow raises many types
        _say(answers, {"error": _sentence(error)})
        raise
    _say(answers, {"port": port})
    threading.Thread(target=_listen, args=(server, answers), daemon=True).start()
    server.join()


def _start(service: Any, told: dict[str, Any]) -> tuple[Any, int]:
    if told["role"] == "dispatcher":
        made = service.DispatchServer(
            service.DispatcherConfig(
                port=told["port"],
                work_dir=told["work_dir"],
                fault_tolerant_mode=told["work_dir"] is not None,
                worker_timeout_ms=told["worker_timeout_ms"],
                job_gc_check_interval_ms=told["forget_ms"],
                job_gc_timeout_ms=told["forget_ms"],
            )
        )
        return made, int(made.target.rpartition(":")[2])
    from helpers.scale.hosted import unpack

    # Before the server starts: its tokens have to be there when it is asked. Kept for its life.
    kept = [unpack(sent) for sent in told["hosted"]]
    made = service.WorkerServer(
        service.WorkerConfig(
            dispatcher_address=told["dispatcher"],
            worker_address=f"{told['host']}:%port%",
            port=told["port"],
            heartbeat_interval_ms=told["heartbeat_ms"],
            dispatcher_timeout_ms=told["patience_ms"],
        )
    )
    made.hosted = kept
    return made, int(made._address.rpartition(":")[2])


def _listen(server: Any, answers: Any) -> None:
    count = server._num_workers if hasattr(server, "_num_workers") else server._num_tasks
    for _ in sys.stdin:
        _say(answers, {"count": count()})
    os._exit(0)


def _say(answers: Any, what: dict[str, Any]) -> None:
    answers.write(json.dumps(what) + "\n")
    answers.flush()


def _sentence(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


if __name__ == "__main__":
    main()
