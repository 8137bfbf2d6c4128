"""The language matrix: `calc serve` called by clients of other gRPC libraries, and calc's client calling their servers.

    script/interop --help

script/interop installs and builds what this needs. Each cell of the matrix is a server, a client and a transport: clear
text, TLS or mutual TLS. In a cell the client program makes the checks of `matrix.CHECKS` and prints a line for each.
The modules: `peers` builds the programs and names their versions, `matrix` runs a cell, `document` writes
docs/interop.md. Client programs are `check.*` in benches/client and benches/peers, beside the servers.
"""

import argparse
import pathlib
import signal
import sys
import tempfile
import time

import document
import matrix
import peers
from servers import ROOT, TARGET, LeftOut


def parse_arguments():
    known = [peer.name for peer in peers.ALL]
    parser = argparse.ArgumentParser(prog="script/interop", description="calc with other gRPC libraries.")
    parser.add_argument("--only", help=f"libraries to check, of {','.join(known)}; writes nothing")
    parser.add_argument("--require", choices=["all"], help="fail if a library cannot be had here; the default with CI=")
    arguments = parser.parse_args()
    arguments.only = arguments.only.split(",") if arguments.only else known
    for name in arguments.only:
        if name not in known:
            parser.error(f"unknown library {name}; choose from {', '.join(known)}")
    return arguments


def tell(line):
    print(line, flush=True)


def plain(reason):
    """The reason, without paths of this machine."""
    return str(reason).replace(str(TARGET), "target").replace(str(ROOT), ".")


def build(wanted):
    """Builds the programs of the peers. Returns those that could be built, and the reasons why others could not."""
    built, left_out = [], {}
    for peer in wanted:
        began = time.monotonic()
        try:
            peer.build()
            built.append(peer)
            tell(f"{peer.title}: {peer.versions()} (built in {time.monotonic() - began:.1f} s)")
        except LeftOut as reason:
            left_out[peer] = plain(reason)
            tell(f"WITHOUT {peer.title}: {left_out[peer]}")
    return built, left_out


def check(built, folder):
    """Runs every cell. Returns the failures by cell."""
    files, failures = matrix.certificates(folder), {}
    for server, client in [(peers.CALC, peer) for peer in built] + [(peer, peers.CALC) for peer in built[1:]]:
        for transport in matrix.TRANSPORTS:
            cell, began = (server, client, transport), time.monotonic()
            try:
                matrix.run(*cell, files)
                verdict = "passed"
            except matrix.Failed as failure:
                failures[cell] = plain(failure)
                verdict = f"FAILED: {failures[cell]}"
            tell(f"{server.title}, called by {client.title}, {transport}: {verdict} ({time.monotonic() - began:.1f} s)")
    return failures


def main():
    arguments = parse_arguments()
    # Turns the signals into an exit that stops what was started.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    built, left_out = build([peers.CALC, *(peer for peer in peers.ALL if peer.name in arguments.only)])
    if peers.CALC in left_out:
        sys.exit("script/interop: calc itself is missing")
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        failures = check(built, pathlib.Path(folder))
    tell(f"\n{document.table(built, left_out, failures)}\n")
    cells = (len(built) * 2 - 1) * len(matrix.TRANSPORTS)
    tell(f"{cells - len(failures)} passed, {len(failures)} failed")
    tell(f"({time.monotonic() - began:.0f} s; {matrix.CALLS:,} concurrent calls in each cell)")
    for (server, client, transport), reason in failures.items():
        tell(f"FAILED: {server.title}, called by {client.title}, {transport}: {reason}")
    for peer, reason in left_out.items():
        tell(f"WITHOUT {peer.title}: {reason}")
    if failures or (left_out and arguments.require):
        sys.exit(1)
    if not left_out and len(arguments.only) == len(peers.ALL):
        document.write(ROOT / "docs/interop.md", document.table(built, left_out, failures))


if __name__ == "__main__":
    main()
