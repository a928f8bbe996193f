"""Writes docs/performance.md and its plots from the rows that benches told.

    performance.py [--short] FOLDER PAGE      the page and plots of the rows in FOLDER/*.rows

A target that is not met is shown with its reason, from benches/reasons.tsv; one without a reason is
written all the same, and ends this with an error. `--short` writes figures that are not worth
judging.
"""

import sys
from pathlib import Path

from benches import BENCHES
from plots import PLOTS, svg
from rows import read

HEAD = "figure, value, target, met, anchor, ratio, spread, distinct requests, reason".split(", ")
REASONS = Path(__file__).resolve().parent.parent / "benches" / "reasons.tsv"
INTRODUCTION = """\
What a decision costs, what a call that carries it costs, and what changes, starts and writes cost:
each figure beside an anchor, the least that the same work could take or what else does it, where
there is one. Written by `scripts/bench.sh`, which runs every bench; how to run one, and what its
corpora are, stands in `benches/README.md`.

A corpus is drawn with a fixed seed. What is compared runs by turns, in rounds, on one machine: a
value is the median of the rounds, a ratio the median of the rounds' ratios, of the value to the
anchor unless the anchor says otherwise. A spread is the least and the most of the ratio where there
is one, else of the value. Percentiles are of all calls of all rounds. Distinct requests tell how
much of the memory is warm: with many of them memory bounds a decision. The machine is shared, and
clocks vary by 15 % and more from run to run: read ratios first, and compare values within a section
only."""
SHORT = "Unoptimized and in the smallest form: these figures show that the benches run."


def reasons():
    """Why targets are missed, by figure."""
    lines = REASONS.read_text().splitlines()
    pairs = [line.split("\t") for line in lines if line and not line.startswith("#")]
    why = dict(pairs)
    if len(why) != len(pairs):
        raise ValueError(f"{REASONS}: a figure has two reasons")
    return why


def sections_of(folder):
    """What is told, in the order of the page; no figure twice."""
    sections = {path.stem: read(path) for path in folder.glob("*.rows")}
    unknown = sections.keys() - BENCHES.keys()
    if unknown:
        raise ValueError(f"{folder}: rows of no bench: {', '.join(sorted(unknown))}")
    figures = [row.figure for section in sections.values() for row in section.rows()]
    twice = {figure for figure in figures if figures.count(figure) > 1}
    if twice:
        raise ValueError(f"{folder}: told twice: {', '.join(sorted(twice))}")
    if not figures:
        raise ValueError(f"{folder}: no figures")
    return [sections[name] for name in BENCHES if name in sections]


def draw(sections, folder):
    """Writes all plots that there are points for; which bench each stands with."""
    told = {}
    for section in sections:
        for panel, series, x, y in section.points:
            owner, lines = told.setdefault(panel, (section.name, {}))
            if owner != section.name:
                raise ValueError(f"points of `{panel}` from {owner} and {section.name}")
            lines.setdefault(series, []).append((float(x), float(y)))
    drawn = {}
    for name, plot in PLOTS.items():
        panels = {panel: told.pop(panel) for panel in plot.panels if panel in told}
        path = folder / f"{name}.svg"
        if panels:
            svg(path, plot, {panel: lines for panel, (_, lines) in panels.items()})
            drawn.setdefault(next(iter(panels.values()))[0], []).append(name)
        else:
            path.unlink(missing_ok=True)
    if told:
        raise ValueError(f"points of no plot: {', '.join(told)}")
    return drawn


def table(lines):
    """A table, without the columns that are empty."""
    kept = [at for at, name in enumerate(HEAD) if at < 2 or any(line[at] for line in lines)]

    def cells(line):
        return "| " + " | ".join(line[at].replace("|", "\\|") for at in kept) + " |"

    return [cells(HEAD), "|" + "---|" * len(kept), *map(cells, lines), ""]


def shown(row, why):
    met = {None: "", True: "yes", False: "**no**"}[row.met()]
    reason = why.get(row.figure, "none is known") if row.met() is False else ""
    value = f"{row.value} {row.unit}".strip()
    told = [row.figure, value, row.target, met, row.anchor, row.ratio, row.spread, row.distinct]
    return [*told, reason]


def summary(sections, short):
    """What the figures are of, and what is missing."""
    rows = [row for section in sections for row in section.rows()]
    judged = [row for row in rows if row.target]
    met = [row for row in judged if row.met()]
    yield f"{len(met)} of {len(judged)} targets are met."
    states = {}
    for section in sections:
        for run in section.runs:
            states.setdefault(run.state, {})[section.name] = None
    if len(states) > 1:
        of = "; ".join(f"{state or 'unknown'}: {', '.join(names)}" for state, names in states.items())
        yield f"Not all is of one state of the project: {of}."
    told = {section.name for section in sections if section.rows()}
    missing = [name for name in BENCHES if name not in told]
    if missing and not short:
        yield f"Not measured yet: {', '.join(missing)}."
    failed = [section.name for section in sections for run in section.runs if run.failed]
    if failed:
        yield f"Ended with an error, so that figures may be missing: {', '.join(failed)}."


def section_lines(section, plots, folder, why):
    title, about = BENCHES[section.name]
    yield from [f"## {title}", "", f"`{section.name}`: {about}", ""]
    for name in plots:
        yield from [f"![{PLOTS[name].title}]({folder}/{name}.svg)", ""]
    if len(section.runs) > 1:
        yield from ["The tables are of runs of their own.", ""]
    for run in section.runs:
        yield from [f"{', '.join(filter(None, [run.machine, run.state, run.about]))}", ""]
        if run.failed:
            yield from [f"**It ended with an error:** {run.failed}.", ""]
        if run.rows:
            yield from table([shown(row, why) for row in run.rows])
        if run.tables:
            yield from [*run.tables, ""]


def page(sections, plots, folder, short):
    why = reasons()
    missed = [row for section in sections for row in section.rows() if row.met() is False]
    lines = ["# Performance", "", *([SHORT, ""] if short else []), INTRODUCTION, ""]
    for sentence in summary(sections, short):
        lines += [sentence, ""]
    if missed:
        lines += ["## Targets that are not met", "", *table([shown(row, why) for row in missed])]
    for section in sections:
        lines += section_lines(section, plots.get(section.name, []), folder, why)
    return "\n".join(lines), [row.figure for row in missed if row.figure not in why]


def write(folder, target, short):
    sections = sections_of(folder)
    plots = draw(sections, folder)
    text, unexplained = page(sections, plots, folder.name, short)
    target.write_text(text.rstrip() + "\n")
    print(f"wrote {target} and {sum(map(len, plots.values()))} plots")
    if unexplained and not short:
        sys.exit("missed without a reason in benches/reasons.tsv:\n" + "\n".join(unexplained))


if __name__ == "__main__":
    match [argument for argument in sys.argv[1:] if argument != "--short"]:
        case [folder, target]:
            write(Path(folder), Path(target), "--short" in sys.argv)
        case _:
            sys.exit(__doc__)
