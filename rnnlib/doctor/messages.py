"""What an error means: the messages that a first network raises, and the cure of each."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Diagnosis:
    """What a message means, its cure, and the chapter to read."""

    meaning: str
    cure: str
    chapter: int


KNOWN: list[tuple[str, str, str, int]] = [
    (
        r"missing the required \"forward\" function",
        "The class has no method called forward.",
        "name it forward, letter by letter, inside the class",
        3,
    ),
    (
        r"super\(\)\.__init__\(\)|before Module\.__init__\(\) call",
        "The class does not call the constructor of nn.Module.",
        "begin __init__ (two underscores on each side) with super().__init__()",
        3,
    ),
    (
        r"new\(\) received an invalid combination|__init__\(\) takes 1 positional argument",
        "The constructor did not receive the sizes: it is not called __init__.",
        "write __init__ with two underscores on each side",
        3,
    ),
    (
        r"'tuple' object has no attribute 'size'|'tuple' object has no attribute 'dim'"
        r"|expected hx to be a [Tt]ensor.*tuple|hx: expected a Tensor, got tuple",
        "A tuple was given where one tensor belongs: (h_0, c_0) is the state of an LSTM; a plain "
        "RNN and a GRU take h_0 alone.",
        "pass h_0 alone, or use an LSTM",
        10,
    ),
    (
        r"must be Tensor, not tuple|but got tuple|not 'tuple'|'tuple' object"
        r"|found tuple|got tuple",
        "A layer was given a tuple: recurrent layers return (output, state).",
        "take it apart: output, state = rnn(x), and hand on the one you need",
        3,
    ),
    (
        r"has no attribute '\w+'",
        "The model uses an attribute that it never set: a name is spelt in two ways, or "
        "__init__ did not run.",
        "use one name where it is set in __init__ and where it is used in forward",
        3,
    ),
    (
        r"too many values to unpack|not enough values to unpack",
        "What was returned is taken apart into the wrong number of parts: an RNN and a GRU return "
        "(output, h_n), an LSTM (output, (h_n, c_n)).",
        "write output, state = rnn(x)",
        10,
    ),
    (
        r"input\.size\(-1\) must be equal to input_size|Expected (\d+), got (\d+)"
        r"|input has inconsistent input_size",
        "The layer was made for inputs of another size than the last axis of x has.",
        "give input_size the size of one step: for images read row by row, the pixels of a row",
        6,
    ),
    (
        r"expected hidden(\[\d\])? size|expected (hx|h_0|c_0) of size|hx should also be"
        r"|for batched (2|3)-D input, hx|expected cell|state of (shape|size)|h_0: expected",
        "The first state does not fit the batch: it is (layers × directions, N, H), with the "
        "samples second even if batch_first is True.",
        "make it of x: x.new_zeros(layers * directions, N, H), or pass none",
        3,
    ),
    (
        r"[Ee]xpected input to be 2-?D|input must have 3 dimensions|to be 2D or 3D"
        r"|expected (input|x) (to be|of) 2|got 4-?D|2D or 3D, got",
        "A recurrent layer reads three axes, samples, steps and features; x has others.",
        "squeeze the channel of images: (N, 1, 28, 28) to (N, 28, 28)",
        6,
    ),
    (
        r"trying to backward through the graph a second time",
        "The state that the model kept is still part of the graph of the last update.",
        "detach the state that is carried on, or begin each batch without one",
        4,
    ),
    (
        r"modified by an inplace operation",
        "A tensor that the backward pass needs was overwritten.",
        "make a new tensor (h = h + …, torch.stack(list)) in the place of h += … or out[:, t] = …",
        7,
    ),
    (
        r"[Ee]xpected all tensors to be on the same device|is on (cpu|cuda|meta)|on different dev"
        r"|[Dd]evice .* mismatch|Tensor on device .* is not on",
        "Some tensors are on one device and some on another: a state made by torch.zeros is on "
        "the CPU.",
        "make states of the input, x.new_zeros(…), and move model and data with .to(device)",
        3,
    ),
    (
        r"'lengths' argument should be a 1D CPU int64 tensor|lengths.*(CPU|cpu)",
        "Packing takes lengths on the CPU, in int64.",
        "pass lengths.cpu()",
        13,
    ),
    (
        r"same dtype|dtype.* match|dtype mismatch|but found (Double|Float|Long|Half)"
        r"|must have the (same data ?type|type torch)|expected scalar type|expected m1 and m2"
        r"|same data type|input .*weight.*dtype|got .*Long"
        r"|Expected tensor for argument #1 'indices'",
        "Numbers of two dtypes meet: NumPy's are float64, the weights float32; an embedding reads "
        "int64, and a recurrent layer floats.",
        "convert the data, x.float() (or x.long() for indices); make states of the input, "
        "x.new_zeros(…)",
        3,
    ),
    (
        r"must be sorted in decreasing order",
        "Packing was told that the lengths are sorted, and they are not.",
        "pass enforce_sorted=False",
        13,
    ),
    (
        r"Length of all samples has to be greater than 0|lengths: expected at least 1",
        "A sequence without a step can't be packed.",
        "leave empty sequences out",
        13,
    ),
    (
        r"index out of range in self|[Tt]arget \d+ is out of bounds"
        r"|expected (classes|indices) from 0",
        "An index is as large as the number of rows or classes, or larger: a vocabulary of V "
        "symbols has indices 0 to V - 1.",
        "count the symbols (or classes) once, and give the layer that number",
        12,
    ),
    (
        r"is out of bounds for dimension",
        "A step is asked for that is not there: the last of n steps is number n - 1.",
        "read at lengths - 1",
        13,
    ),
    (
        r"Dimension out of range",
        "An axis is named that the tensor does not have, as in argmax(dim=2) of two axes.",
        "name the axis of classes from the end: argmax(dim=-1)",
        12,
    ),
    (
        r"Using a target size|stack expects each tensor to be equal size"
        r"|size of tensor a \(\d+\) must match",
        "Two tensors of different shapes were to be combined step by step.",
        "print both shapes: torch.stack where torch.cat should join, and a state kept from a batch "
        "of another size are frequent causes",
        4,
    ),
    (
        r"mat1 and mat2 shapes cannot be multiplied|size mismatch",
        "A matrix was made for vectors of another size than those that arrive.",
        "print the shape that arrives: its last axis is the in_features of the layer (twice the "
        "hidden size after a bidirectional one)",
        5,
    ),
    (
        r"takes \d+ positional arguments? but \d+ were given|missing \d+ required positional",
        "forward takes other arguments than it was given.",
        "give forward x alone, or x and lengths; everything else a default",
        3,
    ),
    (
        r"only Tensors of floating point|can only be .* floating"
        r"|not implemented for '(Long|Int|Byte)",
        "Whole numbers arrived where real ones are needed.",
        "convert with .float(), or put an embedding first",
        12,
    ),
    (
        r"returned no tensor of real numbers, but (NoneType|ndarray)",
        "The model returns nothing that torch can differentiate: forward ends without return, or "
        "leaves torch for NumPy.",
        "return the scores, as a tensor",
        3,
    ),
    (
        r"returned no tensor of real numbers",
        "The model returns no scores: argmax is taken inside it, and nothing passes back "
        "through argmax.",
        "return the scores, and take the argmax where the answer is read",
        4,
    ),
    (
        r"does not require grad",
        "The loss does not depend on anything that is to be learned: nothing can be trained.",
        "make weights nn.Parameter, and drop no_grad, .detach() and .data from the way",
        3,
    ),
]
"""Pattern of a message, what it means, its cure, the chapter to read."""


def raised(error: BaseException) -> str:
    """Say what was raised, in a sentence: the type, and the first line of the message."""
    line = (str(error).strip().splitlines() or [""])[0]
    return f"It raised {type(error).__name__}: {line.rstrip('.')}."


def diagnose(error: BaseException) -> Diagnosis | None:
    """Say what an error means, if it is a known one."""
    message = str(error)
    for pattern, meaning, cure, chapter in KNOWN:
        if re.search(pattern, message, re.IGNORECASE):
            return Diagnosis(meaning, cure, chapter)
    return None
