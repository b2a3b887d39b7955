"""The live figure of dialled numbers: its sound, its network and its lattice are rnnlib's."""

import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from fake_page import Page
from test_live import text_of

from rnnlib.data import Tones
from rnnlib.data.lengths import pad
from rnnlib.data.tones import POWER, GoertzelDecoder, key_tones, spectrogram
from rnnlib.data.transcripts import error_rate
from rnnlib.models.ctc import collapse, ctc_lattice, ctc_loss
from rnnlib.models.reading import greedy
from rnnlib.page.live import dial_a_number
from rnnlib.page.live.dialled import (
    TASK,
    WEIGHTS,
    dial,
    hear,
    keys_found,
    lattice_of,
    make,
    packed,
    tone_network,
    uniform,
)
from rnnlib.page.live.figure import script
from rnnlib.page.live.weights import pack_model

sys.path.insert(0, str(Path(__file__).parent.parent / "tools"))
from tone_weights import folded, train

NUMBERS = [("7330", -8, 1), ("1", 20, 2), ("*0#44444", 0, 3), ("159", -12, 9)]


@pytest.fixture(name="in_page", scope="module")
def _in_page():
    """The functions of the page's scripts, with its network."""
    context = Page(dial_a_number()).context
    own = script("dialled").replace("const figure", "globalThis.unused")
    names = ("plot", "cells", "weights", "typed", "tones", "ctc")
    context.eval("".join(map(script, names)) + own)
    context.eval(f"const hear = listener({json.dumps(packed())});")
    return lambda call: json.loads(context.eval(f"JSON.stringify({call})"))


# Sound


def test_python_and_the_page_draw_the_same_random_numbers(in_page):
    for seed in (1, 9, 2**31):
        call = f"(u => Array.from({{ length: 500 }}, u))(uniform({seed}))"
        assert in_page(call) == uniform(seed, 500).tolist()
    u = uniform(3, 10_000)
    assert 0 <= u.min() < u.max() < 1 and abs(u.mean() - 0.5) < 0.01
    assert abs(np.corrcoef(u[1:], u[:-1])[0, 1]) < 0.03


@pytest.mark.parametrize(("keys", "snr", "seed"), NUMBERS)
def test_the_page_dials_and_hears_as_rnnlib_does(in_page, keys, snr, seed):
    recording = dial(keys, snr, seed)
    found = in_page(f"dial({keys!r}, {snr}, {seed})")
    np.testing.assert_allclose(found["wave"], recording.wave, rtol=0, atol=1e-10)
    assert [tuple(span) for span in found["spans"]] == list(recording.spans)
    x, log_y = hear(recording)
    page = in_page(f"(x => [x, hear(x)])(spectrogram(dial({keys!r}, {snr}, {seed}).wave))")
    np.testing.assert_allclose(page[0], x, rtol=0, atol=1e-9)
    np.testing.assert_allclose(page[1], log_y, rtol=0, atol=1e-8)


def test_the_numbers_of_the_page_are_those_of_the_task():
    """Its tones alone are the task's, its noise has the power that is promised."""
    for snr in (8, -8):
        recording = dial("12345678", snr, 4)
        u = uniform(4, 42).tolist()
        clean, spans = key_tones("12345678", *u[:2], [u[k : k + 5] for k in range(2, 42, 5)])
        assert recording.spans == spans
        noise = (recording.wave - clean).numpy()
        assert 10 * math.log10(POWER / noise.var()) == pytest.approx(snr, abs=0.3)
        assert abs(np.corrcoef(noise[1:], noise[:-1])[0, 1]) < 0.04
    decoder = GoertzelDecoder(share=0.3, frames=2)
    keys = ["7330", "159#", "*0#"]
    assert decoder([dial(number, 20, 5).wave for number in keys]) == keys


# The network


def test_the_network_of_the_figure_is_worth_showing():
    """On fresh recordings it makes next to no mistakes down to -4 dB, and few at -8."""
    model, errors = tone_network(), {}
    for snr in (20.0, 8.0, 0.0, -4.0, -8.0):
        recordings = Tones(snr=snr).recordings(200, torch.Generator().manual_seed(2))
        x, lengths = pad([spectrogram(r.wave).double() for r in recordings])
        with torch.no_grad():
            read = greedy(*model(x, lengths))
        keys = [r.keys for r in recordings]
        errors[snr] = error_rate([TASK.text(answer) for answer in read], keys)
    assert max(errors[snr] for snr in (20.0, 8.0, 0.0)) < 0.005
    assert errors[-4.0] < 0.01 and errors[-8.0] < 0.1


def test_the_lattice_finds_the_keys_where_they_sound():
    """Nobody told the network a place; among fifty numbers nearly every key is at its own."""
    keys = "7330*159"
    found = []
    for seed in range(1, 26):
        recording = dial(keys, 0, seed)
        found.append(keys_found(recording, lattice_of(hear(recording)[1], keys)))
    assert sum(found) / (len(found) * len(keys)) > 0.97


def test_the_committed_weights_are_what_packing_leaves_alone():
    assert pack_model(tone_network()) == packed()
    assert WEIGHTS.stat().st_size < 20_000


def test_without_batch_normalization_it_is_the_same_network():
    torch.manual_seed(3)
    model = make(batch_norm=True)
    train(model, 3)
    x, lengths = pad([spectrogram(dial(keys, 0, 1).wave).float() for keys in ("12", "7330")])
    with torch.no_grad():
        expected, found = model.eval()(x, lengths)[0], folded(model)(x, lengths)[0]
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)
    assert not any("norm" in name for name in folded(model).state_dict())


def test_it_is_trained_the_same_way_each_time():
    found = []
    for _ in range(2):
        torch.manual_seed(3)
        model = make(batch_norm=True)
        train(model, 2)
        found.append(pack_model(folded(model)))
    torch.manual_seed(3)
    assert found[0] == found[1] != pack_model(folded(make(batch_norm=True)))


def test_the_figure_leaves_the_reader_s_random_numbers_alone():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    tone_network.cache_clear()
    dial_a_number()
    assert torch.equal(torch.rand(2), expected)


# The lattice


@pytest.mark.parametrize(
    ("T", "target"),
    [(7, [1, 2]), (9, [1, 1, 2]), (5, [2, 2, 2]), (1, [3]), (6, [3, 1, 2, 1]), (40, [1, 3, 3])],
)
def test_the_lattice_of_the_page_is_ctc_lattice(in_page, T, target):
    generator = torch.Generator().manual_seed(T)
    log_y = torch.randn(T, 4, dtype=torch.float64, generator=generator).log_softmax(dim=1)
    z = torch.tensor(target)
    expected = ctc_lattice(log_y, z)
    found = in_page(f"lattice({log_y.tolist()}, {target})")
    assert found["states"] == expected.states.tolist()
    assert found["loss"] == pytest.approx(-expected.log_probability.item(), rel=1e-11)
    np.testing.assert_allclose(found["gamma"], expected.occupancy, rtol=0, atol=1e-11)
    lengths = torch.tensor([T]), torch.tensor([len(z)])
    loss = ctc_loss(log_y[None], z[None], *lengths, reduction="sum")
    assert found["loss"] == pytest.approx(loss.item(), rel=1e-11)


def test_where_no_path_fits_the_loss_is_infinite(in_page):
    call = "lattice([[-1, -1, -1], [-1, -1, -1]].map(row => row.map(() => -Math.log(3))), [1, 1])"
    assert in_page(f"({call}).loss === Infinity")
    page = Page(dial_a_number())
    seed = min(range(1, 10), key=lambda seed: len(dial("1", 20, seed).wave))
    said = page.set(keys="1", snr="20", seed=seed, claim="77777777", of="the claim")
    assert "of the claim 77777777: 0\u00a0% (loss ∞: too few steps)." in said
    assert {page.attribute(f".dark{n}", "d") for n in range(4)} == {""}


def test_a_path_is_read_as_rnnlib_reads_it(in_page):
    for path in ([0, 3, 3, 0, 3, 7], [1, 1, 2, 2, 0], [0, 0], [5]):
        assert in_page(f"collapse({path})") == list(collapse(path))


# The figure


def expected_of(keys, snr, seed, claim=""):
    recording = dial(keys, snr, seed)
    _, log_y = hear(recording)
    return recording, log_y, [lattice_of(log_y, text) for text in (keys, claim) if text]


def loss_said(of: str, said: str) -> float:
    return float(said.split(f"{of}: ")[1].split("(loss ")[1].split(")")[0])


def test_the_figure_says_what_was_read_and_what_each_number_costs():
    page = Page(dial_a_number())
    for keys, snr, seed, claim in (("159", -12, 4, "1599"), ("0044#", -4, 7, "044#")):
        said = page.set(keys=keys, snr=snr, seed=seed, claim=claim)
        recording, log_y, (right, other) = expected_of(keys, snr, seed, claim)
        read = TASK.text(collapse(log_y.argmax(dim=1)))
        assert said.startswith(f"The best path reads {read}. Probability of {keys}: ")
        for of, lattice in ((f"Probability of {keys}", right), (f"the claim {claim}", other)):
            loss = -lattice.log_probability.item()
            assert loss_said(of, said) == pytest.approx(loss, abs=0.0051)
        lie = f"{keys_found(recording, right)} of {len(keys)} keys lie where they sounded."
        assert said.endswith(f"In the lattice of {keys}, {lie}")


def test_the_drawn_lattice_is_that_of_the_number_asked_for():
    page = Page(dial_a_number())
    page.set(keys="733", claim="739", of="the claim")
    assert page.get("root.querySelector('.rows').textContent") == "-7-3-9-"
    _, _, (_, other) = expected_of("733", -8, 1, "739")
    sure = other.occupancy >= 0.8
    cells = page.attribute(".dark3", "d")
    assert sum(int(part.split("h")[1]) for part in cells.split("M")[1:]) == sure.sum()
    page.set(of="the number")
    assert page.get("root.querySelector('.rows').textContent") == "-7-3-3-"
    page.set(of="the claim", claim="")
    assert page.get("root.querySelector('.rows').textContent") == "-7-3-3-"


AUDIO = """
const played = [], stopped = [];
let opened = 0;
globalThis.AudioContext = class {
  constructor() { opened += 1; }
  createBufferSource() {
    return {
      connect: () => {},
      start() { played.push(this.buffer); },
      stop() { stopped.push(this.buffer); },
    };
  }
  createBuffer(channels, length, rate) {
    return { length, rate, copyToChannel(data) { this.data = [...data]; } };
  }
};
"""


def press(page, label, copy=0):
    button = f"root.querySelectorAll('button').find(b => b.attributes['aria-label'] === {label!r})"
    page.get(f"root.heard.click({{ target: {button} }}) ?? null", copy)
    return page.caption(copy)


def test_keys_can_be_pressed_and_taken_back():
    page = Page(dial_a_number())
    page.set(keys="")
    for key in "7330":
        said = press(page, key)
    assert said == Page(dial_a_number()).caption()
    assert "Probability of 733:" in press(page, "take the last key back")
    before = page.caption()
    page.get("root.heard.click({ target: root.querySelector('svg') }) ?? null")
    assert page.caption() == before


def test_what_is_no_key_and_what_is_too_much_is_left_out_and_said():
    page = Page(dial_a_number())
    plain = page.set(keys="7330")
    assert page.set(keys=" 73-3<0 ") == f"{plain} Left out: “-”, “&lt;”."
    assert "Probability of 12345678:" in page.set(keys="123456789")
    assert page.caption().endswith("Left out: all but the first 8 keys.")
    assert "1 of 1 key lies where it sounded." in page.set(keys="1")
    assert page.set(claim="abc", of="the claim").endswith(
        "No claim: this is the lattice of the number. Left out: “a”, “b”, “c”."
    )
    page.set(claim="7390", of="the number")
    assert page.set(keys="a", claim="") == (
        "Nothing has been dialled. Type a number, or press its keys. Left out: “a”."
    )
    for kind in ("held", "silence", "heard", "loud0", "dark0"):
        assert page.attribute(f".{kind}", "d") == ""
    assert text_of(page.set(keys="1")).startswith("The best path reads ")


def test_what_is_heard_is_the_recording_at_full_scale():
    page = Page(dial_a_number())
    page.context.eval(AUDIO)
    press(page, "listen")
    page.set(keys="")
    press(page, "listen")  # there is nothing to hear
    (found,) = page.get("played")
    wave = dial("7330", -8, 1).wave
    assert found["rate"] == 8000 and found["length"] == len(wave)
    np.testing.assert_allclose(found["data"], 0.8 * wave / wave.abs().max(), atol=1e-6)


def test_a_page_opens_one_audio_context_and_plays_one_recording_at_a_time():
    page = Page(dial_a_number(), copies=2)
    page.context.eval(AUDIO)
    for copy, heard in ((0, 1), (0, 2), (1, 3)):
        press(page, "listen", copy)
        assert page.get("[opened, played.length, stopped.length]") == [1, heard, heard - 1]


def test_the_figure_of_dialled_numbers_is_light():
    assert len(dial_a_number().html) < 60_000
