"""Tests of scripts/rows.py, plots.py and performance.py: what they read, what they show, and what they
refuse; of scripts/bench.sh, where benches fail; and of the page itself: it is what its rows make of it, and each reason has its figure."""

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from contextlib import redirect_stdout
from pathlib import Path
from unittest import mock
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
import performance  # noqa: E402
from benches import BENCHES  # noqa: E402
from plots import PLOTS  # noqa: E402
from rows import read, rows_of  # noqa: E402

MET = "figure\ta: fast\t200\tns\t<= 250\t\t\t190 to 210\t4096"
MISSED = "figure\ta: |slow|\t9.1\tns\tratio >= 50\tother, 400 ns\t44.0\t40.0 to 46.0\t4096"
FREE = "figure\ta: told\t7\tbytes\t\t\t\t\t"
RUN = ["machine\tof a kind", "run\tabc\tsome day"]
PAGE = ROOT / "docs" / "performance.md"


def points(panel):
    """Two series of three points."""
    values = [(place, shift * 10**place, shift) for place in range(1, 4) for shift in (2, 5)]
    return [f"point\t{panel}\t$s{shift}$, <&>\t{x}\t{y}" for x, y, shift in values]


class Written(unittest.TestCase):
    def setUp(self):
        held = tempfile.TemporaryDirectory()
        self.addCleanup(held.cleanup)
        self.page = Path(held.name) / "page.md"
        self.folder = Path(held.name) / "page"
        self.folder.mkdir()

    def told(self, name, lines):
        (self.folder / f"{name}.rows").write_text("\n".join([*RUN, *lines, ""]))

    def write(self, lines, why=None, short=False):
        self.told("latency", lines)
        with mock.patch.object(performance, "reasons", lambda: why or {}):
            with redirect_stdout(io.StringIO()):
                performance.write(self.folder, self.page, short)
        return self.page.read_text()


class Page(Written):
    def test_figures_are_shown_whole(self):
        text = self.write([MET, FREE])
        self.assertIn("1 of 1 targets are met.", text)
        self.assertIn("| a: fast | 200 ns | <= 250 | yes | 190 to 210 | 4096 |", text)
        self.assertIn("| a: told | 7 bytes |  |  |  |  |", text)
        self.assertIn("of a kind, abc, some day", text)
        self.assertNotIn("not met", text)

    def test_a_missed_target_is_shown_with_its_reason(self):
        text = self.write([MET, MISSED], {"a: |slow|": "the other is fast"})
        self.assertIn("1 of 2 targets are met.", text)
        self.assertIn("## Targets that are not met", text)
        line = "| a: \\|slow\\| | 9.1 ns | ratio >= 50 | **no** | other, 400 ns | 44.0 |"
        self.assertEqual(text.count(line), 2)
        self.assertEqual(text.count("the other is fast"), 2)

    def test_a_missed_target_without_a_reason_is_written_and_an_error(self):
        with self.assertRaisesRegex(SystemExit, "slow"):
            self.write([MISSED])
        self.assertIn("none is known", self.page.read_text())
        self.write([MISSED], short=True)

    def test_what_is_missing_mixed_or_failed_is_said(self):
        text = self.write([MET, "failed\tstatus 101"])
        self.assertIn("figures may be missing: latency.", text)
        self.assertIn("**It ended with an error:** status 101.", text)
        missing = ", ".join(name for name in BENCHES if name != "latency")
        self.assertIn(f"Not measured yet: {missing}.", text)
        self.assertNotIn("Not all is of one state", text)
        text = self.write([MET, "machine\tother", "run\tdef\tlater", FREE])
        self.assertIn("Not all is of one state of the project: abc: latency; def: latency.", text)
        self.assertIn("runs of their own", text)

    def test_what_is_not_understood_is_refused(self):
        wrong = [
            [],
            [FREE, FREE],
            [FREE + "\tmore"],
            [MET.replace("<= 250", "about 250")],
            [MET, "point\tunknown\ts\t1\t2"],
            [MET, "point\tswap\ts\t1\tnan"],
            [MET, "point\tgrowth\ts\t1\t0"],
            [MET, "run\tno text"],
            ["something else"],
        ]
        for lines in wrong:
            with self.subTest(lines), self.assertRaises((ValueError, TypeError)):
                self.write(lines)

    def test_rows_of_no_bench_or_no_machine_are_refused(self):
        self.told("unknown", [MET])
        with self.assertRaisesRegex(ValueError, "no bench: unknown"):
            self.write([FREE])
        (self.folder / "unknown.rows").write_text(f"{MET}\n")
        with self.assertRaisesRegex(ValueError, "no machine"):
            self.write([FREE])

    def test_points_of_a_panel_are_of_one_bench(self):
        self.told("swap", points("growth"))
        with self.assertRaisesRegex(ValueError, "growth"):
            self.write([MET, *points("growth")])


class Plots(Written):
    def test_each_is_whole_and_small_and_its_text_is_text(self):
        panels = [panel for plot in PLOTS.values() for panel in plot.panels]
        text = self.write([MET, *(line for panel in panels for line in points(panel))])
        for name, plot in PLOTS.items():
            path = self.folder / f"{name}.svg"
            self.assertIn(f"![{plot.title}](page/{name}.svg)", text)
            self.assertLess(path.stat().st_size, 40_000)
            root = ElementTree.parse(path).getroot()
            told = {"".join(one.itertext()) for one in root.iter() if one.tag.endswith("}text")}
            self.assertIn(plot.title, told)
            for panel, axes in plot.panels.items():
                self.assertLessEqual({axes.x, axes.y, "$s2$, <&>", "$s5$, <&>"}, told)
                lines = [one for one in root.iter() if one.get("id", "").startswith(f"{panel}: ")]
                marks = [len(line.findall(".//{*}use")) for line in lines]
                self.assertEqual(marks, [3, 3])

    def test_the_same_points_make_the_same_bytes(self):
        lines = [MET, *points("growth"), *points("writes"), *points("grouped")]
        self.write(lines)
        first = {path.name: path.read_bytes() for path in self.folder.glob("*.svg")}
        self.write(lines)
        again = {path.name: path.read_bytes() for path in self.folder.glob("*.svg")}
        self.assertEqual(first.keys(), {"growth.svg", "writes.svg"})
        self.assertEqual(first, again)

    def test_a_plot_without_points_goes(self):
        self.write([MET, *points("growth")])
        self.assertNotIn("svg", self.write([MET]))
        self.assertEqual(list(self.folder.glob("*.svg")), [])


class Rows(unittest.TestCase):
    def test_logs_of_all_forms(self):
        log = """noise
figure\ta\t1\tns\t\t\t\t\t
| a | table |
test heavy/zipf ... bench:       1,234 ns/iter (+/- 34)
instructions::decisions::thousand_in_batches hundreds:Batches::new()
  Instructions:                     3141592|N/A                  (*********)
  L1 Hits:                          1|N/A
"""
        expected = [
            "figure\ta\t1\tns\t\t\t\t\t",
            "| a | table |",
            "figure\tdecide: heavy/zipf\t1234\tns\t\t\t\t1200 to 1268\t",
            "figure\tinstructions: 1,000 in batches, hundreds\t3141592\tinstructions\t\t\t\t\t",
        ]
        self.assertEqual(list(rows_of(log)), expected)


CARGO = """#!/bin/sh
# Stands for benches: `compile` tells a figure and fails, `latency` fails at once, the others tell one.
case "$*" in
  *"--bench latency "*) exit 4 ;;
  *"--bench compile "*) code=3 ;;
  *) code=0 ;;
esac
name=${*#*--bench }
printf 'figure\\t%s: told\\t7\\tns\\t\\t\\t\\t\\t\\n' "${name%% *}"
exit $code
"""


class Script(unittest.TestCase):
    """scripts/bench.sh, with a command in the place of cargo."""

    def setUp(self):
        held = tempfile.TemporaryDirectory()
        self.addCleanup(held.cleanup)
        self.root = Path(held.name)
        for name in ("scripts", "benches"):
            shutil.copytree(ROOT / name, self.root / name, ignore=shutil.ignore_patterns("target"))
        shutil.copy(ROOT / "Cargo.toml", self.root)
        (self.root / ".tools").symlink_to(ROOT / ".tools")
        commands = self.root / "commands"
        commands.mkdir()
        (commands / "cargo").write_text(CARGO)
        (commands / "cargo").chmod(0o755)
        self.environment = os.environ | {"PATH": f"{commands}:{os.environ['PATH']}"}
        self.command("git", "init", "--quiet")
        own = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
        self.command("git", *own, "commit", "--quiet", "--allow-empty", "--message", "a")

    def command(self, *arguments):
        return subprocess.run(
            arguments, cwd=self.root, env=self.environment, text=True, capture_output=True
        )

    def test_one_that_fails_loses_nothing_of_the_others(self):
        rows = self.root / "docs" / "performance"
        rows.mkdir(parents=True)
        earlier = "\n".join([*RUN, MET, ""])
        (rows / "latency.rows").write_text(earlier)
        ended = self.command("bash", "scripts/bench.sh", "latency", "compile", "size")
        self.assertEqual(ended.returncode, 1, ended)
        self.assertIn("failed: latency compile;", ended.stderr)
        self.assertEqual((rows / "latency.rows").read_text(), earlier)
        page = (self.root / "docs" / "performance.md").read_text()
        for told in ("| a: fast | 200 ns |", "| compile: told | 7 ns |", "| size: told | 7 ns |"):
            self.assertIn(told, page)
        self.assertEqual(page.count("**It ended with an error:** status 3."), 1)
        self.assertIn("with changes, ", page)

    def test_those_that_end_well_are_told_of_their_state(self):
        ended = self.command("bash", "scripts/bench.sh", "--short", "size", "change")
        self.assertEqual((ended.returncode, ended.stderr), (0, ""), ended)
        page = (self.root / "target" / "performance.md").read_text()
        self.assertIn("| change: told | 7 ns |", page)
        state = self.command("git", "rev-parse", "--short", "HEAD").stdout.strip()
        self.assertIn(f", {state} with changes, ", page)

    def test_an_unknown_one_is_refused(self):
        ended = self.command("bash", "scripts/bench.sh", "size", "sise")
        self.assertEqual(ended.returncode, 2)
        self.assertIn("no bench `sise`", ended.stderr)


class Project(unittest.TestCase):
    """What stands in the repository."""

    def test_every_bench_is_described(self):
        declared = re.findall(r'\[\[bench\]\]\nname = "(\w+)"', (ROOT / "Cargo.toml").read_text())
        self.assertEqual(sorted([*declared, "load", "engines"]), sorted(BENCHES))

    def test_every_reason_has_a_figure_with_a_target(self):
        sections = [read(path) for path in PAGE.with_suffix("").glob("*.rows")]
        judged = {row.figure for section in sections for row in section.rows() if row.target}
        self.assertEqual(sorted(performance.reasons().keys() - judged), [])

    def test_the_page_is_what_its_rows_make_of_it(self):
        folder = PAGE.with_suffix("")
        with tempfile.TemporaryDirectory() as held:
            sections = performance.sections_of(folder)
            plots = performance.draw(sections, Path(held))
            text, unexplained = performance.page(sections, plots, folder.name, False)
            drawn = {path.name for path in Path(held).iterdir()}
        again = "scripts/performance.py docs/performance docs/performance.md writes it anew"
        self.assertEqual(unexplained, [])
        self.assertEqual(PAGE.read_text(), text.rstrip() + "\n", again)
        self.assertEqual({path.name for path in folder.glob("*.svg")}, drawn, again)


if __name__ == "__main__":
    unittest.main()
