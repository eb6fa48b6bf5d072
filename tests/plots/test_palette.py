import re
import subprocess
import sys

from sertf.plots.palette import COLOURS


def test_colours_are_distinct_and_written_as_the_browser_reads_them():
    assert len(set(COLOURS)) == len(COLOURS)
    assert all(re.fullmatch("#[0-9A-F]{6}", colour) for colour in COLOURS)


def test_the_colours_come_without_a_plotting_library():
    code = "import sys, sertf.plots.palette; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
