"""Plots as SVG, written by hand: lines over two axes, each linear, logarithmic or of named places."""

import math
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 900, 460
LEFT, RIGHT, TOP, BOTTOM = 80, 330, 50, 60
COLOURS = ["#0b6e4f", "#c44536", "#26547c", "#e09f3e", "#7b2d8b", "#3d5a80", "#8a5a44", "#5c6b73"]


@dataclass(frozen=True)
class Plot:
    """What a plot shows. `x` and `y` are labels; `mark` is a line at a value of y."""

    title: str
    x: str
    y: str
    x_scale: str
    y_scale: str
    mark: float | None = None


PLOTS = {
    "growth": Plot("A decision, by number of policies", "policies", "ns a decision", "log", "log"),
    "latency": Plot("Single decisions", "percentile", "ns", "places", "log"),
    "rounds": Plot("Calls against a bare tonic method", "round", "ratio", "places", "linear", 1.0),
    "swap": Plot("Tails with swaps against without", "round", "ratio", "places", "linear", 1.0),
}


class Axis:
    """Where a value stands between two ends, and which values are written beside it."""

    def __init__(self, scale, values, start, end):
        self.scale, self.start, self.end = scale, start, end
        if scale == "places":
            self.ticks = sorted(set(values))
            self.low, self.high = 0, max(1, len(self.ticks) - 1)
        elif scale == "log":
            if min(values) <= 0:
                raise ValueError("a logarithmic axis has no place for 0")
            self.low = math.floor(math.log10(min(values)))
            self.high = max(self.low + 1, math.ceil(math.log10(max(values))))
            self.ticks = [10.0**power for power in range(self.low, self.high + 1)]
        else:
            step = 10 ** math.floor(math.log10(max(*map(abs, values), 1e-9)))
            step = step if max(values) / step > 3 else step / 5
            self.low, self.high = 0, step * math.ceil(max(values) / step)
            self.ticks = [place * step for place in range(round(self.high / step) + 1)]

    def at(self, value):
        place = {
            "places": lambda: self.ticks.index(value),
            "log": lambda: math.log10(value),
            "linear": lambda: value,
        }[self.scale]()
        share = (place - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)


def svg(plot, series):
    """The text of a plot of `{name: [(x, y), …]}`."""
    points = [point for line in series.values() for point in line]
    if not points or not all(math.isfinite(number) for point in points for number in point):
        raise ValueError(f"no points, or not finite: {plot.title}")
    marks = [plot.mark] if plot.mark is not None else []
    x = Axis(plot.x_scale, [point[0] for point in points], LEFT, WIDTH - RIGHT)
    y = Axis(plot.y_scale, [point[1] for point in points] + marks, HEIGHT - BOTTOM, TOP)
    parts = frame(plot, x, y)
    if plot.mark is not None:
        parts.append(line(LEFT, y.at(plot.mark), WIDTH - RIGHT, y.at(plot.mark), "#000", 1.5))
    for number, (name, values) in enumerate(series.items()):
        parts += drawn(number, name, [(x.at(one), y.at(two)) for one, two in sorted(values)])
    return "\n".join([*parts, "</svg>", ""])


def frame(plot, x, y):
    """The ground, the title, and the axes with their ticks."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        text(LEFT, 28, plot.title, size=17),
        text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, plot.x, "middle"),
        text(14, TOP - 12, plot.y),
    ]
    for tick in x.ticks:
        parts.append(line(x.at(tick), TOP, x.at(tick), HEIGHT - BOTTOM, "#ddd"))
        parts.append(text(x.at(tick), HEIGHT - BOTTOM + 20, f"{tick:,.12g}", "middle"))
    for tick in y.ticks:
        parts.append(line(LEFT, y.at(tick), WIDTH - RIGHT, y.at(tick), "#ddd"))
        parts.append(text(LEFT - 8, y.at(tick) + 4, f"{tick:,.6g}", "end"))
    return parts


def drawn(number, name, places):
    """One series: its line, its points, its name in the legend."""
    colour = COLOURS[number % len(COLOURS)]
    dashes = ["", ' stroke-dasharray="7 4"', ' stroke-dasharray="2 3"']
    dash = dashes[min(number // len(COLOURS), len(dashes) - 1)]
    path = " ".join(f"{x},{y}" for x, y in places)
    high = TOP + 10 + number * 22
    return [
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>',
        *(f'<circle cx="{x}" cy="{y}" r="3.5" fill="{colour}"/>' for x, y in places),
        line(WIDTH - RIGHT + 16, high, WIDTH - RIGHT + 40, high, colour, 3),
        text(WIDTH - RIGHT + 46, high + 4, name),
    ]


def line(x1, y1, x2, y2, colour, width=1):
    ends = f'x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"'
    return f'<line {ends} stroke="{colour}" stroke-width="{width}"/>'


def text(x, y, words, anchor="start", size=13):
    place = f'x="{x}" y="{y}" text-anchor="{anchor}" font-size="{size}"'
    return f"<text {place}>{escape(words)}</text>"
