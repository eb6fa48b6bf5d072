import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_step_with_tensorflow_alone(tmp_path):
    """In a process where importing sertf or what it is built on fails."""
    code = (
        "import runpy, sys\n"
        "class Blocked:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name.split('.')[0] in ('sertf', 'librosa', 'soxr', 'soundfile', 'pandas'):\n"
        "            raise ImportError(name)\n"
        "sys.meta_path.insert(0, Blocked())\n"
        "runpy.run_path(sys.argv.pop(1), run_name='__main__')\n"
    )
    command = [sys.executable, "-c", code, str(ROOT / "examples" / "use_in_tensorflow.py")]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    assert re.findall(r"^\d", done.stdout, re.MULTILINE) == ["1", "2", "3", "4", "5"]
    losses = [float(loss) for loss in re.findall(r"loss ([\d.]+)", done.stdout)]
    assert losses[0] > 2 * losses[1] > 2 * losses[2]
    held_out = re.search(r"held out: accuracy ([\d.]+)", done.stdout)
    assert float(held_out[1]) > 0.75


def test_a_folder_that_is_no_model(tmp_path):
    command = [sys.executable, str(ROOT / "examples" / "use_in_tensorflow.py"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith(f"{tmp_path} is no SavedModel; give the folder of an exported one")
