"""Chapter 16: does a reader that knows ascending lines read what stands there, or what it expects?

The two readers of the study of handwriting, with batch normalization, trained on lines in which no
digit is smaller than the one before. And a third with two convolutions along the steps, 9 wide
each, which see seventeen steps or about five digits; this one trained on random lines as well.
Measured: the share of wrong digits on 500 ascending lines of the validation and 500 of the test,
and on 500 lines of random digits; and how many of these are read as ascending; 33 are.
"""

from rnnlib.data import Lines
from studies import handwriting
from studies.handwriting import errors

SETTINGS = [
    {"layer": layer, "trained": lines, "seed": seed}
    for layer, lines in (
        ("GRU", "ascending"),
        ("convolution", "ascending"),
        ("wide convolution", "ascending"),
        ("wide convolution", "random"),
    )
    for seed in range(5)
]


def run(layer: str, trained: str, seed: int) -> dict[str, float]:
    """Train one reader, and count what it reads wrong, and how."""
    task = Lines(ascending=True)
    model = handwriting.trained(Lines(ascending=trained == "ascending"), layer, True, seed)
    found = {f"{part} error": errors(model, task, part)[0] for part in ("validation", "test")}
    found["random error"], texts = errors(model, Lines(), "test")
    found["read as ascending"] = sum(map(task.allows, texts))
    return found
