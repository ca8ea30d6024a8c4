"""What a worker process and its parent tell each other.

Orders come to the worker through a socket, which also carries file descriptors; reports leave
through a pipe. Both have a fixed size and at most one per slot is under way, so that neither fills
up. A report of kind CHUNK or ERROR may be followed by a pickled payload.
"""

from __future__ import annotations

import struct

ORDER = struct.Struct("<BBxxIQQ")  # kind, flags, epoch or slot, seed of the epoch, first row
START, ABANDON, FREE, STOP = range(4)
PARCEL = 1  # flag of START: a file descriptor comes along, with what is to be done from now on
AS_IT_IS = 2  # flag of START: random generators in the parcel stay as they came

REPORT = struct.Struct("<BBxxIIIQQ")  # kind, flags, epoch, slot, rows, next row, payload's bytes
CHUNK, ERROR, PASS, DONE = range(4)
STAY = 1  # flag: the next report of this shard comes before those of the others
FATAL = 2  # flag of ERROR: the worker ends

CHECK_SECONDS = 1.0  # how often to look whether the other side lives, in case no pipe tells
NO_EPOCH = 0
