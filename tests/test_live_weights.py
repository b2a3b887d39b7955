"""Weights of live figures: what is packed comes back, in Python and in the page."""

import base64
import json
import re

import numpy as np
import pytest
import quickjs
import torch
from torch import nn

from rnnlib.page.live.figure import script
from rnnlib.page.live.typed import percent, quoted, shown
from rnnlib.page.live.weights import decoded, encoded, load_packed, pack, pack_model, unpack


@pytest.fixture(name="page", scope="module")
def _page():
    context = quickjs.Context()
    context.add_callable("atob", lambda text: base64.b64decode(text).decode("latin1"))
    context.eval("".join(map(script, ("cells", "weights", "typed"))))
    return lambda call: json.loads(context.eval(f"JSON.stringify({call})"))


def matrix(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randn(*shape, generator=generator)
    return rows * torch.logspace(-6, 2, shape[0]).view(-1, *[1] * (len(shape) - 1))


@pytest.mark.parametrize("shape", [(3, 5), (7,), (1, 1), (4, 2, 3)])
def test_what_is_packed_comes_back_to_half_a_step_of_its_row(shape):
    W = matrix(*shape) if len(shape) > 1 else matrix(1, *shape)[0]
    found, rows = unpack(pack(W)), W.reshape(1 if W.dim() == 1 else len(W), -1).double()
    assert found.shape == rows.shape and found.dtype == torch.float64
    step = rows.abs().amax(dim=1, keepdim=True) / 127
    assert ((found - rows).abs() <= 0.5001 * step).all()
    assert ((found - rows).abs() > 0).any() or W.numel() == 1


def test_what_has_been_packed_once_is_packed_the_same_again():
    W = matrix(6, 9)
    assert pack(unpack(pack(W))) == pack(W)
    assert pack(W) != pack(W.flip(0))


def test_a_row_of_zeros_stays_one():
    W = torch.tensor([[0.0, 0.0], [1.0, -2.0]])
    assert unpack(pack(W))[0].tolist() == [0, 0]
    assert unpack(pack(W))[1].tolist() == pytest.approx([1, -2], abs=0.008)


def test_the_page_reads_what_was_packed(page):
    W = matrix(5, 3)
    found = page(
        f"(({{ columns, values }}) => [columns, ...values])(unpack({json.dumps(pack(W))}))"
    )
    assert found == [3, *unpack(pack(W)).flatten().tolist()]


def test_the_page_reads_numbers_to_the_last_bit(page):
    x = torch.randn(9, dtype=torch.float64)
    assert page(f"[...doubles({encoded(x, '<f8')!r})]") == x.tolist()
    turned = x.view(3, 3).T
    assert page(f"[...doubles({encoded(turned, '<f8')!r})]") == turned.flatten().tolist()


@pytest.mark.parametrize("kind", ["<f8", "<f4"])
def test_numbers_come_back_as_they_were(kind):
    x = torch.randn(5).to(torch.float64)
    assert torch.equal(decoded(encoded(x, kind), kind), x)
    assert decoded(encoded(x + 1e-12, "<f8"), "<f8")[0] != x[0]
    with pytest.raises(ValueError, match="buffer size must be a multiple"):
        decoded(encoded(x[:1], kind)[:-4], "<f8")
    with pytest.raises(ValueError):
        decoded("no base64!", kind)


def test_a_model_is_packed_name_by_name():
    model = nn.Sequential(nn.Conv1d(2, 4, 3), nn.Linear(4, 1))
    packed = pack_model(model)
    assert list(packed) == ["0.weight", "0.bias", "1.weight", "1.bias"]
    other = load_packed(nn.Sequential(nn.Conv1d(2, 4, 3), nn.Linear(4, 1)), packed)
    for ours, theirs in zip(model.parameters(), other.parameters(), strict=True):
        assert (ours - theirs).abs().max() <= 0.51 * ours.abs().max() / 127
    assert pack_model(other) == packed


@pytest.mark.parametrize(
    ("W", "error", "message"),
    [
        ([[1.0]], TypeError, "W: expected a Tensor"),
        (torch.tensor(1.0), ValueError, r"got torch.float32 of shape \(\)"),
        (torch.ones(2, 3, dtype=torch.int64), ValueError, "got torch.int64"),
        (torch.ones(0, 3), ValueError, r"shape \(0, 3\)"),
        (torch.tensor([[1.0, torch.nan]]), ValueError, "expected finite numbers"),
        (torch.tensor([torch.inf]), ValueError, "expected finite numbers"),
    ],
)
def test_what_is_no_matrix_is_not_packed(W, error, message):
    with pytest.raises(error, match=message):
        pack(W)


def test_what_was_not_packed_is_not_unpacked():
    packed = pack(matrix(3, 4))
    scales = np.ones(5, "<f4").tobytes()
    with pytest.raises(ValueError, match="got 12 numbers and 5 scales"):
        unpack({**packed, "scales": base64.b64encode(scales).decode()})
    with pytest.raises(ValueError, match="got 0 numbers and 3 scales"):
        unpack({**packed, "numbers": ""})
    with pytest.raises(ValueError):
        unpack({**packed, "numbers": "no base64!"})


def test_weights_of_another_model_are_not_loaded():
    packed = pack_model(nn.Linear(3, 4))
    with pytest.raises(ValueError, match="packed: expected weight, got weight, bias"):
        load_packed(nn.Linear(3, 4, bias=False), packed)
    with pytest.raises(ValueError, match=r"'weight'.: expected shape \(6, 2\), got \(4, 3\)"):
        load_packed(nn.Linear(2, 6), packed)


def test_softmax_is_torch_s(page):
    y = torch.tensor([1000.0, 998.0, -3.0], dtype=torch.float64)
    for temperature in (1, 0.25, 3):
        found = page(f"softmax({y.tolist()}, {temperature})")
        assert found == pytest.approx((y / temperature).softmax(dim=0).tolist(), abs=1e-13)
    assert page(f"softmax({y.tolist()})") == page(f"softmax({y.tolist()}, 1)")


@pytest.mark.parametrize(
    "symbol", [" ", "\n", "a", "&", "<", ">", '"', "é", "🙂", "ש", "\u200b", "\u0301", "\t"]
)
def test_symbols_are_shown_and_named_alike(page, symbol):
    assert page(f"shown({json.dumps(symbol)})") == shown(symbol)
    assert page(f"quoted({json.dumps(symbol)})") == quoted(symbol)
    assert "<" not in re.sub("</?bdi>", "", quoted(symbol))


def test_what_cannot_be_seen_is_named_by_its_code_point(page):
    assert page('quoted("\u200b")') == "U+200B" and page('quoted("\U000e0001")') == "U+E0001"
    assert page('quoted("e\u0301")') == "“<bdi>e\u0301</bdi>”"


def test_of_many_symbols_five_are_named(page):
    assert page("listed([...'ab'])") == "“<bdi>a</bdi>”, “<bdi>b</bdi>”"
    assert page("listed([...'abcdefg'])").endswith("“<bdi>e</bdi>” and 2 more")


@pytest.mark.parametrize("p", [0, 0.004, 0.005, 0.0149, 0.015, 0.5, 0.994, 0.995, 1])
def test_per_cents_are_written_alike(page, p):
    assert page(f"percent({p})") == percent(p)
