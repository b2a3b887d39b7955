"""The base of live figures: a drawing whose image a script replaces."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files

from rnnlib.page.colours import GRADIENT, INPUT, OUTPUT, STATE
from rnnlib.page.drawing import Drawing, image, page

_STYLE = (
    ".rnn-drawing>svg{display:block;max-width:100%;height:auto;margin:0 auto}"
    # Letters in the page's own colour, mixed with theirs, have contrast on any ground.
    f".rnn-drawing .ink{{fill:color-mix(in srgb,{STATE} 70%,currentColor)}}"
    f".rnn-drawing .backward{{fill:color-mix(in srgb,{GRADIENT} 70%,currentColor)}}"
    f".rnn-drawing .given{{fill:color-mix(in srgb,{INPUT} 70%,currentColor)}}"
    f".rnn-drawing .out{{fill:color-mix(in srgb,{OUTPUT} 70%,currentColor)}}"
    ".rnn-drawing [data-state=todo]{visibility:hidden}"
    ".rnn-drawing [data-state=now] .state{fill-opacity:.5;stroke-width:3.5}"
    ".rnn-drawing .controls{display:flex;flex-wrap:wrap;justify-content:center;"
    "gap:.25rem 1.5rem;max-width:38rem;margin:.5rem auto 0}"
    ".rnn-drawing .control{display:flex;flex-wrap:wrap;justify-content:center;"
    "align-items:center;gap:.25rem .6rem}"
    ".rnn-drawing label{display:flex;align-items:center;gap:.6rem;margin:0}"
    ".rnn-drawing input{width:min(11rem,28vw);height:2.75rem;margin:0;"
    f"accent-color:{STATE}}}"
    ".rnn-drawing :is([type=text],[type=number]){color:inherit;background:transparent;"
    "border:1px solid;border-radius:.3rem;padding:0 .3rem;font:inherit}"
    ".rnn-drawing [type=text]{width:min(22rem,72vw)}"
    ".rnn-drawing label:has([type=text]){flex-wrap:wrap}"
    ".rnn-drawing output{min-width:2.4em;font-variant-numeric:tabular-nums}"
    ".rnn-drawing button,.rnn-drawing select{min-height:2.75rem;min-width:2.75rem;"
    "padding:0 .6rem;font:inherit;color:inherit;background:transparent;border:1px solid;"
    "border-radius:.5rem;cursor:pointer}"
    ".rnn-drawing option{color:#111;background:#fff}"
    ".rnn-drawing button[aria-disabled=true]{opacity:.4;cursor:default}"
    ".rnn-drawing .boxes{display:flex;flex-wrap:wrap;align-items:end;border:0;margin:0;padding:0}"
    # A legend takes its place beside the boxes only if it floats.
    ".rnn-drawing legend{float:left;width:8rem;margin:0;font-size:1em}"
    "@media(max-width:30rem){.rnn-drawing legend{width:100%}}"
    ".rnn-drawing .boxes label{flex-direction:column;gap:0;min-width:1.9rem;font-size:.8em}"
    ".rnn-drawing [type=checkbox]{width:1.4rem;height:1.6rem}"
    ".rnn-drawing .caption{min-height:4.5em;overflow-wrap:anywhere}"
    "@media(max-width:30rem){.rnn-drawing .caption{min-height:7.5em}}"
    ".rnn-drawing .spoken{position:absolute;width:1px;height:1px;overflow:hidden;"
    "clip-path:inset(50%)}"
    "@media print{.rnn-drawing{break-inside:avoid}.rnn-drawing .controls{display:none}}"
)


@dataclass(frozen=True)
class Slider:
    """A native slider that stops at given values.

    Parameters
    ----------
    name : str
        What the figure's script calls it.
    label : str
        What the reader reads.
    stops : sequence of str
        Numbers, as they are shown, or "none" for an infinite one.
    first : str
        The stop at which it begins.
    buttons : bool, default False
        Whether two buttons beside it go to the stop before and after.
    """

    name: str
    label: str
    stops: Sequence[str]
    first: str
    buttons: bool = False

    def html(self) -> str:
        """Return its markup."""
        stops, first = list(map(str, self.stops)), str(self.first)
        slider = (
            f'<label><span>{self.label}</span> <input type="range" name="{self.name}" min="0" '
            f'max="{len(stops) - 1}" value="{stops.index(first)}" autocomplete="off" '
            f'data-stops="{" ".join(stops)}"/> <output>{first}</output></label>'
        )
        if self.buttons:
            before, after = (
                f'<button type="button" data-of="{self.name}" data-by="{by}">{word}</button>'
                for by, word in ((-1, "previous"), (1, "next"))
            )
            slider = before + slider + after
        return f'<div class="control">{slider}</div>'


@dataclass(frozen=True)
class Choice:
    """A native list of words to choose from; the first is chosen to begin with."""

    name: str
    label: str
    words: Sequence[str]

    def html(self) -> str:
        """Return its markup."""
        words = "".join(f"<option>{escape(word)}</option>" for word in self.words)
        return (
            f'<div class="control"><label>{self.label} <select name="{self.name}" '
            f'autocomplete="off">{words}</select></label></div>'
        )


@dataclass(frozen=True)
class Boxes:
    """A row of boxes, all ticked at first, known to the script as name1, name2 and so on."""

    name: str
    label: str
    count: int

    def html(self) -> str:
        """Return its markup."""
        boxes = "".join(
            f'<label>{n}<input type="checkbox" name="{self.name}{n}" checked="" '
            'autocomplete="off"/></label>'
            for n in range(1, self.count + 1)
        )
        return f'<fieldset class="boxes"><legend>{self.label}</legend>{boxes}</fieldset>'


@dataclass(frozen=True)
class Text:
    """A line to type into; the script reads it from the control, as it stands.

    `mode` says which keys a phone offers: HTML's ``inputmode``; it takes `most` letters at most.
    """

    name: str
    label: str
    first: str
    mode: str = "text"
    most: int = 400

    def html(self) -> str:
        """Return its markup."""
        return (
            f'<div class="control"><label>{self.label} <input type="text" name="{self.name}" '
            f'value="{escape(self.first)}" inputmode="{self.mode}" maxlength="{self.most}" '
            'autocomplete="off" autocapitalize="off" autocorrect="off" spellcheck="false"/></label>'
            "</div>"
        )


def script(name: str) -> str:
    """Return a script of this folder."""
    return files("rnnlib.page.live").joinpath(f"{name}.js").read_text(encoding="utf-8")


def live(
    title: str,
    description: str,
    parts: str,
    size: tuple[float, float],
    controls: Sequence[Slider | Choice | Boxes | Text],
    data,
    scripts: str | Sequence[str],
    said: str,
    *,
    zoom: float = 1.2,
) -> Drawing:
    """Return a drawing that comes to life where scripts run.

    Parameters
    ----------
    title, description : str
        What it is, and what it shows, in words.
    parts : str
        The elements of its SVG, as they are seen without scripts.
    size : (width, height)
        Of the view of these elements.
    controls : sequence of Slider, Choice, Boxes and Text
    data
        What the script needs, as JSON has it.
    scripts : str or sequence of str
        The name of its script, after those it needs. The last defines ``figure(root, data)``,
        which returns a function that takes the settings by name, changes the drawing, and returns
        the line below it.
    said : str
        That line, as HTML, where no script has run.
    zoom : float, default 1.2
        How large the view is shown.

    Returns
    -------
    Drawing
    """
    rows = "".join(control.html() for control in controls)
    about = {
        "controls": f'<div class="controls" data-lm-suppress-shortcuts="true">{rows}</div>',
        "data": data,
    }
    # Neither the end of the script nor that of the CDATA section may stand in it.
    about = json.dumps(about, ensure_ascii=False, separators=(",", ":"))
    about = about.replace("<", "\\u003c").replace(">", "\\u003e")
    picture = image(parts, *size, f"{title}. {description}", zoom=zoom)
    names = [scripts] if isinstance(scripts, str) else scripts
    own = "".join(map(script, ("figure", *names)))
    # Not of the picture, whose last digits may depend on the processor.
    key = hashlib.sha256((own + about).encode()).hexdigest()[:10]
    body = (
        f'{picture}<p class="caption">{said}</p>'
        f"<script>//<![CDATA[\n(() => {{\n{own}"
        f"document.querySelectorAll('[data-live=\"{key}\"]:not([data-ready])')"
        f".forEach(root => open(root, {about}));\n}})();\n//]]></script>"
    )
    return Drawing(title, description, page(body, style=_STYLE, tag=f' data-live="{key}"'))
