"""Runs a program with a pseudo-terminal as standard error, and prints what it writes there.

    python tests/python/terminal.py PROGRAM ARGUMENT...

The program inherits standard input; its standard output is discarded.
"""

import os
import pty
import subprocess
import sys


def main():
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    program = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=theirs, env=environment)
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:
            # The program has closed its end.
            break
        if not piece:
            break
        shown += piece
    program.wait()
    sys.stdout.buffer.write(shown)


if __name__ == "__main__":
    main()
