from sertf.reports.plain import aligned


def test_columns_are_as_wide_as_their_longest_cell():
    text = aligned(["a", "long title"], [["wider cell", "x"], ["", "y"]])
    assert text.splitlines() == ["a           long title", "wider cell  x", "            y"]


def test_a_table_without_rows_is_its_head():
    assert aligned(["a", "b"], []) == "a  b"
