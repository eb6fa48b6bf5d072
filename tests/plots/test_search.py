import numpy as np
import pandas as pd
import pytest

from sertf.errors import SertfError
from sertf.plots.search import draw_trials

TABLE = pd.DataFrame(
    {
        "val_uar": [0.3, np.nan, 0.5, 0.4, 0.45, 0.2, 0.1],
        "rate": [1e-4, 1e-3, 1e-2, 2e-3, 3e-3, 4e-3, 5e-3],
        "pooling": ["max", "average"] * 3 + ["max"],
    }
)


def test_a_panel_for_the_order_and_one_for_each_value():
    figure = draw_trials(TABLE, score="val_uar", values=["rate", "pooling"])
    order, rate, pooling = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_xlabel() for axes in (order, rate, pooling)] == ["trial", "rate", "pooling"]
    assert len(order.collections[0].get_offsets()) == 6  # the failed trial has no place
    assert order.lines[0].get_ydata().tolist() == [0.3, 0.5, 0.5, 0.5, 0.5, 0.5]
    assert rate.get_xscale() == "log" and rate.collections[1].get_offsets().tolist() == [[1e-2, 0.5]]
    assert [label.get_text() for label in pooling.get_xticklabels()] == ["average", "max"]


def test_without_a_score():
    with pytest.raises(SertfError, match="one finished trial or more"):
        draw_trials(TABLE.assign(val_uar=np.nan), score="val_uar", values=["rate"])
