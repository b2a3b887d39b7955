"""MNIST: downloaded once, kept in a cache, compared with its published checksums at every load."""

import gzip
import logging
import math
import os
import re
import warnings
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import requests
import torch
from torch import Tensor
from tqdm import TqdmWarning, tqdm

with warnings.catch_warnings():
    # pooch imports tqdm.auto, which asks for widgets in every notebook. Our bars are text.
    warnings.simplefilter("ignore", TqdmWarning)
    import pooch

from rnnlib.data.images import ImageSplit

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
