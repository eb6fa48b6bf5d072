"""Small tables of predictions."""

import numpy as np
import pandas as pd


def table(values, *, truth, repeat=0, fold="1", utterances=None):
    """A prediction table of the emotions anger and sadness; `values` are the scores of anger."""
    values = np.asarray(values, dtype=float)
    return pd.DataFrame(
        {
            "utterance": utterances or [f"u{i}" for i in range(len(values))],
            "speaker": "s",
            "repeat": repeat,
            "fold": fold,
            "truth": truth,
            "sadness": 1 - values,
            "anger": values,
        }
    )
