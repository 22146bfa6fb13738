# SPDX-License-Identifier: GPL-2.0-or-later
"""The page and the chart of what peers.sh has measured: peers_page.py RESULTS.tsv writes RESULTS.md and RESULTS.svg beside it.

RESULTS has a line a measurement: time, load of the machine, work, tool, and four figures, nanoseconds a unit of work: elapsed and of the
processors without the tool, then the same with it. Where the fifth field is "-", the ninth says why there are none. Lines that begin
with "#" are what the machine and the tools are.
"""
import math
import os
import statistics
import sys
from xml.sax.saxutils import escape

TOOLS = [
    ("heaptap", "`heaptap record`", "heaptap"),
    ("alloc_only", "`heaptap record --alloc-only`", "heaptap, allocations only"),
    ("inline", "`heaptap record --inline`", "heaptap --inline"),
    ("memleak", "memleak of libbpf-tools", "memleak"),
    ("bpftrace", "bpftrace, a script that does what memleak does", "bpftrace"),
    ("heaptrack", "heaptrack", "heaptrack"),
    ("jemalloc", "jemalloc's own profiler, of jemalloc", "jemalloc's profiler"),
    ("tcmalloc_sampling", "tcmalloc's own sampling, of tcmalloc", "tcmalloc's sampling"),
    ("tcmalloc_heap", "tcmalloc's heap profiler, of tcmalloc", "tcmalloc's heap profiler"),
    ("massif", "valgrind's massif", "massif"),
    ("dhat", "valgrind's DHAT", "DHAT"),
    ("memray", "memray, of Debian 13's Python", "memray"),
]
WORKS = [
    ("pair", "malloc and free"), ("redis SET", "redis SET"), ("redis GET", "redis GET"), ("nginx", "nginx"), ("postgres", "postgres"),
    ("gcc", "gcc"), ("perl", "perl"), ("python", "Python"), ("node", "node"), ("sqlite", "sqlite3"),
]
GROWTHS = [
    ("threads", "threads", "threads of one process make pairs at the same time"),
    ("rate", "pairs a second", "one process makes so many pairs a second, in bursts each millisecond (at 1 000 and 10 000 most of a pair "
                               "is the way out of sleep, and a trap is lost in how that scatters)"),
    ("live", "live samples", "so many sampled objects are live"),
    ("processes", "processes", "so many processes are in the control group that heaptap traces, one in ten of which allocates "
                               "(at most 64 get the sampler of `--inline`, the others keep probes)"),
    ("depth", "frames", "malloc is called so many frames deep"),
]
GROWTH_TOOLS = [
    ("floor", "floor"), ("heaptap", "`record`"), ("inline", "`record --inline`"), ("every_one", "`record -R 1`"),
]
WALL, PROCESSOR = 0, 1


class Results:
    def __init__(self, path):
        self.facts, self.figures, self.reasons, self.times, self.loads = [], {}, {}, [], []
        with open(path, encoding="utf-8") as file:
            for line in file:
                self.take(line.rstrip("\n").split("\t"))

    def take(self, fields):
        if fields[0].startswith("#"):
            self.facts.append((fields[0].lstrip("# "), fields[1]))
            return
        time, load, work, tool, *rest = fields
        if rest[0] == "-":
            self.reasons[work, tool] = rest[4]
            return
        self.times.append(time)
        self.loads.append(float(load))
        self.figures.setdefault((work, tool), []).append([float(figure) for figure in rest[:4]])

    def ratios(self, work, tool, kind):
        return sorted(row[2 + kind] / row[kind] for row in self.figures.get((work, tool), ()) if row[kind] > 0)

    def more(self, work, tool):
        return sorted(row[3] - row[1] for row in self.figures.get((work, tool), ()))

    def reason(self, work, tool):
        return self.reasons.get((work, tool)) or self.reasons.get((work.split()[0], tool))

    def rounds(self):
        counts = [len(rows) for rows in self.figures.values()]
        return min(counts), max(counts)


def number(value):
    """Three digits, never in powers of ten."""
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:.{min(digits, 3)}f}" if abs(value) < 1000 else f"{float(f'{value:.3g}'):,.0f}".replace(",", " ")


def whole(value):
    return f"{value:,}".replace(",", " ")


def cell(values):
    if not values:
        return ""
    text = number(statistics.median(values))
    return text if len(values) == 1 else f"{text} ({number(values[0])} - {number(values[-1])})"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


class Notes:
    """Why a cell has no figure: each reason once, by a letter."""

    def __init__(self):
        self.letters = {}

    def letter(self, reason):
        return f"*{self.letters.setdefault(reason, chr(ord('a') + len(self.letters)))}*"

    def text(self):
        return "\n".join(f"- *{letter}*: {reason}" for reason, letter in self.letters.items()) + "\n"


def comparison(results, kind, notes):
    works = [work for work in WORKS if any((work[0], tool[0]) in results.figures for tool in TOOLS)]
    rows = []
    for tool, title, _ in TOOLS:
        row = [title]
        for work, _ in works:
            reason = results.reason(work, tool)
            row.append(cell(results.ratios(work, tool, kind)) or (notes.letter(reason) if reason else ""))
        if any(row[1:]):
            rows.append(row)
    return table([""] + [title for _, title in works], rows)


def values_of(results, axis):
    return sorted({int(work.split("=")[1].split()[0]) for work, _ in results.figures if work.startswith(axis + "=")})


def growth_row(results, axis, value, tools):
    work = f"{axis}={value}"
    plain = [row[1] for tool in tools for row in results.figures.get((work, tool), ())]
    row = [whole(value), number(statistics.median(plain)) if plain else ""]
    floor = results.more(work, "floor")
    for tool in tools:
        row.append(cell(results.more(work, tool)))
    both = floor and results.more(work, "heaptap")
    row.append(number(statistics.median(results.more(work, "heaptap")) / statistics.median(floor)) if both else "")
    return row


def growth(results, axis, head, words):
    tools = [tool for tool, _ in GROWTH_TOOLS if any(key[1] == tool and key[0].startswith(axis + "=") for key in results.figures)]
    rows = [growth_row(results, axis, value, tools) for value in values_of(results, axis)]
    if not rows:
        return ""
    titles = dict(GROWTH_TOOLS)
    text = f"### {head.capitalize()}\n\nWhat a pair takes of the processors more than untraced, in ns, while {words}:\n\n"
    text += table([head, "untraced"] + [titles[tool] for tool in tools] + ["`record` / floor"], rows)
    own = [[whole(value)] + [own_share(results, axis, value, tool) for tool in ("heaptap", "inline")]
           for value in values_of(results, axis) if (f"{axis}={value} itself", "heaptap") in results.figures]
    if own:
        text += "\nheaptap's own CPU meanwhile, in percent of a processor:\n\n" + table([head, "`record`", "`record --inline`"], own)
    return text + "\n"


def own_share(results, axis, value, tool):
    return cell([100 * share for share in results.ratios(f"{axis}={value} itself", tool, PROCESSOR)])


def conditions(results):
    least, most = results.rounds()
    facts = dict(results.facts)
    processors = int(facts.get("processors", "1"))
    first, last = (time.replace("T", " ") for time in (min(results.times), max(results.times)))
    counted = "a round of each" if most == 1 else f"{least} to {most} rounds of each"
    text = f"Made by `bench/peers.sh`, {counted}, between {first} and {last}, on: {facts.get('machine', 'unknown')}, {processors} processors,\n" \
           f"kernel {facts.get('kernel', 'unknown')}.\n"
    if max(results.loads) >= processors + 1:
        text += f"\n**Other work wanted the processors**: the load was {number(min(results.loads))} to {number(max(results.loads))}. Figures of such a " \
                "run scatter, elapsed times above all; a run on a quiet machine is to take the place of this one.\n"
    return text


def page(results, chart):
    notes = Notes()
    processor, wall = comparison(results, PROCESSOR, notes), comparison(results, WALL, notes)
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers_page.md"), encoding="utf-8") as file:
        text = file.read()
    grown = "".join(growth(results, *axis) for axis in GROWTHS)
    versions = table(["", "version"], [list(fact) for fact in results.facts if fact[0] not in ("machine", "processors", "kernel")])
    for name, part in (("CONDITIONS", conditions(results)), ("CHART", chart), ("PROCESSOR", processor), ("WALL", wall), ("NOTES", notes.text()),
                       ("GROWTH", grown), ("VERSIONS", versions)):
        text = text.replace(f"@{name}@\n", part)
    return text


# --- the chart -------------------------------------------------------------------------------------------------------------
PANEL_WIDTH, BAR, LABELS, TOP = 200, 15, 150, 50
COLORS = {"heaptap": "#d9480f", "alloc_only": "#f08c00", "inline": "#e8590c"}


def bars(results, work, x, tools, most):
    parts = [f'<text x="{x}" y="{TOP - 10}" font-weight="bold">{escape(dict(WORKS)[work])}</text>']
    for index, (tool, _, title) in enumerate(tools):
        y = TOP + index * BAR
        ratios = results.ratios(work, tool, PROCESSOR)
        if not ratios:
            parts.append(f'<text x="{x + 2}" y="{y + 11}" fill="#868e96">-</text>')
            continue
        ratio = statistics.median(ratios)
        width = max(1.5, math.log10(max(ratio, 1)) / math.log10(most) * (PANEL_WIDTH - 70))
        parts.append(f'<rect x="{x}" y="{y + 2}" width="{width:.1f}" height="{BAR - 4}" fill="{COLORS.get(tool, "#5c7cfa")}">'
                     f'<title>{escape(title)}: {number(ratio)}</title></rect>'
                     f'<text x="{x + width + 4:.1f}" y="{y + 11}">{number(ratio)}</text>')
    return parts


def chart(results):
    works = [work for work, _ in WORKS if any((work, tool[0]) in results.figures for tool in TOOLS)]
    tools = [tool for tool in TOOLS if any((work, tool[0]) in results.figures for work in works)]
    most = max(10, max(statistics.median(results.ratios(work, tool[0], PROCESSOR)) for work in works for tool in tools
                       if results.ratios(work, tool[0], PROCESSOR)))
    per_row = 5
    block = TOP + len(tools) * BAR + 20
    height, width = block * math.ceil(len(works) / per_row), LABELS + PANEL_WIDTH * min(per_row, len(works))
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
             'font-family="sans-serif" font-size="11">', f'<rect width="{width}" height="{height}" fill="white"/>',
             '<text x="8" y="16">Processor time of the work, of the same work untraced (bars: logarithm)</text>']
    for row in range(math.ceil(len(works) / per_row)):
        parts.append(f'<g transform="translate(0 {row * block})">')
        parts += [f'<text x="8" y="{TOP + i * BAR + 11}">{escape(tool[2])}</text>' for i, tool in enumerate(tools)]
        for column, work in enumerate(works[row * per_row:(row + 1) * per_row]):
            parts += bars(results, work, LABELS + column * PANEL_WIDTH, tools, most)
        parts.append("</g>")
    return "\n".join(parts + ["</svg>"]) + "\n"


def main():
    path = sys.argv[1]
    stem = path.removesuffix(".tsv")
    results = Results(path)
    if not results.figures:
        sys.exit(f"peers_page.py: there is no measurement in {path}")
    picture = ""
    if any(not work.count("=") for work, _ in results.figures):
        with open(stem + ".svg", "w", encoding="utf-8") as file:
            file.write(chart(results))
        picture = f"![Processor time of each work under each profiler]({os.path.basename(stem)}.svg)\n"
    with open(stem + ".md", "w", encoding="utf-8") as file:
        file.write(page(results, picture))


main()
