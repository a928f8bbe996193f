"""Turns what benches print into docs/performance.md and its plots.

    performance.py rows LOG               the rows of one bench's output, from all forms it may have
    performance.py write FOLDER PAGE      the page and plots of the rows in FOLDER/*.rows

Rows are of the forms of benches/support/row.rs and point.rs. A target that is not met is shown with
its reason, from benches/reasons.tsv; one without a reason is written all the same, and makes `write`
end with an error. `--short` writes figures that are not worth judging.
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from plots import PLOTS, svg

HEAD = "figure, value, target, met, anchor, ratio, spread, distinct requests, reason".split(", ")
CRITERION = re.compile(r"test (\S+) \.\.\. bench: +([\d,]+) ns/iter \(\+/- ([\d,]+)\)")
TARGET = re.compile(r"(ratio )?(<=|>=) ([\d.]+)")


@dataclass(frozen=True)
class Row:
    figure: str
    value: str
    unit: str
    target: str
    anchor: str
    ratio: str
    spread: str
    distinct: str

    def met(self):
        """Whether the target is met; None where there is none."""
        if not self.target:
            return None
        found = TARGET.fullmatch(self.target)
        if not found:
            raise ValueError(f"{self.figure}: target `{self.target}`")
        value = float(self.ratio if found[1] else self.value)
        bound = float(found[3])
        return value <= bound if found[2] == "<=" else value >= bound


def rows_of(log):
    """Lines of the known forms: row.rs, criterion's, gungraun's, tables as they are."""
    name = ""
    for text in log.splitlines():
        if text.startswith(("figure\t", "point\t", "machine\t", "|")):
            yield text
        elif found := CRITERION.match(text):
            value, spread = (number.replace(",", "") for number in found.groups()[1:])
            least, most = int(value) - int(spread), int(value) + int(spread)
            yield f"figure\tdecide: {found[1]}\t{value}\tns\t\t\t\t{least} to {most}\t"
        elif re.match(r"\w+::\w+", text):
            name = text.strip()
        elif found := re.match(r"\s+Instructions:\s+(\d+)\|", text):
            yield f"figure\t{name}\t{found[1]}\tinstructions\t\t\t\t\t"


@dataclass
class Section:
    """What one bench told."""

    name: str
    machine: str
    rows: list[Row]
    tables: list[str]
    points: list[list[str]]


def read(path):
    section = Section(path.stem, "", [], [], [])
    for text in path.read_text().splitlines():
        kind, _, rest = text.partition("\t")
        if not text:
            continue
        if kind == "machine":
            section.machine = rest
        elif kind == "figure":
            section.rows.append(Row(*rest.split("\t")))
        elif kind == "point":
            section.points.append(rest.split("\t"))
        elif text.startswith("|"):
            section.tables.append(text)
        else:
            raise ValueError(f"{path}: {text}")
    return section


def reasons():
    path = Path(__file__).parent.parent / "benches" / "reasons.tsv"
    lines = path.read_text().splitlines() if path.exists() else []
    return dict(line.split("\t") for line in lines if line and not line.startswith("#"))


def table(head, lines):
    def cells(line):
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |"

    rule = "|" + "---|" * len(head)
    return [cells(head), rule, *map(cells, lines), ""]


def shown(row, why):
    met = {None: "", True: "yes", False: "**no**"}[row.met()]
    reason = why.get(row.figure, "none is known") if met == "**no**" else ""
    value = f"{row.value} {row.unit}".strip()
    told = [row.figure, value, row.target, met, row.anchor, row.ratio, row.spread, row.distinct]
    return [*told, reason]


def page(sections, plots, folder, short):
    why = reasons()
    rows = [row for section in sections for row in section.rows]
    judged = [row for row in rows if row.met() is not None]
    missed = [row for row in judged if not row.met()]
    lines = ["# Performance", ""]
    if short:
        lines += ["Unoptimized and in the smallest form: these figures show that the benches run.", ""]
    lines += [
        "Written by `scripts/bench.sh`. How each figure is measured stands in `benches/README.md`. "
        "A value is the median of rounds; a spread is the least and the most of the ratio where there "
        "is one, else of the value.",
        "",
        f"{len(judged) - len(missed)} of {len(judged)} targets are met.",
        "",
    ]
    if missed:
        lines += ["## Targets that are not met", "", *table(HEAD, [shown(row, why) for row in missed])]
    lines += [f"![{PLOTS[name].title}]({folder}/{name}.svg)\n" for name in plots]
    for section in sections:
        lines += [f"## {section.name}", "", f"Machine: {section.machine}", ""]
        if section.rows:
            lines += table(HEAD, [shown(row, why) for row in section.rows])
        lines += [*section.tables, ""] if section.tables else []
    return "\n".join(lines), [row.figure for row in missed if row.figure not in why]


def write(folder, target, short):
    sections = [read(path) for path in sorted(folder.glob("*.rows"))]
    if not any(section.rows for section in sections):
        raise ValueError(f"{folder}: no figures")
    plots = {}
    for section in sections:
        for plot, series, x, y in section.points:
            plots.setdefault(plot, {}).setdefault(series, []).append((float(x), float(y)))
    for name, series in plots.items():
        path = folder / f"{name}.svg"
        path.write_text(svg(PLOTS[name], series))
        lines = ElementTree.parse(path).getroot().findall("{*}polyline")
        if len(lines) != len(series):
            raise ValueError(f"{path}: {len(lines)} lines of {len(series)}")
    text, unexplained = page(sections, plots, folder.name, short)
    target.write_text(text.rstrip() + "\n")
    print(f"wrote {target} and {len(plots)} plots")
    if unexplained and not short:
        sys.exit("missed without a reason in benches/reasons.tsv:\n" + "\n".join(unexplained))


def main(arguments):
    match [argument for argument in arguments if argument != "--short"]:
        case ["rows", log]:
            print("\n".join(rows_of(Path(log).read_text())))
        case ["write", folder, target]:
            write(Path(folder), Path(target), "--short" in arguments)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
