"""Runs a live figure's own script on a page that is as much of a browser as it needs."""

import base64
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import quickjs
from drawn import parse

BROWSER = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")


def tree(element: ElementTree.Element) -> dict:
    return {
        "tag": element.tag.rsplit("}")[-1],
        "attributes": dict(element.attrib),
        "text": "".join(element.itertext()),
        "children": [tree(child) for child in element],
    }


def code_of(drawing) -> str:
    return next(parse(drawing).iter("script")).text


class Page:
    """A page that holds a figure, or several copies of it; the script of each has run.

    Parameters
    ----------
    drawing : Drawing
    copies : int, default 1
        How often the figure, with its script, stands on the page.
    address : str, optional
        What follows the page's address, from # on; without it, the page is a notebook's.
    """

    def __init__(self, drawing, copies: int = 1, address: str | None = None):
        self.context = quickjs.Context()
        self.context.add_callable(
            "parse", lambda html: json.dumps(tree(ElementTree.fromstring(html)))
        )
        self.context.add_callable("atob", lambda text: base64.b64decode(text).decode("latin1"))
        self.context.set("copies", json.dumps([tree(parse(drawing))] * copies))
        self.context.set("address", address)
        self.context.eval(BROWSER)
        for _ in range(copies):
            self.context.eval(code_of(drawing))

    def get(self, expression: str, copy: int = 0):
        """Evaluate JavaScript in which ``root`` is the figure's element."""
        found = self.context.eval(
            f"{{ const root = roots[{copy}]; JSON.stringify({expression}); }}"
        )
        return None if found is None else json.loads(found)

    def set(self, *, copy: int = 0, **settings) -> str:
        """Move controls to these values or stops, and return the line below the figure."""
        for name, value in settings.items():
            control = f"root.querySelector('[name={name}]')"
            if isinstance(value, bool):
                self.get(f"{control}.checked = {json.dumps(value)}", copy)
            else:
                stops = self.get(f"{control}.dataset.stops ?? null", copy)
                to = stops.split().index(str(value)) if stops else str(value)
                self.get(f"{control}.value = {json.dumps(to)}", copy)
            self.get("root.heard.input() ?? null", copy)
        return self.caption(copy)

    def press(self, word: str, copy: int = 0) -> str:
        button = f"root.querySelectorAll('button').find(b => b.textContent === {word!r})"
        self.get(f"root.heard.click({{ target: {button} }}) ?? null", copy)
        return self.caption(copy)

    def go(self, address: str) -> str:
        """Change what follows the page's address, and return the line below the figure."""
        self.context.eval(f"location.hash = {json.dumps(address)}; pageHeard.hashchange()")
        return self.caption()

    def address(self) -> str:
        return self.context.eval("location.hash")

    def caption(self, copy: int = 0) -> str:
        """Return the line below the figure, without markup."""
        return re.sub("<[^>]+>", "", self.get("root.querySelector('.caption').innerHTML", copy))

    def heard(self) -> str | None:
        """Let time pass, and return what a screen reader has been given, if anything."""
        self.context.eval("due.forEach(work => work()); due.clear()")
        return self.get("root.querySelector('.spoken').innerHTML ?? null")

    def attribute(self, selector: str, name: str, copy: int = 0):
        where = f"root.querySelector({json.dumps(selector)})"
        return self.get(f"{where}.getAttribute({name!r}) ?? null", copy)
