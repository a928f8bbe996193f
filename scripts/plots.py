"""Plots as SVG, by matplotlib: lines over panels one below the other.

The same points make the same bytes. Text stays text, and the ground is white, so that a plot can be
read on a dark page too.
"""

import math
import os
import sys
from dataclasses import dataclass
from pathlib import Path

TOOLS = Path(__file__).resolve().parent.parent / ".tools"
sys.path.insert(0, str(TOOLS / "python"))
# Where it keeps which fonts there are.
os.environ.setdefault("MPLCONFIGDIR", str(TOOLS / "matplotlib"))
try:
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
except ImportError:
    sys.exit("plots need matplotlib: scripts/tools.sh installs it")

COLOURS = ["#0b6e4f", "#c44536", "#26547c", "#d07f00", "#7b2d8b", "#5c6b73"]
DASHES = ["-", "--", ":", "-."]
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "tagwarden",
    "font.sans-serif": ["DejaVu Sans"],
    "text.parse_math": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
}


@dataclass(frozen=True)
class Panel:
    """Two axes. `x` and `y` are labels; `mark` is a line at a value of y."""

    x: str
    y: str
    x_scale: str
    y_scale: str
    mark: float | None = None


@dataclass(frozen=True)
class Plot:
    """A file. Its panels have the names that points tell."""

    title: str
    panels: dict[str, Panel]


PLOTS = {
    "growth": Plot(
        "A decision by number of policies, beside flat texts compared",
        {"growth": Panel("policies of one statement", "ns a decision", "log", "log")},
    ),
    "engines": Plot(
        "A decision by number of policies, beside other engines",
        {"engines": Panel("policies of one statement", "ns a decision", "log", "log")},
    ),
    "latency": Plot(
        "Single decisions by profile",
        {"latency": Panel("percentile of decisions", "ns a decision", "places", "log")},
    ),
    "rounds": Plot(
        "Authorize beside a bare tonic method, by round",
        {"rounds": Panel("round", "calls a second, one core", "places", "linear")},
    ),
    "compile": Plot(
        "Documents to a snapshot, by number of policies",
        {
            "compile": Panel("policies of one statement", "ms", "log", "log"),
            "size": Panel("policies of one statement", "bytes a policy", "log", "linear"),
        },
    ),
    "swap": Plot(
        "Tails with swaps against tails without, by round",
        {"swap": Panel("round", "times", "places", "linear", 1.0)},
    ),
    "writes": Plot(
        "Durable writes of tags, by number of writers",
        {
            "writes": Panel("writers at once", "writes a second", "log", "log"),
            "grouped": Panel("writers at once", "writes in one sync", "log", "log"),
        },
    ),
}


def svg(path, plot, told):
    """Writes a plot of `{panel: {series: [(x, y), …]}}`."""
    with rc_context(STYLE):
        figure = Figure(figsize=(8.4, 0.5 + 3.3 * len(told)), layout="constrained")
        figure.suptitle(plot.title, x=0.02, ha="left")
        axes = figure.subplots(len(told), squeeze=False)[:, 0]
        for panel, axis in zip(told, axes, strict=True):
            draw(axis, panel, plot.panels[panel], told[panel])
        bare = dict.fromkeys(["Date", "Creator", "Format", "Type"])
        figure.savefig(path, format="svg", metadata=bare)


def draw(axis, name, panel, series):
    xs, ys = ([point[at] for line in series.values() for point in line] for at in (0, 1))
    check(panel, xs, ys)
    places = sorted(set(xs))
    at = places.index if panel.x_scale == "places" else float
    for (told, points), style in zip(series.items(), styles(series), strict=True):
        line = sorted(points)
        drawn = axis.plot([at(x) for x, _ in line], [y for _, y in line], label=told, **style)
        drawn[0].set_gid(f"{name}: {told}")
    if panel.mark is not None:
        axis.axhline(panel.mark, color="#000000", linewidth=1)
    axis.set(xlabel=panel.x, ylabel=panel.y)
    scale_y(axis, panel, ys)
    if panel.x_scale == "log":
        axis.set_xscale("log")
    axis.set_xticks([at(x) for x in places], [f"{x:,.12g}" for x in places])
    axis.xaxis.set_minor_locator(NullLocator())
    axis.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)


def check(panel, xs, ys):
    if not all(map(math.isfinite, xs + ys)):
        raise ValueError(f"{panel.y}: not finite")
    for scale, values in ((panel.x_scale, xs), (panel.y_scale, ys)):
        if scale == "log" and min(values) <= 0:
            raise ValueError(f"{panel.y}: a logarithmic axis has no place for {min(values)}")


def scale_y(axis, panel, values):
    if panel.y_scale == "log":
        axis.set_yscale("log")
        is_wide = max(values) > 100 * min(values)
        axis.yaxis.set_major_locator(LogLocator(subs=[1] if is_wide else [1, 2, 5]))
        axis.yaxis.set_minor_locator(NullLocator())
    else:
        axis.set_ylim(0, 1.1 * max([*values, panel.mark or 0]))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.12g}"))


def styles(series):
    """A colour for what stands before the first comma of a name, a dash for what stands behind it."""
    colours, dashes = {}, {}
    for name in series:
        one, _, two = name.partition(", ")
        colour = colours.setdefault(one, COLOURS[len(colours) % len(COLOURS)])
        dash = dashes.setdefault(two, DASHES[len(dashes) % len(DASHES)])
        yield {"color": colour, "linestyle": dash, "marker": "o", "markersize": 4}
