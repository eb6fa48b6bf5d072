"""The page of `sertf app` for a Gradio Space: served to everyone who reaches the port."""

import sys

from sertf.cli import main

if __name__ == "__main__":
    sys.exit(main(["app", "--host", "0.0.0.0", "--port", "7860", *sys.argv[1:]]))
