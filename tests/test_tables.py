import pytest

from rnnlib.page import Table, how_we_know


def test_a_table_is_markdown_in_a_notebook_and_columns_as_text():
    table = Table(["seed", "error"], [[0, "0.25"], [12, "a|b"]])
    assert table._repr_markdown_() == (
        "| seed | error |\n| --- | --- |\n| 0 | 0.25 |\n| 12 | a\\|b |"
    )
    assert repr(table) == "seed  error\n0     0.25\n12    a|b"


def test_rows_of_another_length_are_refused():
    with pytest.raises(ValueError, match=r"expected 2 entries, as the header has, got \['1'\]"):
        Table(["a", "b"], [[1]])


def test_how_we_know_asks_five_things_of_every_claim():
    table = how_we_know(("gain", "W_hh", "W_xh", "5 seeds: 0.94 to 0.99", "a low error"))
    assert len(table.header) == 5 and table.rows[0][0] == "gain"
    for wrong in (("gain", "W_hh"), ("gain", "W_hh", "", "5 seeds", "x")):
        with pytest.raises(ValueError, match="expected what we say, changed alone"):
            how_we_know(wrong)
