"""Tests of scripts/performance.py: what it reads, what it shows, and what it refuses."""

import io
import sys
import tempfile
import unittest
from contextlib import redirect_stdout
from pathlib import Path
from unittest import mock
from xml.etree import ElementTree

sys.path.insert(0, str(Path(__file__).parent.parent / "scripts"))
import performance  # noqa: E402
from plots import PLOTS  # noqa: E402

MET = "figure\ta: fast\t200\tns\t<= 250\t\t\t190 to 210\t4096"
MISSED = "figure\ta: |slow|\t9.1\tns\tratio >= 50\tother, 400 ns\t44.0\t40.0 to 46.0\t4096"
FREE = "figure\ta: told\t7\tbytes\t\t\t\t\t"


def points(plot):
    """Two series of three points."""
    values = [(place, shift * 10**place, shift) for place in range(1, 4) for shift in (2, 5)]
    return [f"point\t{plot}\ts{shift} <&>\t{x}\t{y}" for x, y, shift in values]


class Page(unittest.TestCase):
    def setUp(self):
        held = tempfile.TemporaryDirectory()
        self.addCleanup(held.cleanup)
        self.page = Path(held.name) / "page.md"
        self.folder = Path(held.name) / "page"
        self.folder.mkdir()

    def write(self, lines, why=None, short=False):
        text = "\n".join(["machine\tof a kind", *lines, ""])
        (self.folder / "a.rows").write_text(text)
        with mock.patch.object(performance, "reasons", lambda: why or {}):
            with redirect_stdout(io.StringIO()):
                performance.write(self.folder, self.page, short)
        return self.page.read_text()

    def test_figures_are_shown_whole(self):
        text = self.write([MET, FREE])
        self.assertIn("1 of 1 targets are met.", text)
        self.assertIn("| a: fast | 200 ns | <= 250 | yes |  |  | 190 to 210 | 4096 |  |", text)
        self.assertIn("| a: told | 7 bytes |  |  |", text)
        self.assertIn("Machine: of a kind", text)
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

    def test_every_plot_is_well_formed(self):
        self.write([MET, *(line for plot in PLOTS for line in points(plot))])
        for plot in PLOTS:
            root = ElementTree.parse(self.folder / f"{plot}.svg").getroot()
            self.assertEqual(len(root.findall("{*}polyline")), 2)
            self.assertEqual(len(root.findall("{*}circle")), 6)
            places = [float(circle.get("cy")) for circle in root.findall("{*}circle")]
            self.assertTrue(all(0 < place < 460 for place in places))

    def test_what_is_not_understood_is_refused(self):
        wrong = [
            [],
            [FREE + "\tmore"],
            [MET.replace("<= 250", "about 250")],
            [MET, "point\tunknown\ts\t1\t2"],
            [MET, "point\tswap\ts\t1\tnan"],
            [MET, "point\tgrowth\ts\t1\t0"],
            ["something else"],
        ]
        for lines in wrong:
            with self.subTest(lines), self.assertRaises((ValueError, TypeError, KeyError)):
                self.write(lines)


class Rows(unittest.TestCase):
    def test_logs_of_all_forms(self):
        log = """noise
figure\ta\t1\tns\t\t\t\t\t
| a | table |
test heavy/zipf ... bench:       1,234 ns/iter (+/- 34)
instructions::decisions::thousand typical:typical()
  Instructions:                     3141592|N/A                  (*********)
  L1 Hits:                          1|N/A
"""
        expected = [
            "figure\ta\t1\tns\t\t\t\t\t",
            "| a | table |",
            "figure\tdecide: heavy/zipf\t1234\tns\t\t\t\t1200 to 1268\t",
            "figure\tinstructions::decisions::thousand typical:typical()\t3141592\tinstructions\t\t\t\t\t",
        ]
        self.assertEqual(list(performance.rows_of(log)), expected)


if __name__ == "__main__":
    unittest.main()
