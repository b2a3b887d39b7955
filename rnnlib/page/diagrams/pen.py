"""The pen: writes SVG, and holds every shape of the book's drawings as one method."""

import math
from html import escape

from rnnlib.page.colours import GRADIENT, STATE
from rnnlib.page.diagrams.letters import split, typeset, upright
from rnnlib.page.drawing import SANS, Drawing, image, letters, number, page


def element(tag: str, content: str = "", more: str = "", **attributes) -> str:
    """Return an element; ``font_size`` is written font-size, and what is None is not written.

    `more` holds attributes that are always the same, as markup.
    """
    start = tag
    for name, value in attributes.items():
        if value is not None:
            text = value if isinstance(value, str) else number(value)
            start += f' {name.rstrip("_").replace("_", "-")}="{text}"'
    start += more and f" {more}"
    return f"<{start}>{content}</{tag}>" if content else f"<{start}/>"


class Pen:
    """Collects the elements of one SVG image."""

    def __init__(self):
        self.parts: list[str] = []

    def add(self, tag: str, content: str = "", more: str = "", **attributes) -> None:
        """Write any element; see `element`."""
        self.parts.append(element(tag, content, more, **attributes))

    def text(self, content, x, baseline, size, anchor, more="") -> None:
        """Write marked-up letters."""
        anchor = None if anchor == "middle" else anchor
        self.add("text", content, more, x=x, y=baseline, font_size=size, text_anchor=anchor)

    def symbol(self, x, y, symbol, *, size=22, anchor="middle", colour=None, over=0) -> None:
        """Write a letter with its indices, centred on height y.

        `over` = 1 or -1 sets a small arrow, to the right or to the left, above the letter.
        """
        base, sub, sup = split(symbol)
        small, baseline, text = size * 0.72, y + size * 0.3, base
        if sup:
            # One absolute position for both scripts: they stand above each other in any font.
            wide = size * (0.7 if base == "W" else 0.5)
            narrow = small * 0.41 * max(len(sub), len(sup))
            x += {"middle": (wide - narrow) / 2, "start": wide, "end": -narrow}[anchor]
            for index, shift in ((sub, 0.27), (sup, -0.42)):
                place = {"x": x + 1, "text_anchor": "start", "y": baseline + size * shift}
                text += element("tspan", upright(index), **place, font_size=small)
            anchor = "end"
        elif sub:
            text += element("tspan", upright(sub), dy=size * 0.22, font_size=small)
        kind = "backward" if colour == GRADIENT else "ink"
        ink = f'class="{kind}" fill="{letters(colour)}"' if colour else ""
        self.text(text, x, baseline, size, anchor, ink)
        if over:
            half = size * 0.27 * over
            left, top = x - small * 0.25 - half, baseline - size * 0.98
            head = f"m{-4 * over} -3l{4 * over} 3l{-4 * over} 3"
            self.path(
                f"M{number(left)} {number(top)}H{number(left + 2 * half)}{head}",
                'stroke="currentColor" stroke-width="1.3"',
            )

    def words(self, x, y, text, *, size=16, anchor="middle", family=SANS) -> None:
        """Write upright words, centred on height y."""
        upright = f'font-family="{family}" font-style="normal"'
        self.text(escape(text), x, y + size * 0.34, size, anchor, upright)

    def circle(self, x, y, radius=23, *, colour=None) -> None:
        """Draw an input or an output in its colour, or the outline of an operation."""
        outline = 'fill-opacity=".05" stroke="currentColor" stroke-opacity=".6"'
        if colour:
            outline = f'fill="{colour}" fill-opacity=".15" stroke="{colour}" stroke-width="2"'
        self.add("circle", more=outline, cx=x, cy=y, r=radius)

    def box(self, x, y, width=52, height=52, *, colour=STATE, empty=False) -> None:
        """Draw a state: filled once it is computed, dashed where it is given (h_0)."""
        fill = 'none" stroke-dasharray="4 4' if empty else f'{colour}" fill-opacity=".2'
        ink = f'fill="{fill}" stroke="{colour}" stroke-width="2"'
        left, top = x - width / 2, y - height / 2
        self.add("rect", "", ink, class_="state", x=left, y=top, width=width, height=height, rx=11)

    def frame(self, left, top, right, bottom, colour, *, dashed=False) -> None:
        """Draw a frame around several states."""
        ink = f'fill="none" stroke="{colour}" stroke-width="2.5"'
        ink += ' stroke-dasharray="8 5"' * dashed
        self.add("rect", "", ink, x=left, y=top, width=right - left, height=bottom - top, rx=17)

    def path(self, data: str, ink: str = 'stroke="currentColor" opacity=".75"') -> None:
        """Draw a line without a head, of SVG path data."""
        self.add("path", d=data, more=f'fill="none" {ink}')

    def arrow(self, start, end, *, colour=None, curve=None, gap=None) -> None:
        """Draw an arrow from `start` to `end`.

        `curve` is SVG path data that replaces the straight line up to the head; `gap` is a pair
        of distances from the start, between which another arrow passes.
        """
        (x0, y0), (x1, y1) = start, end
        length = math.hypot(x1 - x0, y1 - y0)
        ux, uy = (x1 - x0) / length, (y1 - y0) / length
        x1, y1 = x1 - 1.5 * ux, y1 - 1.5 * uy
        head, half = 9, 4
        bx, by = x1 - head * ux, y1 - head * uy

        def at(x, y):
            return f"{number(x)} {number(y)}"

        tip = f"M{at(x1, y1)}L{at(bx - half * uy, by + half * ux)}"
        tip += f" {at(bx + half * uy, by - half * ux)}z"
        ink = 'stroke="currentColor" opacity=".75"'
        if colour:
            ink = f'fill="{colour}" stroke="{colour}" stroke-width="2.4"'
        if curve:
            line = element("path", d=curve, fill="none")
            self.add("g", line + element("path", d=tip), ink)
            return
        line = f"M{at(x0, y0)}"
        if gap:
            before, after = ((x0 + along * ux, y0 + along * uy) for along in gap)
            line += f"L{at(*before)}M{at(*after)}"
        self.add("path", d=f"{line}L{at(bx, by)}{tip}", more=ink)

    def image(self, width, height, alt, *, zoom=1.2) -> str:
        """Return the image; `alt` is what it shows in words."""
        return image("".join(self.parts), width, height, alt, zoom=zoom)

    def drawing(self, width, height, title, description, *, caption="", zoom=1.2) -> Drawing:
        """Return the image as a drawing; symbols in its caption stand between bars: |h_t|."""
        body = self.image(width, height, f"{title}. {description}", zoom=zoom)
        body += caption and f"<p>{typeset(caption)}</p>"
        return Drawing(title, description, page(body))
