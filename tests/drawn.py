"""Reads a drawing back from its markup: what stands where, and what each arrow leads from and to.

Nothing here knows which function drew it. An arrow that ends beside its box, a label outside, or
a wire that is not reached are seen, because places are all there is to go by.
"""

import math
import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import unquote
from xml.etree import ElementTree

SVG = "{http://www.w3.org/2000/svg}"
NEAR = 4.0  # from the edge of a shape to the end of its arrow
FREE = "nothing"


def parse(drawing) -> ElementTree.Element:
    return ElementTree.fromstring(drawing._repr_html_())


def images(drawing) -> list[ElementTree.Element]:
    """The SVG that each of a drawing's images holds."""
    sources = [image.get("src") for image in parse(drawing).iter("img")]
    assert all(source.startswith("data:image/svg+xml,") for source in sources)
    return [ElementTree.fromstring(unquote(source.split(",", 1)[1])) for source in sources]


def pictures(drawing) -> list["Picture"]:
    return [Picture(image) for image in images(drawing)]


def numbered(names: list[str]) -> list[str]:
    """Number the names that occur more than once, in their order: "σ 1", "σ 2"."""
    return [
        f"{name} {names[: i + 1].count(name)}" if names.count(name) > 1 else name
        for i, name in enumerate(names)
    ]


@dataclass(frozen=True)
class Label:
    text: str
    x: float
    y: float


@dataclass
class Shape:
    """A state, an input, an output or an operation."""

    kind: str  # rect or circle
    x: float
    y: float
    wide: float
    high: float
    colour: str
    dashed: bool
    name: str = ""

    def outside(self, point) -> float:
        """The distance of a point from the edge, less than 0 inside."""
        dx, dy = abs(point[0] - self.x), abs(point[1] - self.y)
        if self.kind == "circle":
            return math.hypot(dx, dy) - self.wide / 2
        dx, dy = dx - self.wide / 2, dy - self.high / 2
        return max(dx, dy) if max(dx, dy) < 0 else math.hypot(max(dx, 0), max(dy, 0))


@dataclass
class Line:
    """A wire, or an arrow without its head: several runs of points where it is interrupted."""

    runs: list[list[tuple[float, float]]]
    colour: str | None
    tip: tuple[float, float] | None = None

    @property
    def start(self):
        return self.runs[0][0]

    def distance(self, point) -> float:
        pairs = [pair for run in self.runs for pair in pairwise(run)]
        return min(_to_segment(point, a, b) for a, b in pairs)


def _to_segment(point, a, b) -> float:
    (px, py), (ax, ay), (bx, by) = point, a, b
    squared = (bx - ax) ** 2 + (by - ay) ** 2
    along = ((px - ax) * (bx - ax) + (py - ay) * (by - ay)) / squared if squared else 0
    along = min(1, max(0, along))
    return math.hypot(px - ax - along * (bx - ax), py - ay - along * (by - ay))


def runs(data: str) -> list[list[tuple[float, float]]]:
    """Turn path data into runs of points; curves become a dozen short lines."""
    found = []
    for command, given in re.findall(r"([MLHVCQhvmlz])([^MLHVCQhvmlz]*)", data):
        n = [float(text) for text in re.findall(r"-?[\d.]+", given)]
        x, y = found[-1][-1] if found else (0, 0)
        if command == "M":
            found.append([(n[0], n[1])])
        elif command == "m":
            found.append([(x + n[0], y + n[1])])
        elif command == "z":
            found[-1].append(found[-1][0])
        elif command in "HV":
            found[-1].append((n[0], y) if command == "H" else (x, n[0]))
        elif command in "hv":
            found[-1].append((x + n[0], y) if command == "h" else (x, y + n[0]))
        elif command in "Ll":
            base = (x, y) if command == "l" else (0, 0)
            found[-1] += [(base[0] + a, base[1] + b) for a, b in zip(n[::2], n[1::2], strict=True)]
        else:
            points = [(x, y), *zip(n[::2], n[1::2], strict=True)]
            found[-1] += [_bezier(points, step / 12) for step in range(1, 13)]
    return found


def _bezier(points, t):
    while len(points) > 1:
        points = [
            tuple((1 - t) * a + t * b for a, b in zip(p, q, strict=True))
            for p, q in pairwise(points)
        ]
    return points[0]


def labels(image) -> list[Label]:
    """The texts, indices run together ("h1", "Whh(2)"), with the middle of their height."""
    return [
        Label(
            "".join(text.itertext()),
            float(text.get("x")),
            float(text.get("y")) - 0.32 * float(text.get("font-size")),
        )
        for text in image.iter(f"{SVG}text")
    ]


def is_centred(label: Label, shape: Shape) -> bool:
    """Whether a label stands in a shape, in the middle of its width.

    With two indices, one above the other, the letter ends a little beside the middle.
    """
    beside = 6 if "(" in label.text else 1
    return abs(label.x - shape.x) <= beside and abs(label.y - shape.y) < shape.high / 2


def shapes(image) -> list[Shape]:
    """The states and circles, named by the labels in them, from left to right."""
    found = []
    for element in image.iter():
        values = {n: float(v) for n, v in element.items() if re.fullmatch(r"[\d.]+", v)}
        if element.tag == f"{SVG}rect" and element.get("class") == "state":
            wide, high = values["width"], values["height"]
            place = ("rect", values["x"] + wide / 2, values["y"] + high / 2, wide, high)
        elif element.tag == f"{SVG}circle" and element.get("class") is None:
            place = ("circle", values["cx"], values["cy"], 2 * values["r"], 2 * values["r"])
        else:
            continue
        dashed = element.get("stroke-dasharray") is not None
        found.append(Shape(*place, element.get("stroke"), dashed))
    found.sort(key=lambda shape: (shape.x, shape.y))
    written = labels(image)
    names = [
        " ".join(label.text for label in written if is_centred(label, shape)) or "unnamed"
        for shape in found
    ]
    for shape, name in zip(found, numbered(names), strict=True):
        shape.name = name
    return found


def lines(image) -> tuple[list[Line], list[Line]]:
    """The arrows and the wires. An arrow is a line with a filled head, or a group of the two."""
    pairs, grouped = [], set()
    for group in image.iter(f"{SVG}g"):
        if group.get("stroke"):
            pairs.append((group[0].get("d"), group[1].get("d"), group.get("stroke")))
            grouped |= {group[0], group[1]}
    for path in image.iter(f"{SVG}path"):
        if path not in grouped:
            data = path.get("d")
            cut = data.rindex("M") if data.endswith("z") else len(data)
            pairs.append((data[:cut], data[cut:], path.get("stroke")))
    arrows, wires = [], []
    for data, head, colour in pairs:
        colour = None if colour == "currentColor" else colour
        if not head:
            wires.append(Line(runs(data), colour))
            continue
        tip, (ax, ay), (bx, by), _ = runs(head)[0]
        base = ((ax + bx) / 2, (ay + by) / 2)
        end = runs(data)[-1][-1]
        assert math.dist(end, base) < 2, f"the head at {tip} is not on its line, {data}"
        assert math.dist(end, tip) > math.dist(base, tip) - 2, f"the head at {tip} is turned"
        arrows.append(Line(runs(data), colour, tip))
    return arrows, wires


class Picture:
    """An SVG image as it is read: its labels, shapes, arrows and wires, and what they join."""

    def __init__(self, image):
        self.labels, self.shapes = labels(image), shapes(image)
        self.arrows, self.wires = lines(image)

    def __getitem__(self, name: str) -> Shape:
        (found,) = [shape for shape in self.shapes if shape.name == name]
        return found

    def _at(self, point) -> list[str]:
        return [shape.name for shape in self.shapes if -1 <= shape.outside(point) <= NEAR]

    def _sources(self, line: Line, before=()) -> list[str]:
        """An arrow that starts on a wire or on another arrow comes from wherever that does."""
        ends = [line.start] if line.tip else [run[i] for run in line.runs for i in (0, -1)]
        found = [name for end in ends for name in self._at(end)]
        if line.tip and not found:
            for other in [*self.wires, *self.arrows]:
                if other not in (line, *before) and other.distance(line.start) < 1:
                    found += self._sources(other, (*before, line))
        return found

    def _joins(self, arrow: Line) -> list[tuple[str, str]]:
        starts, ends = self._sources(arrow) or [FREE], self._at(arrow.tip) or [FREE]
        return [(start, end) for start in starts for end in ends]

    def edges(self) -> Counter:
        """Count the arrows as (from, to, colour), with None for the colour of the text."""
        return Counter(
            (*join, arrow.colour) for arrow in self.arrows for join in self._joins(arrow)
        )

    def beside(self, text: str) -> set[tuple[str, str]]:
        """Return what is joined by the arrows that stand nearest to the labels of this text."""
        found = set()
        for label in self.labels:
            if label.text == text:
                at = (label.x, label.y)
                distance, i = min((a.distance(at), i) for i, a in enumerate(self.arrows))
                assert distance < 30, f"no arrow near {text}"
                found |= set(self._joins(self.arrows[i]))
        return found
