"""SERCT on EmoDB, which the thesis did not train on: its network, recipe and 90/10 split, and speakers apart.

    python experiments/serct_emodb.py --data EMODB_FOLDER --repeats 3

As serct_tess.py, whose variants and protocols these are.
"""

from serct_tess import serct_on

from sertf.experiment.command_line import main

EXPERIMENT = serct_on("emodb")

if __name__ == "__main__":
    main(EXPERIMENT)
