"""What is read: tasks made on the spot, dates, images and text, and how they come in batches.

The loaders and what they return are named here; `tasks`, `lengths`, `series`, `tones` and
`transcripts` have names of their own.
"""

from rnnlib.data.batches import loader
from rnnlib.data.dates import Dates
from rnnlib.data.images import ImageSplit, load_digits
from rnnlib.data.lines import Lines
from rnnlib.data.mnist import DownloadError, load_mnist
from rnnlib.data.text import TextSplit, TextStream, load_text
from rnnlib.data.tones import Tones
from rnnlib.data.vocabulary import Vocabulary

__all__ = [
    "Dates",
    "DownloadError",
    "ImageSplit",
    "Lines",
    "TextSplit",
    "TextStream",
    "Tones",
    "Vocabulary",
    "load_digits",
    "load_mnist",
    "load_text",
    "loader",
]
