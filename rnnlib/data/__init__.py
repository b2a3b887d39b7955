"""What is read: tasks made on the spot, dates, images and text, and how they come in batches.

The loaders and what they return are named here; `tasks` and `lengths` have many names of their own.
"""

from rnnlib.data.datasets import (
    DownloadError,
    ImageSplit,
    TextSplit,
    TextStream,
    Vocabulary,
    load_digits,
    load_mnist,
    load_text,
    loader,
)
from rnnlib.data.dates import Dates

__all__ = [
    "Dates",
    "DownloadError",
    "ImageSplit",
    "TextSplit",
    "TextStream",
    "Vocabulary",
    "load_digits",
    "load_mnist",
    "load_text",
    "loader",
]
