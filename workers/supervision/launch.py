"""Starts a program that ends when its parent is gone, however the parent went.

Run as a file, before anything is imported: `python launch.py PARENT_PID PROGRAM ARGUMENT…`.
Its standard input is a pipe that nobody writes to and that the parent alone holds open.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main() -> int | None:
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform != "linux":
        return _watch(command)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died before the kernel knew
        return 1
    return os.execvp(command[0], command)  # noqa: S606  the list is ours; it does not return


def _watch(command: list[str]) -> int:
    """Where the kernel cannot do it: stay beside the program until either side ends."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())

    def end_with_parent() -> None:
        sys.stdin.buffer.read()
        child.terminate()

    threading.Thread(target=end_with_parent, daemon=True).start()
    return child.wait()


if __name__ == "__main__":
    sys.exit(main())
