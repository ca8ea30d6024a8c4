"""Keeps TensorFlow's servers on loopback.

They listen on every interface, without asking who calls (`GrpcDataServerBase::Start` in
tensorflow/core/data/service/server_lib.cc), and have no option for it. On Linux, a few lines of C
in front of `bind` make the address 127.0.0.1.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import psutil

_SOURCE = """
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

int bind(int fd, const struct sockaddr *given, socklen_t length) {
  static int (*real)(int, const struct sockaddr *, socklen_t);
  struct sockaddr_storage copy;
  if (!real) real = (int (*)(int, const struct sockaddr *, socklen_t))dlsym(RTLD_NEXT, "bind");
  if (length > sizeof copy) return real(fd, given, length);
  memcpy(&copy, given, length);
  struct sockaddr_in *four = (struct sockaddr_in *)&copy;
  struct sockaddr_in6 *six = (struct sockaddr_in6 *)&copy;
  if (copy.ss_family == AF_INET && four->sin_addr.s_addr == htonl(INADDR_ANY))
    four->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  else if (copy.ss_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&six->sin6_addr))
    inet_pton(AF_INET6, "::ffff:127.0.0.1", &six->sin6_addr);
  return real(fd, (struct sockaddr *)&copy, length);
}
"""


def shim(folder: Path) -> Path | None:
    """Compiles what keeps a process on loopback, to be preloaded.

    Returns:
        The library, or None where there is no C compiler or no preloading.
    """
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None or not sys.platform.startswith("linux"):
        return None
    source, library = folder / "loopback.c", folder / "loopback.so"
    source.write_text(_SOURCE, encoding="utf-8")
    made = subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"],
        capture_output=True,
        check=False,
    )
    return library if made.returncode == 0 else None


def open_to_others(pid: int) -> bool:
    """Whether a process listens where other machines can reach it."""
    return any(
        one.status == psutil.CONN_LISTEN
        and one.laddr.ip not in ("127.0.0.1", "::1", "::ffff:127.0.0.1")
        for one in psutil.Process(pid).net_connections("tcp")
    )
