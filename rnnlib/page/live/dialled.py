"""Dial a number: a network hears it in noise, and the lattice of CTC finds where its keys lie."""

import json
import math
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from rnnlib.data import Tones
from rnnlib.data.tones import HOP, SIZE, Recording, key_tones, noise_level, spectrogram
from rnnlib.models import LineReader, StepConvolutions
from rnnlib.models.ctc import Lattice, collapse, ctc_lattice
from rnnlib.page.colours import COLOURS
from rnnlib.page.diagrams.pen import Pen
from rnnlib.page.drawing import Drawing, letters, number
from rnnlib.page.live.figure import Choice, Slider, Text, live
from rnnlib.page.live.plot import UPRIGHT, Axes, hundredths, line
from rnnlib.page.live.typed import percent, placed
from rnnlib.page.live.weights import load_packed

D, CHANNELS, WIDTH = 32, 32, 5
WEIGHTS = Path(__file__).with_suffix(".json")
"""Written by tools/tone_weights.py."""
TASK = Tones()
FIRST, CLAIM, MOST = "7330", "7390", TASK.longest
SNRS = "20 12 8 4 0 -4 -8 -12".split()
START = {"snr": -8, "seed": 1}
SOUND = (34, 44, 450, 140)
LOUD = (0.2, 0.8, 1.4, 2.0)
"""Numbers of the spectrogram from which on it is drawn darker."""
PLOT = Axes(34, 188, 450, 252, (0, 1), (0, 1))
GRID = (34, 284, 450, 472)
DARK = (0.05, 0.3, 0.55, 0.8)
"""Probabilities from which on the lattice is drawn darker."""
ROWS = 9
"""So many rows the lattice has at least."""


def make(*, batch_norm: bool = False) -> LineReader:
    """Make the network, untrained: chapter 16's listener, with half its channels."""
    context = StepConvolutions(D, CHANNELS, width=WIDTH, num_layers=2, batch_norm=batch_norm)
    return LineReader(context, TASK.num_classes)


@cache
def packed() -> dict:
    """Return the file of weights."""
    return json.loads(WEIGHTS.read_text(encoding="utf-8"))


@cache
def tone_network() -> LineReader:
    """Return the trained network, in float64, with the weights that the page has."""
    with torch.random.fork_rng(devices=[]):  # no draw here may change the reader's next
        model = make().double()
    return load_packed(model, packed()).eval()


def uniform(seed: int, count: int) -> np.ndarray:
    """Return numbers from 0 to 1 that the page can make as well (mulberry32)."""
    steps = np.arange(1, count + 1, dtype=np.uint64) * 1831565813 + seed
    a = steps.astype(np.uint32)
    v = (a ^ (a >> 15)) * (a | 1)
    v = (v + (v ^ (v >> 7)) * (v | 61)) ^ v
    return (v ^ (v >> 14)) / 2**32


def dial(keys: str, snr: float, seed: int) -> Recording:
    """Dial a number as the page does: like `Tones.dial`, with random numbers of its own.

    Parameters
    ----------
    keys : str
    snr : float
        The signal-to-noise ratio in decibels.
    seed : int

    Returns
    -------
    Recording
        Its wave in float64.
    """
    parts = 2 + 5 * len(keys)
    detune, lead, *u = uniform(seed, parts).tolist()
    wave, spans = key_tones(keys, detune, lead, [u[k : k + 5] for k in range(0, len(u), 5)])
    # Two normal numbers from two others (Box and Muller).
    pairs = uniform(seed, parts + len(wave) + 1)[parts:]
    pairs = pairs[: 2 * ((len(wave) + 1) // 2)].reshape(-1, 2)
    r, angle = np.sqrt(-2 * np.log(1 - pairs[:, 0])), 2 * math.pi * pairs[:, 1]
    noise = np.stack([r * np.cos(angle), r * np.sin(angle)], axis=1).reshape(-1)
    wave = wave + noise_level(snr) * torch.from_numpy(noise[: len(wave)])
    return Recording(wave, keys, spans)


@torch.no_grad()
def hear(recording: Recording) -> tuple[Tensor, Tensor]:
    """Return a recording's spectrogram, (T, 32), and its log-probabilities, (T, K)."""
    x = spectrogram(recording.wave)
    log_y, _ = tone_network()(x[None], torch.tensor([len(x)]))
    return x, log_y[0]


def lattice_of(log_y: Tensor, keys: str) -> Lattice:
    """Return the lattice of a number."""
    return ctc_lattice(log_y, TASK.encode([keys])[0][0])


def keys_found(recording: Recording, lattice: Lattice) -> int:
    """Count the keys whose likeliest step in the lattice is a frame in which they sound."""
    starts = HOP * lattice.occupancy[:, 1::2].argmax(dim=0)
    return sum(
        at < stop and at + SIZE > start
        for at, (start, stop) in zip(starts.tolist(), recording.spans, strict=True)
    )


class Keypad:
    """The keys of a telephone, one to take the last key back, and one to listen."""

    def html(self) -> str:
        """Return its markup."""
        keys = [(key, key, f'data-key="{key}"') for key in TASK.symbols]
        acts = [
            ("⌫", "take the last key back", 'data-act="back"'),
            ("▶", "listen", 'data-act="play"'),
        ]
        buttons = "".join(
            f'<button type="button" {data} aria-label="{label}">{sign}</button>'
            for sign, label, data in (*keys, *acts)
        )
        return f'{_STYLE}<div class="control keypad">{buttons}</div>'


_STYLE = (
    "<style>.rnn-drawing .keypad{display:grid;grid-template-columns:repeat(7,minmax(0,2.75rem));"
    "gap:.25rem;flex-basis:100%}.rnn-drawing .keypad button{min-width:0;padding:0}"
    ".rnn-drawing :is([name=keys],[name=claim]){width:7rem}</style>"
)


def dial_a_number() -> Drawing:
    """Draw what is heard of a number in noise, and where the lattice of CTC finds its keys.

    Returns
    -------
    Drawing
    """
    recording = dial(FIRST, **START)
    x, log_y = hear(recording)
    T, y, path = len(x), log_y.exp(), log_y.argmax(dim=1).tolist()
    right, other = (lattice_of(log_y, keys) for keys in (FIRST, CLAIM))
    plot = Axes(PLOT.left, PLOT.top, PLOT.right, PLOT.bottom, (0, T), PLOT.y)
    pen = Pen()
    for words, top, css, colour in (
        ("spectrogram; above, when each key really sounded", 14, "given", "input"),
        ("probability at each step: keys solid, blank dashed", 160, "out", "output"),
        ("lattice: states down, steps across; darker where likelier", 276, "ink", "state"),
    ):
        ink = f'class="{css}" fill="{letters(COLOURS[colour])}" {UPRIGHT}'
        pen.text(words, PLOT.left, top, 13, "start", ink)
    held = [
        [plot.at(min(max((n - SIZE / 2) / HOP + 0.5, 0), T), 0)[0] for n in span]
        for span in recording.spans
    ]
    bars = "".join(f"M{number(a)} {SOUND[1] - 6}H{number(b)}" for a, b in held)
    pen.path(bars, f'class="held" stroke="{COLOURS["input"]}" stroke-width="5"')
    middle = [(a + b) / 2 for a, b in held]
    placed(pen, "given sounding", "input", FIRST, lambda k: (middle[k], SOUND[1] - 12))
    _picture(pen, "sound", SOUND, x.flip(1), "loud", LOUD, "currentColor")
    plot.draw(pen, (), (0, 1))

    def curve(k: int) -> str:
        return line(plot.at(t + 0.5, row[k]) for t, row in enumerate(y.tolist()))

    heard = (curve(k) for k in range(1, y.size(1)) if (y[:, k] >= 0.02).any())
    for name, data, ink in (
        ("silence", curve(0), 'stroke="currentColor" stroke-dasharray="4 4" opacity=".6"'),
        ("heard", "".join(heard), f'stroke="{COLOURS["output"]}" stroke-width="2"'),
    ):
        pen.path(data, f'class="{name}" {ink}')
    said = [t for t, k in enumerate(path) if k and (t == 0 or k != path[t - 1])]
    read = "".join(TASK.symbols[path[t] - 1] for t in said)
    placed(
        pen, "out read", "output", read, lambda n: (plot.at(said[n] + 0.5, 0)[0], plot.bottom - 5)
    )
    _picture(pen, "grid", GRID, right.occupancy, "dark", DARK, COLOURS["state"])
    high = (GRID[3] - GRID[1]) / max(len(right.states), ROWS)
    rows = "-" + "".join(f"{key}-" for key in FIRST)
    placed(pen, "ink rows", "state", rows, lambda s: (GRID[0] - 12, GRID[1] + (s + 0.5) * high + 4))
    pen.words((PLOT.left + PLOT.right) / 2, GRID[3] + 12, "step", size=13)
    read = TASK.text(collapse(path))
    found = keys_found(recording, right)
    return live(
        "A number dialled in noise, and the lattice that finds its keys",
        f"Above, the spectrogram of {FIRST} at {START['snr']} dB, and when each key sounded. In "
        "the middle, the probability of each class at each step: peaks of one or two steps, and "
        f"the blank between them. Below, the lattice of {FIRST}: its {2 * len(FIRST) + 1} states "
        "as rows, each key dark at a step while it sounds.".replace("-", "−", 1),
        "".join(pen.parts),
        (460, GRID[3] + 24),
        [
            Text("keys", "dial", FIRST, "tel"),
            Text("claim", "and claim", CLAIM, "tel"),
            Keypad(),
            Slider("snr", "signal to noise, in dB", SNRS, str(START["snr"])),
            Slider("seed", "recording", range(1, 10), str(START["seed"])),
            Choice("of", "lattice of", ("the number", "the claim")),
        ],
        {
            "net": packed(),
            "most": MOST,
            "loud": LOUD,
            "dark": DARK,
            "sound": SOUND,
            "plot": PLOT.data(),
            "grid": GRID,
            "least": ROWS,
        },
        ("plot", "cells", "weights", "typed", "tones", "ctc", "dialled"),
        f"The best path reads <b>{read}</b>. Probability of {FIRST}: {_costs(right)}; of the claim "
        f"{CLAIM}: {_costs(other)}. In the lattice of {FIRST}, {found} of {len(FIRST)} keys lie "
        "where they sounded.",
        zoom=1.15,
    )


def _costs(lattice: Lattice) -> str:
    loss = -lattice.log_probability.item()
    share = "above 99\u00a0%" if loss < 0.005 else percent(math.exp(-loss))
    return f"{share} (loss {hundredths(loss)})"


def _picture(pen: Pen, name, box, picture: Tensor, css: str, levels, colour: str) -> None:
    """Draw a picture, (T, rows), in shades that lie over each other."""
    ground = Pen()
    for n, level in enumerate(levels):
        ink = f'class="{css}{n}" stroke="{colour}" stroke-width="1" opacity="{0.8 / len(levels):g}"'
        ground.path(_cells(picture, level), ink)
    left, top, right, bottom = box
    T, rows = picture.shape
    rows = max(rows, ROWS) if name == "grid" else rows
    pen.parts.append(
        f'<svg class="{name}" x="{left}" y="{top}" width="{right - left}" height="{bottom - top}" '
        f'viewBox="0 0 {T} {rows}" preserveAspectRatio="none" shape-rendering="crispEdges">'
        f"{''.join(ground.parts)}</svg>"
    )


def _cells(picture: Tensor, least: float) -> str:
    """Return path data of all cells that are at least so large, as lines from left to right."""
    found = []
    for r, row in enumerate((picture >= least).T.tolist()):
        edges = [
            t for t in range(len(row) + 1) if (t < len(row) and row[t]) != (t > 0 and row[t - 1])
        ]
        found += (f"M{a} {r}.5h{b - a}" for a, b in zip(edges[::2], edges[1::2], strict=True))
    return "".join(found)
