"""The table of docs/scaling.md."""

BEGIN, END = "<!-- script/scaling writes from here -->\n", "<!-- script/scaling writes to here -->\n"


def row(*cells):
    return " | ".join(cells)


def page(before, names, cases, outcomes):
    """The page with a new table between its markers."""
    lines = [f"| | {row(*names)} |", f"|---|{'---|' * len(names)}"]
    for case in cases:
        lines.append(f"| {case.__doc__} | {row(*(outcomes[name, case] for name in names))} |")
    head, _, rest = before.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return head + BEGIN + "\n".join(lines) + "\n" + END + tail
