"""Checks that a server speaks HTTP/2: the 146 cases of h2spec 2.6, written anew with RPCs as requests.

python h2spec.py TARGET lists the cases that fail, where TARGET serves the Calculator. It fails if these are not
exactly those in NOT_MET, which `python h2spec.py --not-met` lists and docs/interop.md gives the reasons of.
"""

import socket
import sys
from concurrent.futures import ThreadPoolExecutor

from checks import PATIENCE
from h2spec_generic import GENERIC, HPACK
from h2spec_http2 import CASES
from expectations import Peer, Unexpected

NOT_MET = {"http2/5.3.1/1", "http2/5.3.1/2", "hpack/5.2/1"}
# How long a case that is known to fail waits for the server to do what it does not, in seconds.
SHORT = 1


def check(case):
    """Returns what is wrong, or None."""
    name, steps = case
    try:
        if steps is None:
            return invalid_preface()
        peer = Peer(sys.argv[1], SHORT if name in NOT_MET else PATIENCE)
        for step in steps:
            if callable(step):
                step(peer)
            else:
                peer.write(step)
    except Unexpected as error:
        return error
    except (ConnectionResetError, BrokenPipeError):
        # The server closed the connection while the case was writing.
        return None


def invalid_preface():
    host, port = sys.argv[1].rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
        connection.sendall(b"INVALID CONNECTION PREFACE\r\n\r\n")
        while connection.recv(4096):
            pass


def main():
    if sys.argv[1] == "--not-met":
        print(*sorted(NOT_MET), sep="\n")
        return
    groups = {"generic": GENERIC, "http2": CASES, "hpack": HPACK}
    cases = {f"{group}/{name}": (text, steps) for group, listed in groups.items() for name, text, steps in listed}
    with ThreadPoolExecutor(16) as pool:
        wrong = pool.map(check, [(name, steps) for name, (_, steps) in cases.items()])
    failed = {name: error for name, error in zip(cases, wrong) if error is not None}
    for name, error in failed.items():
        if name not in NOT_MET:
            print(f"{name}, {cases[name][0]}: {error}")
    for name in NOT_MET - set(failed):
        print(f"{name}, {cases[name][0]}: passes; remove it from NOT_MET and from docs/interop.md")
    print(f"{len(cases) - len(failed)} of {len(cases)} cases pass")
    sys.exit(set(failed) != NOT_MET)


if __name__ == "__main__":
    main()
