"""Runs a program whose standard error is a terminal, and prints what that shows.

    python tests/python/terminal.py PROGRAM ARGUMENT...

Standard input is the program's; its standard output goes nowhere.
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
            # Nobody has the other end any more.
            break
        if not piece:
            break
        shown += piece
    program.wait()
    sys.stdout.buffer.write(shown)


if __name__ == "__main__":
    main()
