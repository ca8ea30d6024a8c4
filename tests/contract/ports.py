"""A port of this machine that nobody uses."""

import socket


def free_port() -> int:
    """Gives the number of a free port."""
    with socket.socket() as found:
        found.bind(("localhost", 0))
        return found.getsockname()[1]
