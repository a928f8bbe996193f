"""Rows of figures: read from what a bench printed, and from the files below docs/performance.

    rows.py LOG     the rows of one bench's output, from all forms it may have

A file holds what one bench told, in lines whose cells are apart by tabs:

    machine TEXT                    what the figures below were measured on: begins a run
    run     STATE   TEXT            the state of the project, the day and the load
    failed  TEXT                    how the bench ended, if not well
    figure  …                       a figure, of the form of benches/support/row.rs
    point   …                       a point of a plot, of the form of benches/support/point.rs

Lines that begin with `|` are tables. A file of several runs is told as that.
"""

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

CRITERION = re.compile(r"test (\S+) \.\.\. bench: +([\d,]+) ns/iter \(\+/- ([\d,]+)\)")
COUNTED = re.compile(r"instructions::\w+::thousand_(\w+) (\w+):")
INSTRUCTIONS = re.compile(r"\s+Instructions:\s+(\d+)\|")
TARGET = re.compile(r"(ratio )?(<=|>=) ([\d.]+)")


@dataclass(frozen=True)
class Row:
    """One figure, as texts."""

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


@dataclass
class Run:
    """What was told at once."""

    machine: str
    state: str = ""
    about: str = ""
    failed: str = ""
    rows: list[Row] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)


@dataclass
class Section:
    """What one bench told."""

    name: str
    runs: list[Run] = field(default_factory=list)
    points: list[list[str]] = field(default_factory=list)

    def rows(self):
        return [row for run in self.runs for row in run.rows]


def rows_of(log):
    """Lines of the known forms: row.rs, criterion's, gungraun's, tables as they are."""
    name = ""
    for text in log.splitlines():
        if text.startswith(("figure\t", "point\t", "|")):
            yield text
        elif found := CRITERION.match(text):
            value, spread = (number.replace(",", "") for number in found.groups()[1:])
            least, most = int(value) - int(spread), int(value) + int(spread)
            yield f"figure\tdecide: {found[1]}\t{value}\tns\t\t\t\t{least} to {most}\t"
        elif found := COUNTED.match(text):
            name = f"1,000 {found[1].replace('_', ' ')}, {found[2]}"
        elif found := INSTRUCTIONS.match(text):
            yield f"figure\tinstructions: {name}\t{found[1]}\tinstructions\t\t\t\t\t"


def read(path):
    """The section of a file."""
    section = Section(path.stem)
    for text in path.read_text().splitlines():
        kind, _, rest = text.partition("\t")
        if kind == "machine":
            section.runs.append(Run(rest))
        elif text and not section.runs:
            raise ValueError(f"{path}: no machine before `{text}`")
        elif text:
            add(section, path, kind, rest, text)
    return section


def add(section, path, kind, rest, text):
    run = section.runs[-1]
    match kind:
        case "run":
            run.state, run.about = rest.split("\t")
        case "failed":
            run.failed = rest
        case "figure":
            run.rows.append(Row(*rest.split("\t")))
        case "point":
            section.points.append(rest.split("\t"))
        case _ if text.startswith("|"):
            run.tables.append(text)
        case _:
            raise ValueError(f"{path}: {text}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case [log]:
            print("\n".join(rows_of(Path(log).read_text())))
        case _:
            sys.exit(__doc__)
