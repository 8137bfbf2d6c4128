"""The matrix as a table, and its section of docs/interop.md."""

import matrix

BEGIN, END = "<!-- script/interop writes from here -->", "<!-- script/interop writes to here -->"
HEADING = "# Interoperability\n"


def table(built, left_out, failures):
    """The matrix in Markdown: a row for each library."""
    rows = ["| library | versions | its client, `calc serve` | calc's client, its server |", "| --- | --- | --- | --- |"]
    calc = built[0]
    for peer in built:
        cells = [verdict(calc, peer, failures), verdict(peer, calc, failures)]
        rows.append(f"| {peer.title} | {peer.versions()} | {' | '.join(cells)} |")
    for peer, reason in left_out.items():
        rows.append(f"| {peer.title} | WITHOUT: {reason} | – | – |")
    return "\n".join(rows)


def verdict(server, client, failures):
    marks = (f"{name} {'FAILED' if (server, client, name) in failures else '✓'}" for name in matrix.TRANSPORTS)
    return ", ".join(marks)


TEXT = """\
## Languages

`script/interop` installs the libraries, runs this matrix and writes the table. In each cell
a client makes, one after the other on one channel:

- the four calls;
- an overflow and a division by zero, whose code, message and `google.rpc` details must be those of the contract;
- {calls:,} concurrent calls with different operands, and checks each result. All are started together, and wait for the
  server's limit of streams in the library; but Ruby, whose calls block a thread, has 100 threads, and grpclib 100 in flight,
  because past the limit it wakes all waiting calls at the end of each (with {calls:,} they did not end within a minute);
- a call whose request never comes, until its deadline of 0.2 s: `DEADLINE_EXCEEDED`;
- another such call, which it cancels when the server has its headers. After both, the connection still serves calls.

With TLS, a client that does not trust the server's CA must refuse the server. With mutual TLS, the server must refuse a
client without a certificate. Both show in the client as `UNAVAILABLE` or a connection that ends.

{table}

Servers on a recent C core cancel or refuse calls when thousands arrive at once: Python's limit the streams of a connection
to 100, and turn `grpc.http.overload_protection` off: with it, calls ended with `REFUSED_STREAM` although the client kept the limit.
Ruby's refuses a call that finds no free thread: it has 200, and 10 streams. tonic's client says `CANCELLED` with `Timeout
expired` instead of `DEADLINE_EXCEEDED` when its own clock ends a call.

Every server sends the details; where the library has no function for them, its program encodes the `google.rpc.Status` in
the metadata `grpc-status-details-bin`. The programs are in [`benches/peers/`](../benches/peers/) and
[`benches/client/`](../benches/client/).
"""


def write(path, rows):
    """Replaces the section between the markers, or appends it."""
    section = f"{BEGIN}\n{TEXT.format(calls=matrix.CALLS, table=rows)}{END}\n"
    before = path.read_text() if path.exists() else HEADING
    head, found, rest = before.partition(BEGIN)
    _, _, tail = rest.partition(f"{END}\n")
    path.write_text(f"{head}{section}{tail}" if found else f"{before}\n{section}")
