"""Data from outside: handwritten digits, MNIST, and text, with its vocabulary and its windows.

The digits that come with scikit-learn need no network and are the book's default. MNIST is
downloaded once, checked against its published checksums at every load, and kept in a cache. The
text to learn to write from comes with the package; any other is read from its file.
"""

import gzip
import logging
import math
import os
import re
import warnings
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from pathlib import Path

import numpy as np
import requests
import torch
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset
from tqdm import TqdmWarning, tqdm

from rnnlib.cells import check_size

with warnings.catch_warnings():
    # pooch imports tqdm.auto, which asks for widgets in every notebook. Our bars are text.
    warnings.simplefilter("ignore", TqdmWarning)
    import pooch

MNIST_URLS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
"""Where the four files are served, in the order in which they are tried."""

MNIST_CHECKSUMS = {
    "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
}
"""The four files and their MD5 as published."""


class DownloadError(OSError):
    """A data set could not be had; the message says why, and what the reader can do."""


@dataclass(frozen=True)
class Vocabulary:
    """The symbols of a text, sorted, each with its index.

    Sorting by code point makes the indices the same in every process: the order of a ``set`` of
    strings is not, and a model saved with one order writes nonsense when read with another.

    Parameters
    ----------
    symbols : iterable of str
        Single characters, each once, in any order; kept sorted, as a tuple.

    Raises
    ------
    TypeError
        If a symbol is not a string.
    ValueError
        If there is none, one is longer than a character, or one occurs twice.

    Examples
    --------
    >>> vocabulary = Vocabulary.from_text("hello")
    >>> vocabulary.symbols
    ('e', 'h', 'l', 'o')
    >>> vocabulary.encode("hello")
    tensor([1, 0, 2, 2, 3])
    """

    symbols: tuple[str, ...]

    def __post_init__(self):
        symbols = tuple(self.symbols)
        for symbol in symbols:
            if not isinstance(symbol, str):
                raise TypeError(f"symbols: expected strings, got {type(symbol).__name__}")
            if len(symbol) != 1:
                raise ValueError(f"symbols: expected single characters, got {symbol!r}")
        if not symbols:
            raise ValueError("symbols: expected at least one, got none")
        twice = sorted(symbol for symbol, n in Counter(symbols).items() if n > 1)
        if twice:
            raise ValueError(
                f"symbols: expected each symbol once, got {', '.join(map(repr, twice))} more than "
                "once; Vocabulary.from_text collects the symbols of a text"
            )
        object.__setattr__(self, "symbols", tuple(sorted(symbols)))

    @classmethod
    def from_text(cls, text: str) -> "Vocabulary":
        """Collect the symbols that occur in a text.

        Parameters
        ----------
        text : str

        Returns
        -------
        Vocabulary

        Raises
        ------
        TypeError
            If `text` is not a string.
        ValueError
            If it is empty.
        """
        if not isinstance(text, str):
            raise TypeError(f"text: expected a string, got {type(text).__name__}")
        return cls(tuple(set(text)))

    def __len__(self) -> int:
        return len(self.symbols)

    @cached_property
    def _index(self) -> dict[str, int]:
        return {symbol: index for index, symbol in enumerate(self.symbols)}

    def encode(self, text: str) -> Tensor:
        """Turn text into indices.

        Parameters
        ----------
        text : str
            T characters.

        Returns
        -------
        Tensor of int64, (T,)

        Raises
        ------
        TypeError
            If `text` is not a string.
        ValueError
            If it holds a symbol that the vocabulary does not know.
        """
        if not isinstance(text, str):
            raise TypeError(f"text: expected a string, got {type(text).__name__}")
        for position, symbol in enumerate(text):
            if symbol not in self._index:
                raise ValueError(
                    f"text: expected one of the {len(self)} symbols {''.join(self.symbols)!r}, "
                    f"got {symbol!r} at position {position}"
                )
        return torch.tensor([self._index[symbol] for symbol in text], dtype=torch.int64)

    def decode(self, indices: Tensor | Sequence[int]) -> str:
        """Turn indices back into text.

        Parameters
        ----------
        indices : Tensor (T,) or sequence of int

        Returns
        -------
        str
            T characters.

        Raises
        ------
        TypeError
            If the indices are not integers.
        ValueError
            If a tensor has more or fewer than one dimension.
        IndexError
            If one lies outside 0 … V-1.
        """
        indices = self._checked(indices)
        if indices.dim() != 1:
            raise ValueError(f"indices: expected shape (T,), got {tuple(indices.shape)}")
        return "".join(self.symbols[index] for index in indices.tolist())

    def one_hot(self, indices: Tensor | Sequence[int]) -> Tensor:
        """Write each index as a vector of zeros with a single 1.

        Parameters
        ----------
        indices : Tensor (T,), of any other shape, or sequence of int

        Returns
        -------
        Tensor, (T, V)
            In torch's default floating-point type; V is added as the last dimension.

        Raises
        ------
        TypeError
            If the indices are not integers.
        IndexError
            If one lies outside 0 … V-1.
        """
        vectors = torch.nn.functional.one_hot(self._checked(indices), len(self))
        return vectors.to(torch.get_default_dtype())

    def _checked(self, indices) -> Tensor:
        if not isinstance(indices, Tensor):
            try:
                # torch makes an empty list a tensor of floats
                indices = torch.as_tensor(indices, dtype=None if len(indices) else torch.int64)
            except (TypeError, ValueError, RuntimeError) as error:
                raise TypeError(
                    f"indices: expected a tensor or a sequence of int, got {indices!r}"
                ) from error
        if indices.is_floating_point() or indices.is_complex() or indices.dtype == torch.bool:
            raise TypeError(f"indices: expected integers, got {indices.dtype}")
        outside = indices[(indices < 0) | (indices >= len(self))]
        if outside.numel():
            raise IndexError(
                f"indices: expected 0 to {len(self) - 1} for {len(self)} symbols, "
                f"got {outside[0].item()}"
            )
        return indices.to(torch.int64)


@dataclass(frozen=True, eq=False, repr=False)
class ImageSplit:
    """Images with their labels, some to train on and others to test on.

    Parameters
    ----------
    train_images : Tensor of float32, (N, rows, columns)
        From 0 (background) to 1. Read row by row, an image is a sequence: T rows of D pixels.
    train_labels : Tensor of int64, (N,)
    test_images : Tensor of float32, (M, rows, columns)
    test_labels : Tensor of int64, (M,)

    Raises
    ------
    ValueError
        If the types or the sizes do not fit together.
    """

    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor

    def __post_init__(self):
        for part in ("train", "test"):
            images = getattr(self, f"{part}_images")
            labels = getattr(self, f"{part}_labels")
            if images.dim() != 3 or images.dtype != torch.float32:
                raise ValueError(
                    f"{part}_images: expected float32 of shape (N, rows, columns), "
                    f"got {images.dtype} of shape {tuple(images.shape)}"
                )
            if labels.shape != images.shape[:1] or labels.dtype != torch.int64:
                raise ValueError(
                    f"{part}_labels: expected int64 of shape ({len(images)},), one for each "
                    f"image, got {labels.dtype} of shape {tuple(labels.shape)}"
                )
        if self.train_images.shape[1:] != self.test_images.shape[1:]:
            raise ValueError(
                f"test_images: expected images of {tuple(self.train_images.shape[1:])} like those "
                f"to train on, got {tuple(self.test_images.shape[1:])}"
            )

    @cached_property
    def classes(self) -> tuple[int, ...]:
        """The labels that occur, in order; there are K of them."""
        return tuple(torch.cat([self.train_labels, self.test_labels]).unique().tolist())

    def __repr__(self) -> str:
        rows, columns = self.train_images.shape[1:]
        return (
            f"ImageSplit({len(self.train_images)} images to train on, {len(self.test_images)} to "
            f"test on, {rows} × {columns} pixels, {len(self.classes)} classes)"
        )


def loader(
    x: Tensor, y: Tensor, batch_size: int, *, shuffle: bool = True, seed: int = 0
) -> DataLoader:
    """Serve pairs (x, y) in batches: a torch DataLoader with a generator of its own.

    The order depends on `seed` alone, not on what else has drawn random numbers. Each pass over
    the loader draws a new order.

    Parameters
    ----------
    x, y : Tensor, (N, ...)
        Samples and their targets.
    batch_size : int
        Samples in a batch; the last batch of a pass may be smaller.
    shuffle : bool, default True
        Whether to draw the order at random. Switch it off for testing.
    seed : int, default 0
        Of the generator that draws the order.

    Returns
    -------
    torch.utils.data.DataLoader

    Raises
    ------
    ValueError
        If x and y differ in length, there are no samples, or the batch size is not positive.
    """
    if len(x) != len(y) or len(x) == 0:
        raise ValueError(f"x, y: expected as many targets as samples, got {len(x)} and {len(y)}")
    generator = torch.Generator().manual_seed(seed)
    return DataLoader(TensorDataset(x, y), batch_size, shuffle=shuffle, generator=generator)


def load_digits(*, test_size: int = 360, seed: int = 0) -> ImageSplit:
    """Load the 1,797 handwritten digits that come with scikit-learn. No network is needed.

    Every digit is as frequent in the test part as in the whole (a stratified split).

    Parameters
    ----------
    test_size : int, default 360
        M, the images kept for testing; the other 1797 - M are for training.
    seed : int, default 0
        Decides which images go where.

    Returns
    -------
    ImageSplit
        Images of 8 × 8 pixels.

    Raises
    ------
    TypeError
        If `test_size` is not an integer.
    ValueError
        If a digit would be missing from one of the two parts.

    Notes
    -----
    The images are the test part of [1]_.

    .. [1] E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine
       Learning Repository (1998).
    """
    # Imported here because scikit-learn takes as long to import as torch does.
    import sklearn.datasets
    from sklearn.model_selection import train_test_split

    if isinstance(test_size, bool) or not isinstance(test_size, int):
        raise TypeError(f"test_size: expected an int, got {type(test_size).__name__}")
    digits = sklearn.datasets.load_digits()
    least, most = len(digits.target_names), len(digits.target) - len(digits.target_names)
    if not least <= test_size <= most:
        raise ValueError(f"test_size: expected between {least} and {most}, got {test_size}")
    parts = train_test_split(
        digits.images.astype(np.float32) / 16,
        digits.target.astype(np.int64),
        test_size=test_size,
        stratify=digits.target,
        random_state=seed,
    )
    train_images, test_images, train_labels, test_labels = map(torch.from_numpy, parts)
    return ImageSplit(train_images, train_labels, test_images, test_labels)


def load_mnist(
    *,
    cache_dir: str | os.PathLike | None = None,
    base_url: str | None = None,
    checksums: Mapping[str, str] | None = None,
    progress: bool = True,
) -> ImageSplit:
    """Load MNIST: 60,000 and 10,000 handwritten digits. The first time, they are downloaded.

    The four files (11 MB) are kept in a cache. Their checksums are compared at every load, so a
    file that has changed since is fetched again. A download that fails leaves no file behind.

    Parameters
    ----------
    cache_dir : path, optional
        The files lie in its folder ``mnist``. By default the environment variable ``RNNLIB_DATA``
        decides, and without it the user's cache folder.
    base_url : str, optional
        The address of the folder that serves the files. By default the environment variable
        ``RNNLIB_MNIST_URL`` decides, and without it two public mirrors are tried in turn.
    checksums : mapping of str to str, optional
        The MD5 of each of the four files, for a server that holds other images under the same
        names, as Fashion-MNIST does. Give it a `cache_dir` of its own.
    progress : bool, default True
        Whether a bar on stderr shows each download.

    Returns
    -------
    ImageSplit
        Images of 28 × 28 pixels.

    Raises
    ------
    DownloadError
        If the files could not be fetched or written, or are not what they should be.
    ValueError
        If `base_url` or `checksums` has the wrong form.

    Notes
    -----
    The data are those of [1]_.

    .. [1] Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based learning applied to
       document recognition", Proceedings of the IEEE 86 (1998), 2278-2324.
    """
    cache_dir = cache_dir or os.environ.get("RNNLIB_DATA") or pooch.os_cache("unrolled")
    folder = Path(cache_dir).expanduser() / "mnist"
    urls = _mnist_urls(base_url)
    paths = _fetch(urls, _mnist_checksums(checksums), folder, progress)
    train = _read_labelled_images(*paths[:2])
    test = _read_labelled_images(*paths[2:])
    return ImageSplit(*train, *test)


def _mnist_urls(base_url: str | None) -> tuple[str, ...]:
    source = "base_url"
    if base_url is None:
        source = "RNNLIB_MNIST_URL"
        base_url = os.environ.get("RNNLIB_MNIST_URL") or None
    if base_url is None:
        return MNIST_URLS
    base_url = str(base_url)
    if not base_url.startswith(("http://", "https://")):
        raise ValueError(f"{source}: expected an address in http:// or https://, got {base_url!r}")
    return (base_url.rstrip("/") + "/",)


def _mnist_checksums(checksums: Mapping[str, str] | None) -> dict[str, str]:
    if checksums is None:
        return MNIST_CHECKSUMS
    if set(checksums) != set(MNIST_CHECKSUMS):
        raise ValueError(
            f"checksums: expected one for each of {', '.join(MNIST_CHECKSUMS)}, "
            f"got {', '.join(map(str, checksums)) or 'none'}"
        )
    for name, md5 in checksums.items():
        if not re.fullmatch("[0-9a-fA-F]{32}", str(md5)):
            raise ValueError(f"checksums: expected 32 hexadecimal digits for {name}, got {md5!r}")
    return {name: checksums[name].lower() for name in MNIST_CHECKSUMS}


class _Bar(tqdm):
    # pooch asks whether the bar is true, and tqdm's answer is no while its total is unknown
    def __bool__(self) -> bool:
        return True


def _fetch(
    urls: Iterable[str], checksums: Mapping[str, str], folder: Path, progress: bool
) -> list[Path]:
    """Make sure that all files lie in the folder as their checksums say; return their paths.

    What is there is kept; what is missing comes from the first address, and after a failure from
    the next.
    """
    problems = []
    for base in urls:
        try:
            for name, md5 in checksums.items():
                path = folder / name
                found = pooch.file_hash(path, alg="md5") if path.exists() else None
                if found == md5:
                    continue
                if found is not None:
                    path.unlink()
                    problems.append(
                        f"{path}: expected a file with MD5 {md5}, found {found}; removed"
                    )
                _download(base + name, path, md5, progress)
            return [folder / name for name in checksums]
        # Before OSError, which it is a kind of. ValueError is pooch's for a wrong checksum.
        except (requests.RequestException, ValueError) as error:
            problems.append(f"{base + name}: {_reason(error)}")
            cause = error
        except OSError as error:
            raise DownloadError(
                f"{path} could not be kept in the cache: {error}. Nothing half-written was left. "
                f"What you can do: free some space or allow writing to {folder}, or name another "
                "folder by cache_dir or the environment variable RNNLIB_DATA, or use load_digits()."
            ) from error
    raise DownloadError(
        "\n  ".join(["MNIST could not be downloaded.", *problems])
        + "\nWhat you can do: name another server by base_url or the environment variable "
        f"RNNLIB_MNIST_URL; or put the files {', '.join(checksums)} into the folder {folder}; "
        "or use load_digits(), which needs no network."
    ) from cause


def _reason(error: Exception) -> str:
    if isinstance(error, requests.HTTPError):
        response = error.response
        return f"expected the file, got status {response.status_code} {response.reason}"
    if isinstance(error, requests.Timeout):
        return f"expected an answer in time, got none ({error})"
    if isinstance(error, requests.ConnectionError):
        return f"expected a connection, got none ({error})"
    if isinstance(error, requests.RequestException):
        return f"the transfer broke off ({error})"
    return str(error)


def _download(url: str, path: Path, md5: str, progress: bool) -> None:
    """Fetch one file through a temporary one, which pooch removes whatever happens."""
    bar = _Bar(desc=path.name, unit="B", unit_scale=True, ncols=79) if progress else None
    downloader = pooch.HTTPDownloader(
        progressbar=bar or False,
        chunk_size=2**14,
        timeout=(10, 30),
        # The file as it lies there: a .gz is neither packed nor unpacked on the way.
        headers={"Accept-Encoding": "identity"},
    )
    try:
        with _quiet(pooch.get_logger()):
            pooch.retrieve(url, f"md5:{md5}", path.name, path.parent, downloader=downloader)
    finally:
        if bar is not None:
            bar.close()


@contextmanager
def _quiet(logger: logging.Logger) -> Iterator[None]:
    """Keep pooch from announcing each file: the bar does that, where one is wanted."""
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


def read_idx(path: str | os.PathLike, *, ndim: int) -> np.ndarray:
    """Read a gzip'd IDX file of bytes, the format of MNIST.

    It begins with two zero bytes, the element type (8: unsigned byte) and the number of
    dimensions, then gives each dimension as a big-endian 32-bit integer, then the elements.

    Parameters
    ----------
    path : path
    ndim : int
        The number of dimensions that the array must have.

    Returns
    -------
    ndarray of uint8
        Read-only.

    Raises
    ------
    OSError
        If the file can't be opened.
    ValueError
        If it is not a sound gzip file, or what it holds is not such an array.
    """
    try:
        with gzip.open(path) as file:
            content = file.read()
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{path}: expected a sound gzip file, got: {error}") from error
    magic = bytes([0, 0, 8, ndim])
    if content[:4] != magic:
        raise ValueError(
            f"{path}: expected the IDX header {magic.hex(' ')} (unsigned bytes, {ndim} "
            f"dimensions), got {content[:4].hex(' ') or 'an empty file'}"
        )
    start = 4 + 4 * ndim
    if len(content) < start:
        raise ValueError(f"{path}: expected a header of {start} bytes, got {len(content)}")
    shape = np.frombuffer(content, dtype=">u4", count=ndim, offset=4).tolist()
    if len(content) - start != math.prod(shape):
        raise ValueError(
            f"{path}: expected {' × '.join(map(str, shape))} = {math.prod(shape)} bytes after the "
            f"header, got {len(content) - start}"
        )
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape)


def _read_labelled_images(images_path: Path, labels_path: Path) -> tuple[Tensor, Tensor]:
    """Read one part of MNIST; a pair of files that is no such thing does not stay in the cache."""
    try:
        images = read_idx(images_path, ndim=3)
        labels = read_idx(labels_path, ndim=1)
        if len(images) != len(labels):
            raise ValueError(
                f"{labels_path}: expected {len(images)} labels, one for each image of "
                f"{images_path.name}, got {len(labels)}"
            )
    except ValueError as error:
        images_path.unlink(missing_ok=True)
        labels_path.unlink(missing_ok=True)
        raise DownloadError(
            f"{error}. The file is the one that the checksum asks for, but its content is not "
            "images with their labels; both files were removed."
        ) from error
    scaled = images.astype(np.float32)
    scaled /= 255
    return torch.from_numpy(scaled), torch.from_numpy(labels.astype(np.int64))


# Text

TEXT_PATH = Path(__file__).parent / "texts" / "unrolled.txt"
"""The text that comes with the package: this course's own prose, one paragraph a line.

It is a snapshot of chapters 1 to 11, without their code and tables, in ASCII. It is not made anew
when the chapters change, since every number measured on it would change as well.
"""


@dataclass(frozen=True, repr=False)
class TextSplit:
    """A text in two parts: the first to train on, what follows it to validate on.

    Parameters
    ----------
    train, validation : str
        At least two symbols each: one to read and one to predict.
    vocabulary : Vocabulary
        Knows every symbol of both. One that occurs in the second part alone has its index, and
        no model will have seen it: it can only be given a small probability, and costs as much
        as that. `unseen` lists such symbols.

    Raises
    ------
    TypeError, ValueError
        If a part is no such text, or the vocabulary does not know all of its symbols.
    """

    train: str
    validation: str
    vocabulary: Vocabulary

    def __post_init__(self):
        for name in ("train", "validation"):
            part = getattr(self, name)
            if not isinstance(part, str):
                raise TypeError(f"{name}: expected a string, got {type(part).__name__}")
            if len(part) < 2:
                raise ValueError(f"{name}: expected at least 2 characters, got {len(part)}")
            if unknown := sorted(set(part) - set(self.vocabulary.symbols)):
                raise ValueError(
                    f"vocabulary: expected all symbols of {name}, got one without "
                    f"{''.join(unknown)!r}"
                )

    @cached_property
    def unseen(self) -> tuple[str, ...]:
        """The symbols of the second part that the first does not hold, in order."""
        return tuple(sorted(set(self.validation) - set(self.train)))

    def __repr__(self) -> str:
        return (
            f"TextSplit({len(self.train):,} characters to train on, {len(self.validation):,} to "
            f"validate on, {len(self.vocabulary)} symbols)"
        )


def load_text(path: str | os.PathLike | None = None, *, validation: float = 0.1) -> TextSplit:
    """Load a text and split it in the order of time: what is predicted lies in the future.

    Parameters
    ----------
    path : path, optional
        Any text file in UTF-8. By default the text that comes with the package, this course's own
        prose, frozen: see `TEXT_PATH`.
    validation : float, default 0.1
        The share of the characters, counted from the end, that is kept for validation.

    Returns
    -------
    TextSplit
        Line ends are newlines, whatever the file has. The vocabulary is that of the whole text.

    Raises
    ------
    OSError
        If the file is not there or can't be read.
    ValueError
        If it is no text in UTF-8, empty, or too short to be split; or if `validation` does not
        lie between 0 and 1.
    """
    if isinstance(validation, bool) or not isinstance(validation, Real):
        raise TypeError(f"validation: expected a number, got {type(validation).__name__}")
    if not 0 < validation < 1:
        raise ValueError(f"validation: expected a share between 0 and 1, got {validation}")
    path = TEXT_PATH if path is None else Path(path).expanduser()
    if not path.is_file():
        found = "a folder" if path.is_dir() else "nothing"
        raise FileNotFoundError(f"{path}: expected a text file, found {found} there")
    try:
        # A byte order mark at the beginning is no part of the text.
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path}: expected text in UTF-8, got the byte 0x{error.object[error.start]:02x} at "
            f"position {error.start}"
        ) from error
    if "\0" in text:
        raise ValueError(
            f"{path}: expected text in UTF-8, got a zero byte at position {text.index(chr(0))}"
        )
    if not text:
        raise ValueError(f"{path}: expected text, got an empty file")
    cut = len(text) - round(validation * len(text))
    if cut < 2 or len(text) - cut < 2:
        raise ValueError(
            f"{path}: expected at least 2 characters in each part, got {cut} to train on and "
            f"{len(text) - cut} to validate on of {len(text)} with validation={validation}"
        )
    return TextSplit(text[:cut], text[cut:], Vocabulary.from_text(text))


class TextStream:
    """A text as batches for truncated backpropagation: parallel streams, read window by window.

    The text is cut into N pieces of L steps, the streams, one below the other. A batch is a
    window of the next T steps of all of them. So row n of a batch goes on where row n of the one
    before has stopped, and a state that is handed on from batch to batch, as
    ``fit(..., carry_state=True)`` does, belongs to the same row. Never shuffle the batches.

    The target of a step is the symbol that follows. Every symbol but the text's first is a target
    once in a pass: where the last window is shorter than T it is served shorter, and where the
    last stream is shorter than L it is filled up with targets of -100, which no loss counts.

    Parameters
    ----------
    text : str
    vocabulary : Vocabulary
    batch_size : int
        N.
    num_steps : int
        T.

    Raises
    ------
    TypeError, ValueError
        For sizes that are no positive integers, a text with unknown symbols, or one of fewer than
        N + 1 symbols.

    Examples
    --------
    >>> text = "hello hello"
    >>> vocabulary = Vocabulary.from_text(text)
    >>> for x, y in TextStream(text, vocabulary, batch_size=2, num_steps=3):
    ...     print([vocabulary.decode(row) for row in x])
    ['hel', ' he']
    ['lo', 'll']
    """

    def __init__(self, text: str, vocabulary: Vocabulary, batch_size: int, num_steps: int):
        N = check_size("batch_size", batch_size)
        self.num_steps = check_size("num_steps", num_steps)
        indices = vocabulary.encode(text)
        count = len(indices) - 1  # pairs of a symbol and its successor
        if count < N:
            raise ValueError(
                f"text: expected at least {N + 1} characters for {N} streams, got {len(indices)}"
            )
        length = -(-count // N)
        self.x = torch.zeros(N * length, dtype=torch.int64)
        self.y = torch.full_like(self.x, -100)
        self.x[:count], self.y[:count] = indices[:-1], indices[1:]
        self.x, self.y = self.x.view(N, length), self.y.view(N, length)

    def __len__(self) -> int:
        return -(-self.x.size(1) // self.num_steps)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the pairs (x, y), (N, T) of int64 each, from the beginning of the streams."""
        windows = (part.split(self.num_steps, dim=1) for part in (self.x, self.y))
        return zip(*windows, strict=True)
