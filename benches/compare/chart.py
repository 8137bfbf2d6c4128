"""The chart: CPU time per call by server and shape, as SVG. Bars are user and system time; a line is the spread."""

from html import escape

import comparison

WIDTH, LEFT, RIGHT = 860, 170, 130
ROW, BAR, HEAD, PANEL_HEAD = 26, 16, 64, 34
# Bars are cut off at this many times the length of calc's, so that short ones stay readable.
LONGEST = 4

EXPLAINED = "line: min to max of the rounds; in brackets: calc's CPU time divided by this server's"

INK, FAINT, PAPER = "#1f2328", "#8c959f", "#ffffff"
OURS, OUR_SYSTEM, THEIRS, THEIR_SYSTEM = "#0969da", "#80b3ea", "#57606a", "#b6bcc3"


def svg(servers, plan, runs):
    """The chart of the comparison."""
    height = HEAD + len(plan.shapes) * (PANEL_HEAD + len(servers) * ROW) + 16
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'font-family="system-ui, sans-serif" font-size="13" role="img" aria-label="Server CPU time per unary call">',
        f'<rect width="{WIDTH}" height="{height}" fill="{PAPER}"/>',
        label(16, 26, "Server CPU time per unary call, µs (lower is better)", size=16, weight=600),
        *legend(46),
    ]
    top = HEAD
    for shape in plan.shapes:
        parts.append(label(16, top + 22, f"{shape.connections} × {shape.streams}", weight=600))
        parts.append(label(16 + 70, top + 22, "connections × streams", colour=FAINT))
        parts += panel(servers, runs, shape, top + PANEL_HEAD)
        top += PANEL_HEAD + len(servers) * ROW
    return "\n".join([*parts, "</svg>", ""])


def legend(y):
    parts, x = [], 16
    for colour, other, text in (
        (OURS, THEIRS, "user"),
        (OUR_SYSTEM, THEIR_SYSTEM, "system"),
    ):
        parts += [rectangle(x, y - 10, 10, 10, colour), rectangle(x + 12, y - 10, 10, 10, other)]
        parts.append(label(x + 28, y, text))
        x += 90
    return [*parts, label(x, y, EXPLAINED, colour=FAINT)]


def panel(servers, runs, shape, top):
    """A bar for each server."""
    cpu = {server.name: comparison.spread(runs[shape, server.name], "cpu") for server in servers}
    longest = LONGEST * cpu["calc"].median
    scale = (WIDTH - LEFT - RIGHT) / min(longest, max(spread.most for spread in cpu.values()))
    end = WIDTH - RIGHT
    parts = []
    for number, server in enumerate(servers):
        y = top + number * ROW
        spread = cpu[server.name]
        is_ours = server.name == "calc"
        user = comparison.spread(runs[shape, server.name], "user").median
        middle = min(LEFT + scale * user, end)
        right = min(LEFT + scale * spread.median, end)
        parts.append(label(LEFT - 10, y + 13, server.title, anchor="end", weight=600 if is_ours else 400))
        parts.append(rectangle(LEFT, y, middle - LEFT, BAR, OURS if is_ours else THEIRS))
        parts.append(rectangle(middle, y, right - middle, BAR, OUR_SYSTEM if is_ours else THEIR_SYSTEM))
        if scale * spread.median > end - LEFT:
            # Marks the bar as cut off.
            parts.append(f'<path d="M{end - 14} {y + BAR + 2} l6 -{BAR + 4} h5 l-6 {BAR + 4} z" fill="{PAPER}"/>')
            beside = end
        else:
            least, most = (min(LEFT + scale * value, end) for value in (spread.least, spread.most))
            parts.append(
                f'<path d="M{least:.1f} {y + 8} H{most:.1f} M{least:.1f} {y + 4} v8 M{most:.1f} {y + 4} v8" '
                f'stroke="{INK}" fill="none"/>'
            )
            beside = max(right, most)
        ratio = "" if is_ours else f"  ({comparison.cpu_ratio(runs, shape, server.name).median:.2f})"
        parts.append(label(beside + 8, y + 13, f"{spread.median:.1f}{ratio}", weight=600 if is_ours else 400))
    return parts


def rectangle(x, y, width, height, colour):
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{height}" fill="{colour}"/>'


def label(x, y, text, colour=INK, anchor="start", size=13, weight=400):
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}" font-size="{size}" '
        f'font-weight="{weight}">{escape(text)}</text>'
    )
