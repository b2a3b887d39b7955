import pytest

from rnnlib.page import source_of


def test_the_source_is_that_of_the_file_without_decorators():
    text = source_of("rnnlib.bptt.compiled", "rnn_backward")
    assert text.startswith("def rnn_backward(dout, h, w_hh, steps, dh, da, relu):\n")
    assert text.endswith("add_product(dh[:n], da_t, w_hh)  # da_t W_hh^T")
    assert source_of("rnnlib.cells", "RNNCell").startswith("class RNNCell(")


@pytest.mark.parametrize("name", ["rnn_forward", "rnn_step", "rnn_backward", "rnn_step_back"])
def test_the_pass_that_a_page_prints_fits_its_width(name):
    assert max(map(len, source_of("rnnlib.bptt.compiled", name).splitlines())) <= 76


def test_what_is_not_there_is_refused():
    with pytest.raises(ValueError, match=r"expected one of .*rnn_forward.*, got 'nothing'"):
        source_of("rnnlib.bptt.compiled", "nothing")
    with pytest.raises(ValueError, match="module: expected a module written in Python"):
        source_of("rnnlib.no_such_room", "f")
