"""Hazards of the process and the machine that it runs on."""

from __future__ import annotations

import shutil
from pathlib import Path

from helpers.diagnose.hazards.hazard import NOTE, SPEED, Evidence, Hazard
from helpers.measure import this_machine

SHM = Path("/dev/shm")


def library_threads(e: Evidence) -> Hazard | None:
    """Threads of BLAS or OpenCV beside the generator's own."""
    look = e.look
    if look is None or not look.count:
        return None
    own, wall = sum(look.cpu_ns), sum(look.wall_ns)
    others = look.process_cpu_ns - own
    if wall < 50e6 or others < 0.4 * wall or own < 0.3 * wall:
        return None
    return Hazard(
        "library-threads", SPEED, "a library runs threads of its own",
        f"While the generator ran, other threads of the process used {others / wall:.1f} cores: "
        f"BLAS or OpenCV split small work among them, and take the {this_machine().cores} cores "
        "from TensorFlow and the consumer.",
        "threadpoolctl.threadpool_limits(1), or cv2.setNumThreads(0), before the loop.",
    )  # fmt: skip


def small_shared_memory(e: Evidence) -> Hazard | None:
    """A /dev/shm too small for the batches of workers."""
    if e.look is None or not e.look.kept or not SHM.is_dir():
        return None
    need = 4 * this_machine().cores * e.batch_size * e.look.row_bytes
    free = shutil.disk_usage(SHM).free
    if need < free:
        return None
    return Hazard(
        "small-shm", NOTE, "/dev/shm is small for the batches of workers",
        f"Workers would need about {need / 2**20:.0f} MiB there, and {free / 2**20:.0f} are free.",
        "docker run --shm-size, or a smaller chunk_size.",
    )  # fmt: skip


def debug_mode(e: Evidence) -> Hazard | None:
    """tf.data's debug mode."""
    try:
        from tensorflow.python.data.ops import debug_mode as tensorflow_debug
    except ImportError:  # a private module, which may move
        return None
    if not tensorflow_debug.DEBUG_MODE:
        return None
    return Hazard(
        "debug-mode", SPEED, "tf.data runs in debug mode",
        "Every step runs eagerly and one after the other; the callbacks may also be collected "
        "while they are needed.",
        "Drop tf.data.experimental.enable_debug_mode().",
    )  # fmt: skip


RULES = (library_threads, small_shared_memory, debug_mode)
