from pathlib import Path

from sertf.corpora.records import NEEDED, Records


def test_records_say_where_their_rows_stand():
    made = Records(Path("mine.csv"), "mine", Path(), list(NEEDED), True, [("line 2", dict.fromkeys(NEEDED, "x"))])
    assert made.rows[0][0] == "line 2" and set(made.rows[0][1]) == set(made.columns)
