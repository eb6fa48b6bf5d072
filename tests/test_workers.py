import os
import subprocess
import sys

SCRIPT = """
from sertf import workers
workers.import_tensorflow_quietly()
import tensorflow as tf
add = tf.function(lambda x: x + 1)
for i in range(12):
    add(i)  # a new Python number is a new graph: TensorFlow's hint on tracing
import sys
print("kept", file=sys.stderr)
"""


def test_a_worker_imports_tensorflow_without_a_line(tmp_path):
    environment = {**os.environ, "TF_ENABLE_ONEDNN_OPTS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode == 0
    assert done.stderr == "kept\n"
