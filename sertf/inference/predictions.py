"""The table that `Recognizer.predict` returns: a DataFrame that prints what a person wants to see."""

import pandas as pd

from sertf.inference.verdicts import in_words

_SHOWN = ["file", "start", "end", "verdict", "confidence"]
_LONGEST_NAME = 30
_MOST_ROWS = 60


class Predictions(pd.DataFrame):
    """Windows and their emotions, one a row.

    Printed, it shows file, start, end, verdict and confidence within 80 columns. An uncertain verdict has its best guess
    beside it. A selection that lacks one of these columns prints as any DataFrame.
    """

    @property
    def _constructor(self):
        return Predictions

    def __repr__(self) -> str:
        if not {*_SHOWN, "emotion"} <= set(self.columns) or self.empty:
            return super().__repr__()
        shown = pd.DataFrame(self)[_SHOWN].astype({"file": str})
        shown["file"] = shown["file"].map(_end_of)
        shown["verdict"] = [in_words(*row) for row in zip(self["verdict"], self["emotion"])]
        table = shown.to_string(index=False, max_rows=_MOST_ROWS, float_format="{:.2f}".format, na_rep="-")
        return f"{table}\n[{len(self)} rows; scores in {len(self.columns) - len(_SHOWN) - 1} further columns]"


def _end_of(name):
    return name if len(name) <= _LONGEST_NAME else f"…{name[1 - _LONGEST_NAME :]}"
