"""Vocabulary, digits, batches, text, and MNIST from a server here that can misbehave.

The server holds small IDX files that the tests make. No test reaches beyond 127.0.0.1.
"""

import errno
import gzip
import hashlib
import logging
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pooch
import pytest
import torch

from rnnlib.data import datasets
from rnnlib.data.datasets import (
    MNIST_CHECKSUMS,
    DownloadError,
    ImageSplit,
    TextSplit,
    TextStream,
    Vocabulary,
    load_digits,
    load_mnist,
    load_text,
    loader,
    read_idx,
)

# Vocabulary


def test_vocabulary_is_sorted_and_without_duplicates():
    vocabulary = Vocabulary.from_text("hello")
    assert vocabulary.symbols == ("e", "h", "l", "o")
    assert len(vocabulary) == 4
    assert vocabulary == Vocabulary("oleh") == Vocabulary(["h", "e", "l", "o"])
    assert vocabulary != Vocabulary("held")
    assert hash(vocabulary) == hash(Vocabulary("oleh"))
    assert repr(vocabulary) == "Vocabulary(symbols=('e', 'h', 'l', 'o'))"
    assert eval(repr(vocabulary)) == vocabulary
    assert len(Vocabulary.from_text("Hello, how are you?")) == 13


def test_vocabulary_there_and_back():
    vocabulary = Vocabulary.from_text("hello")
    indices = vocabulary.encode("hello")
    assert indices.dtype == torch.int64
    assert indices.tolist() == [1, 0, 2, 2, 3]
    assert vocabulary.decode(indices) == "hello"
    assert vocabulary.decode([0, 2, 2, 3, 1]) == "elloh"
    assert vocabulary.decode(np.array([3, 1])) == "oh"
    assert vocabulary.encode("").shape == (0,) and vocabulary.encode("").dtype == torch.int64
    assert vocabulary.decode([]) == vocabulary.decode(vocabulary.encode("")) == ""
    text = "Größe 😀\n\t“”"
    known = Vocabulary.from_text(text)
    assert known.decode(known.encode(text)) == text
    copy = pickle.loads(pickle.dumps(known))
    assert copy == known and copy.decode(copy.encode(text)) == text


def test_vocabulary_is_the_same_in_every_process():
    """The order of a set of strings depends on a hash seed; the vocabulary's must not."""
    code = "from rnnlib.data.datasets import Vocabulary; print(Vocabulary.from_text('Hello, you?'))"
    printed = set()
    for seed in ("1", "2"):
        env = os.environ | {
            "PYTHON0b47ac2a7b8e2e59e8086e645b1e6bdeaaf40355fd3e3aa3a903da78b6424e5fSEED": seed
        }
        run = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        printed.add(run.stdout)
    assert printed == {f"{Vocabulary.from_text('Hello, you?')}\n"}


def test_vocabulary_one_hot():
    vocabulary = Vocabulary.from_text("hello")
    x = vocabulary.one_hot(vocabulary.encode("hello"))
    assert x.shape == (5, 4) and x.dtype == torch.float32
    assert torch.equal(x, torch.eye(4)[[1, 0, 2, 2, 3]])
    assert vocabulary.one_hot(torch.zeros(2, 3, dtype=torch.long)).shape == (2, 3, 4)
    assert vocabulary.one_hot([]).shape == (0, 4)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda v: Vocabulary("hello"), ValueError, r"each symbol once, got 'l' more than once"),
        (lambda v: Vocabulary(""), ValueError, "at least one, got none"),
        (lambda v: Vocabulary(["a", "bc"]), ValueError, "single characters, got 'bc'"),
        (lambda v: Vocabulary([1, 2]), TypeError, "expected strings, got int"),
        (lambda v: Vocabulary.from_text(["a"]), TypeError, "expected a string, got list"),
        (lambda v: v.encode("help"), ValueError, "4 symbols 'ehlo', got 'p' at position 3"),
        (lambda v: v.encode([0]), TypeError, "expected a string, got list"),
        (lambda v: v.decode([0, 4]), IndexError, "expected 0 to 3 for 4 symbols, got 4"),
        (lambda v: v.decode([-1]), IndexError, "expected 0 to 3 for 4 symbols, got -1"),
        (lambda v: v.one_hot([7]), IndexError, "expected 0 to 3 for 4 symbols, got 7"),
        (lambda v: v.decode([0.0]), TypeError, "expected integers, got torch.float32"),
        (lambda v: v.decode([True]), TypeError, "expected integers, got torch.bool"),
        (lambda v: v.decode("oh"), TypeError, "a sequence of int, got 'oh'"),
        (lambda v: v.decode(3), TypeError, "a sequence of int, got 3"),
        (
            lambda v: v.decode(torch.zeros(2, 3, dtype=torch.long)),
            ValueError,
            r"expected shape \(T,\), got \(2, 3\)",
        ),
    ],
)
def test_vocabulary_refuses(make, error, message):
    with pytest.raises(error, match=message):
        make(Vocabulary.from_text("hello"))


# Digits and batches


def test_digits():
    split = load_digits()
    assert split.train_images.shape == (1437, 8, 8) and split.test_images.shape == (360, 8, 8)
    assert split.train_labels.shape == (1437,) and split.test_labels.shape == (360,)
    for images in (split.train_images, split.test_images):
        assert images.dtype == torch.float32
        assert images.min() == 0 and images.max() == 1
        assert torch.equal((images * 16).round(), images * 16)
    assert split.train_labels.dtype == torch.int64
    assert split.classes == tuple(range(10))
    # Stratified: every digit takes its share of the 360.
    counts = torch.bincount(split.test_labels)
    whole = counts + torch.bincount(split.train_labels)
    assert (counts - whole * 360 / 1797).abs().max() < 1
    assert repr(split) == (
        "ImageSplit(1437 images to train on, 360 to test on, 8 × 8 pixels, 10 classes)"
    )


def test_digits_are_the_ones_of_scikit_learn_with_their_labels():
    import sklearn.datasets

    digits = sklearn.datasets.load_digits()

    def pairs(images, labels):
        return {(i.tobytes(), int(label)) for i, label in zip(images, labels, strict=True)}

    split = load_digits()
    images = torch.cat([split.train_images, split.test_images]).double() * 16
    labels = torch.cat([split.train_labels, split.test_labels])
    assert pairs(images.numpy(), labels.numpy()) == pairs(digits.images, digits.target)
    assert len(images) == 1797


def test_digits_split_follows_the_seed():
    first, again, other = load_digits(), load_digits(seed=0), load_digits(seed=1)
    assert torch.equal(first.test_images, again.test_images)
    assert torch.equal(first.test_labels, again.test_labels)
    assert not torch.equal(first.test_labels, other.test_labels)
    assert len(load_digits(test_size=100).train_images) == 1697


@pytest.mark.parametrize("size", [9, 1788])
def test_digits_refuse_a_part_without_every_digit(size):
    with pytest.raises(ValueError, match=f"test_size: expected between 10 and 1787, got {size}"):
        load_digits(test_size=size)
    with pytest.raises(TypeError, match="test_size: expected an int, got float"):
        load_digits(test_size=0.2)


def test_image_split_refuses_what_does_not_fit():
    images, labels = torch.zeros(3, 2, 2), torch.zeros(3, dtype=torch.long)
    assert ImageSplit(images, labels, images, labels).classes == (0,)
    with pytest.raises(ValueError, match=r"train_labels: expected int64 of shape \(3,\)"):
        ImageSplit(images, labels[:2], images, labels)
    with pytest.raises(ValueError, match=r"test_labels: .* got torch.float32"):
        ImageSplit(images, labels, images, labels.float())
    with pytest.raises(ValueError, match=r"test_images: .* got torch.float32 of shape \(3, 4\)"):
        ImageSplit(images, labels, images.flatten(1), labels)
    with pytest.raises(ValueError, match=r"expected images of \(2, 2\) .* got \(2, 1\)"):
        ImageSplit(images, labels, images[:, :, :1], labels)


def test_loader_serves_every_pair_once_and_in_a_new_order():
    x = torch.arange(23.0)[:, None]
    y = torch.arange(23)
    batches = loader(x, y, 10)
    assert len(batches) == 3
    passes = []
    for _ in range(2):
        xs, ys = zip(*batches, strict=True)
        assert [len(part) for part in ys] == [10, 10, 3]
        xs, ys = torch.cat(xs), torch.cat(ys)
        assert torch.equal(xs[:, 0].long(), ys)
        assert sorted(ys.tolist()) == list(range(23))
        passes.append(ys.tolist())
    assert passes[0] != passes[1]
    assert passes[0] != list(range(23))
    plain = torch.cat([part for _, part in loader(x, y, 10, shuffle=False)])
    assert torch.equal(plain, y)


def test_loader_depends_on_its_seed_alone():
    x, y = torch.zeros(50, 1), torch.arange(50)

    def order(seed):
        return [part.tolist() for _, part in loader(x, y, 7, seed=seed)]

    torch.manual_seed(1)
    first = order(3)
    torch.manual_seed(2)
    state = torch.get_rng_state()
    assert order(3) == first
    assert torch.equal(torch.get_rng_state(), state)
    assert order(4) != first


def test_loader_refuses():
    with pytest.raises(ValueError, match="as many targets as samples, got 3 and 2"):
        loader(torch.zeros(3), torch.zeros(2), 1)
    with pytest.raises(ValueError, match="got 0 and 0"):
        loader(torch.zeros(0), torch.zeros(0), 1)
    with pytest.raises(ValueError, match="batch_size"):
        loader(torch.zeros(3), torch.zeros(3), 0)


# MNIST

NAMES = tuple(MNIST_CHECKSUMS)


def idx(array, type_code=8):
    header = bytes([0, 0, type_code, array.ndim])
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return header + sizes + array.tobytes()


def packed(array):
    return gzip.compress(idx(array), mtime=0)


def random_bytes(*shape, high=256, seed=0):
    return np.random.default_rng(seed).integers(0, high, shape, dtype=np.uint8)


class Server(ThreadingHTTPServer):
    """Serves `files`; `misbehave` maps a name to a function that answers in its own way."""

    daemon_threads = True

    def __init__(self, arrays):
        super().__init__(("127.0.0.1", 0), Handler)
        self.arrays = arrays
        self.files = {name: packed(array) for name, array in arrays.items()}
        self.checksums = {name: hashlib.md5(file).hexdigest() for name, file in self.files.items()}
        self.misbehave = {}
        self.requests = []
        self.base_url = f"http://127.0.0.1:{self.server_port}/mnist"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.path.removeprefix("/mnist/")
        self.server.requests.append(name)
        misbehave = self.server.misbehave.get(name)
        if misbehave is not None:
            misbehave(self, self.server.files[name])
        elif name in self.server.files:
            self.reply(self.server.files[name])
        else:
            self.send_error(404)

    def reply(self, body, announced=None):
        self.send_response(200)
        self.send_header("Content-Length", str(announced or len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    for name in ("RNNLIB_DATA", "RNNLIB_MNIST_URL"):
        monkeypatch.delenv(name, raising=False)
    # A proxy of this machine's must not come between the test and its server.
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    arrays = {
        NAMES[0]: random_bytes(700, 9, 7),
        NAMES[1]: random_bytes(700, high=10),
        NAMES[2]: random_bytes(5, 9, 7, seed=1),
        NAMES[3]: random_bytes(5, high=10, seed=1),
    }
    with Server(arrays) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def load(server, tmp_path):
    """Call load_mnist on the server, its checksums and an empty cache, unless told otherwise."""

    def load(**changes):
        arguments = {
            "cache_dir": tmp_path,
            "base_url": server.base_url,
            "checksums": server.checksums,
            "progress": False,
        }
        return load_mnist(**(arguments | changes))

    return load


def cached(tmp_path):
    folder = tmp_path / "mnist"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def assert_right(split, server):
    parts = (split.train_images, split.train_labels, split.test_images, split.test_labels)
    for name, part in zip(NAMES, parts, strict=True):
        expected = torch.tensor(server.arrays[name])
        if part.dim() == 3:
            assert part.dtype == torch.float32
            assert torch.equal((part * 255).round().to(torch.uint8), expected)
            assert part.min() >= 0 and part.max() == 1
        else:
            assert part.dtype == torch.int64
            assert torch.equal(part, expected.long())


def test_mnist_is_downloaded_once(server, load, tmp_path, capfd):
    assert_right(load(), server)
    assert server.requests == list(NAMES)
    assert cached(tmp_path) == sorted(NAMES)
    assert_right(load(), server)
    assert len(server.requests) == 4
    captured = capfd.readouterr()
    assert captured.out == captured.err == ""


def test_mnist_keeps_pooch_quiet(load):
    records = []
    handler = logging.Handler()
    handler.emit = records.append
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        load()
        assert records == []
        assert logger.level == logging.INFO
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def test_mnist_needs_no_network_once_cached(server, load, tmp_path):
    load()
    assert_right(load(base_url=f"http://127.0.0.1:{closed_port()}/"), server)


def test_mnist_takes_files_put_there_by_hand(server, load, tmp_path):
    (tmp_path / "mnist").mkdir()
    for name, file in server.files.items():
        (tmp_path / "mnist" / name).write_bytes(file)
    assert_right(load(), server)
    assert server.requests == []


def test_mnist_fetches_only_what_is_missing(server, load, tmp_path):
    load()
    (tmp_path / "mnist" / NAMES[2]).unlink()
    assert_right(load(), server)
    assert server.requests == [*NAMES, NAMES[2]]


def test_mnist_fetches_an_altered_file_again(server, load, tmp_path):
    load()
    path = tmp_path / "mnist" / NAMES[1]
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)
    assert_right(load(), server)
    assert server.requests == [*NAMES, NAMES[1]]
    assert path.read_bytes() == server.files[NAMES[1]]


def test_mnist_does_not_keep_an_altered_file_that_it_cannot_replace(server, load, tmp_path):
    load()
    (tmp_path / "mnist" / NAMES[1]).write_bytes(b"something else")
    found = hashlib.md5(b"something else").hexdigest()
    with pytest.raises(DownloadError) as error:
        load(base_url=f"http://127.0.0.1:{closed_port()}/")
    assert f"{NAMES[1]}: expected a file with MD5 {server.checksums[NAMES[1]]}" in str(error.value)
    assert f"found {found}; removed" in str(error.value)
    assert cached(tmp_path) == sorted(set(NAMES) - {NAMES[1]})


def test_mnist_addresses(server, load, monkeypatch, tmp_path):
    monkeypatch.setenv("RNNLIB_MNIST_URL", server.base_url + "/")
    monkeypatch.setenv("RNNLIB_DATA", str(tmp_path / "named by the environment"))
    assert_right(load(base_url=None, cache_dir=None), server)
    assert cached(tmp_path / "named by the environment") == sorted(NAMES)
    with pytest.raises(ValueError, match=r"base_url: expected an address in .* got 'file:///x'"):
        load(base_url="file:///x")
    monkeypatch.setenv("RNNLIB_MNIST_URL", "example")
    with pytest.raises(ValueError, match=r"RNNLIB_MNIST_URL: expected an address .* 'example'"):
        load(base_url=None)


def test_mnist_default_addresses_and_folder(server, monkeypatch):
    asked = []

    def fetch(urls, checksums, folder, progress):
        asked.append((urls, checksums, folder))
        raise DownloadError

    monkeypatch.setattr(datasets, "_fetch", fetch)
    with pytest.raises(DownloadError):
        load_mnist()
    ((urls, checksums, folder),) = asked
    assert urls == (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    )
    assert checksums == {
        "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
        "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
        "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
    }
    assert folder == pooch.os_cache("unrolled") / "mnist"


def test_mnist_published_checksums_are_the_default(server, load, tmp_path):
    with pytest.raises(DownloadError, match=MNIST_CHECKSUMS[NAMES[0]]):
        load(checksums=None)
    assert cached(tmp_path) == []


def test_mnist_second_address_steps_in(server, load, monkeypatch, tmp_path):
    first = f"http://127.0.0.1:{closed_port()}/"
    monkeypatch.setattr(datasets, "MNIST_URLS", (first, server.base_url + "/"))
    assert_right(load(base_url=None), server)
    # And where neither has the files, the message tells both stories.
    server.files.clear()
    with pytest.raises(DownloadError) as error:
        load(base_url=None, cache_dir=tmp_path / "other")
    assert first + NAMES[0] in str(error.value)
    assert server.base_url + "/" + NAMES[0] in str(error.value)


def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def assert_says_what_to_do(message, tmp_path):
    for advice in ("base_url", "RNNLIB_MNIST_URL", str(tmp_path / "mnist"), "load_digits()"):
        assert advice in message
    for name in NAMES:
        assert name in message


def test_mnist_without_network(load, tmp_path):
    port = closed_port()
    with pytest.raises(DownloadError, match="expected a connection, got none") as error:
        load(base_url=f"http://127.0.0.1:{port}/")
    assert f"http://127.0.0.1:{port}/{NAMES[0]}" in str(error.value)
    assert_says_what_to_do(str(error.value), tmp_path)
    assert cached(tmp_path) == []


def test_mnist_missing_on_the_server(server, load, tmp_path):
    del server.files[NAMES[2]]
    with pytest.raises(DownloadError, match="got status 404 Not Found") as error:
        load()
    assert f"{server.base_url}/{NAMES[2]}: " in str(error.value)
    assert_says_what_to_do(str(error.value), tmp_path)
    # What was sound stays, and the next try goes on from there.
    assert cached(tmp_path) == sorted(NAMES[:2])
    server.files[NAMES[2]] = packed(server.arrays[NAMES[2]])
    assert_right(load(), server)
    assert server.requests == [*NAMES[:3], *NAMES[2:]]


def test_mnist_transfer_that_breaks_off(server, load, tmp_path):
    server.misbehave[NAMES[0]] = lambda handler, file: handler.reply(file[:20_000], len(file))
    with pytest.raises(DownloadError, match="the transfer broke off") as error:
        load()
    assert "20000 bytes read" in str(error.value)
    assert_says_what_to_do(str(error.value), tmp_path)
    assert cached(tmp_path) == []


@pytest.mark.parametrize(
    "spoil",
    [lambda file: file[:-100], lambda file: file[:-9] + b"x" + file[-8:], lambda file: b"<html>"],
    ids=["shortened", "altered", "another page"],
)
def test_mnist_wrong_content(server, load, tmp_path, spoil):
    server.misbehave[NAMES[1]] = lambda handler, file: handler.reply(spoil(file))
    with pytest.raises(DownloadError) as error:
        load()
    wrong = hashlib.md5(spoil(server.files[NAMES[1]])).hexdigest()
    assert server.checksums[NAMES[1]] in str(error.value)
    assert wrong in str(error.value)
    assert f"{server.base_url}/{NAMES[1]}: " in str(error.value)
    assert_says_what_to_do(str(error.value), tmp_path)
    assert cached(tmp_path) == [NAMES[0]]


def test_mnist_server_that_does_not_announce_the_length(server, load, tmp_path, capsys):
    def reply(handler, file):
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(file)

    server.misbehave = dict.fromkeys(NAMES, reply)
    assert_right(load(progress=True), server)


def test_mnist_slow_server(server, load, tmp_path, monkeypatch):
    over = threading.Event()
    server.misbehave[NAMES[0]] = lambda handler, file: over.wait(10)
    downloader = pooch.HTTPDownloader
    monkeypatch.setattr(
        pooch,
        "HTTPDownloader",
        lambda **arguments: downloader(**(arguments | {"timeout": (10, 0.2)})),
    )
    with pytest.raises(DownloadError, match="expected an answer in time, got none"):
        load()
    over.set()
    assert cached(tmp_path) == []


class FailingFile:
    """A file that takes some bytes to the disk and then fails."""

    def __init__(self, file, error):
        self.file = file
        self.error = error

    def write(self, chunk):
        self.file.write(chunk[:1000])
        self.file.flush()
        raise self.error

    def __getattr__(self, name):
        return getattr(self.file, name)


def test_mnist_full_disk(server, load, tmp_path, monkeypatch):
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    opened = []

    def failing_open(path, mode):
        opened.append(path)
        return FailingFile(open(path, mode), full)

    monkeypatch.setattr(pooch.downloaders, "open", failing_open, raising=False)
    with pytest.raises(DownloadError) as error:
        load()
    assert len(opened) == 1 and os.path.dirname(opened[0]) == str(tmp_path / "mnist")
    message = str(error.value)
    assert str(tmp_path / "mnist" / NAMES[0]) in message
    assert os.strerror(errno.ENOSPC) in message
    for advice in ("free some space", "cache_dir", "RNNLIB_DATA", "load_digits()"):
        assert advice in message
    assert error.value.__cause__ is full
    assert cached(tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="a limit on the size of files needs POSIX")
def test_mnist_where_the_system_refuses_to_write_on(server, load, tmp_path):
    """The kernel itself stops the write half-way: a full disk without filling one."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(DownloadError, match=os.strerror(errno.EFBIG)):
            load()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert cached(tmp_path) == []
    assert_right(load(), server)


def test_mnist_folder_that_cannot_be_made(load, tmp_path):
    (tmp_path / "mnist").write_text("a file where the folder should be")
    with pytest.raises(DownloadError, match="could not be kept in the cache"):
        load()


@pytest.mark.skipif(sys.platform == "win32", reason="signals a thread")
def test_mnist_interrupted(server, load, tmp_path):
    """Ctrl-C while the second half is still to come."""
    over = threading.Event()
    before_it = []

    def send_half_and_interrupt(handler, file):
        handler.reply(file[: len(file) // 2], len(file))
        handler.wfile.flush()
        over.wait(0.2)
        before_it.extend(path.stat().st_size for path in (tmp_path / "mnist").iterdir())
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        over.wait(10)

    server.misbehave[NAMES[0]] = send_half_and_interrupt
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            load(progress=True)
    finally:
        over.set()
        signal.signal(signal.SIGINT, before)
    # Half a file was there, and is no longer.
    assert len(before_it) == 1 and 0 < before_it[0] < len(server.files[NAMES[0]])
    assert cached(tmp_path) == []
    server.misbehave.clear()
    assert_right(load(), server)


def test_mnist_progress_bar(server, load, tmp_path, capfd):
    load(progress=True)
    captured = capfd.readouterr()
    assert captured.out == ""
    for name in NAMES:
        assert f"{name}: 100%" in captured.err
    size = len(server.files[NAMES[0]])
    assert f"{size / 1000:.1f}k/{size / 1000:.1f}k" in captured.err
    # Neither the address nor this machine's folder.
    assert "http" not in captured.err and str(tmp_path) not in captured.err
    load(progress=True)
    assert capfd.readouterr().err == ""


def repack(server, name, content):
    """Serve other content under its own, matching checksum."""
    server.files[name] = content
    server.checksums[name] = hashlib.md5(content).hexdigest()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no gzip at all", "expected a sound gzip file, got: Not a gzipped file"),
        (packed(random_bytes(700, 9, 7))[:-200], "expected a sound gzip file, got: "),
        (
            packed(random_bytes(700, 9, 7))[:-6] + b"123456",
            "expected a sound gzip file, got: CRC check failed",
        ),
        (gzip.compress(b""), "got an empty file"),
        (
            gzip.compress(b"\x89PNG" + bytes(44_100)),
            r"expected the IDX header 00 00 08 03 \(unsigned bytes, 3 dimensions\), got 89 50 4e",
        ),
        (
            gzip.compress(idx(random_bytes(700, 9, 7), type_code=0x0D)),
            "expected the IDX header 00 00 08 03 .* got 00 00 0d 03",
        ),
        (packed(random_bytes(700, 63)), "expected the IDX header 00 00 08 03 .* got 00 00 08 02"),
        (gzip.compress(b"\0\0\x08\x03\0\0"), "expected a header of 16 bytes, got 6"),
        (
            gzip.compress(idx(random_bytes(700, 9, 7))[:-1]),
            "expected 700 × 9 × 7 = 44100 bytes after the header, got 44099",
        ),
        (
            gzip.compress(idx(random_bytes(700, 9, 7)) + b"\0"),
            "expected 700 × 9 × 7 = 44100 bytes after the header, got 44101",
        ),
        (
            gzip.compress(b"\0\0\x08\x03" + b"\xff" * 12 + bytes(63)),
            f"= {(2**32 - 1) ** 3} bytes after the header, got 63",
        ),
    ],
)
def test_mnist_file_that_is_no_idx(server, load, tmp_path, content, message):
    repack(server, NAMES[0], content)
    with pytest.raises(DownloadError, match=message) as error:
        load()
    assert NAMES[0] in str(error.value)
    assert not {NAMES[0], NAMES[1]} & set(cached(tmp_path))


def test_mnist_wrong_number_of_labels(server, load, tmp_path):
    repack(server, NAMES[3], packed(random_bytes(4, high=10)))
    message = f"{NAMES[3]}: expected 5 labels, one for each image of {NAMES[2]}, got 4"
    with pytest.raises(DownloadError, match=message):
        load()
    assert cached(tmp_path) == sorted(NAMES[:2])


def test_mnist_checksums_cannot_be_left_out(server, load):
    fewer = dict(list(server.checksums.items())[:3])
    with pytest.raises(ValueError, match="checksums: expected one for each of train-images"):
        load(checksums=fewer)
    for none in (None, "", "md5"):
        with pytest.raises(ValueError, match="expected 32 hexadecimal digits for train-labels"):
            load(checksums=server.checksums | {NAMES[1]: none})
    assert server.requests == []
    upper = {name: md5.upper() for name, md5 in reversed(server.checksums.items())}
    assert_right(load(checksums=upper), server)
    assert_right(load(checksums=upper), server)
    assert len(server.requests) == 4


def test_read_idx(tmp_path):
    array = random_bytes(4, 3, 2)
    path = tmp_path / "four.gz"
    path.write_bytes(packed(array))
    read = read_idx(path, ndim=3)
    assert read.dtype == np.uint8
    assert np.array_equal(read, array)
    with pytest.raises(FileNotFoundError):
        read_idx(tmp_path / "none.gz", ndim=1)


# Text


def test_the_text_that_comes_with_the_package_is_frozen():
    """Numbers in the book are measured on it: it does not follow the chapters."""
    content = datasets.TEXT_PATH.read_bytes().replace(b"\r\n", b"\n")
    assert hashlib.sha256(content).hexdigest() == (
        "0b47ac2a7b8e2e59e8086e645b1e6bdeaaf40355fd3e3aa3a903da78b6424e5f"
    )
    text = load_text()
    whole = text.train + text.validation
    assert whole == content.decode("ascii") and "\r" not in whole
    assert (len(text.train), len(text.validation)) == (161_079, 17_898)
    assert len(text.vocabulary) == 92 and text.unseen == ()
    assert repr(text) == (
        "TextSplit(161,079 characters to train on, 17,898 to validate on, 92 symbols)"
    )
    # Prose: no code fences, directives, roles, tables or headings of the source.
    assert not [mark for mark in ("```", "{eq}", "{numref}", ":::", "|--") if mark in whole]
    assert not [line for line in whole.split("\n") if line.startswith(("#", "|", ":"))]


def test_a_readers_own_text_is_split_in_the_order_of_time(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("abcdefghij" * 3 + "κλ\n", encoding="utf-8")
    text = load_text(path, validation=0.2)
    assert text.train == "abcdefghij" * 2 + "abcdef"
    assert text.validation == "ghijκλ\n"
    assert text.vocabulary == Vocabulary.from_text("abcdefghijκλ\n")
    assert text.unseen == ("\n", "κ", "λ")
    assert load_text(str(path)).train == ("abcdefghij" * 3)
    # The vocabulary knows what the training part lacks, so nothing fails when it comes.
    assert text.vocabulary.decode(text.vocabulary.encode(text.validation)) == text.validation


def test_line_ends_and_a_byte_order_mark_are_pythons_business(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes(b"\xef\xbb\xbfone\r\ntwo\rthree\n")
    text = load_text(path, validation=0.5)
    assert text.train + text.validation == "one\ntwo\nthree\n"


def test_the_source_of_a_module_is_a_text():
    text = load_text(datasets.__file__)
    assert text.train.startswith('"""Data from outside') and len(text.vocabulary) > 60


def text_file(tmp_path, content):
    path = tmp_path / "text.txt"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "options", "error", "message"),
    [
        (b"", {}, ValueError, "expected text, got an empty file"),
        (b"\x89PNG\r\n", {}, ValueError, "text in UTF-8, got the byte 0x89 at position 0"),
        ("Größe".encode("latin-1") * 9, {}, ValueError, "got the byte 0xf6 at position 2"),
        (b"abc\0def" * 9, {}, ValueError, "got a zero byte at position 3"),
        (b"abcdefghij", {}, ValueError, "at least 2 characters in each part, got 9 .* and 1"),
        (b"abcdefghij", {"validation": 0.9}, ValueError, "got 1 to train on and 9"),
        (b"abc" * 9, {"validation": 0}, ValueError, "validation: .* between 0 and 1, got 0"),
        (b"abc" * 9, {"validation": 1.0}, ValueError, "between 0 and 1, got 1.0"),
        (b"abc" * 9, {"validation": "0.1"}, TypeError, "expected a number, got str"),
        (b"abc" * 9, {"validation": True}, TypeError, "expected a number, got bool"),
    ],
)
def test_files_that_are_no_text_to_learn_from(content, options, error, message, tmp_path):
    with pytest.raises(error, match=message) as caught:
        load_text(text_file(tmp_path, content), **options)
    assert "validation:" in str(caught.value) or "text.txt" in str(caught.value)


def test_a_text_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none.txt: expected a text file, found nothing"):
        load_text(tmp_path / "none.txt")
    with pytest.raises(FileNotFoundError, match="expected a text file, found a folder there"):
        load_text(tmp_path)


def test_text_split_refuses_what_does_not_fit():
    vocabulary = Vocabulary("abc")
    assert TextSplit("ab", "ca", vocabulary).unseen == ("c",)
    with pytest.raises(ValueError, match="symbols of validation, got one without 'xy'"):
        TextSplit("ab", "yax", vocabulary)
    with pytest.raises(ValueError, match="train: expected at least 2 characters, got 1"):
        TextSplit("a", "ab", vocabulary)
    with pytest.raises(TypeError, match="validation: expected a string, got list"):
        TextSplit("ab", ["a", "b"], vocabulary)


# Windows of a text


@pytest.mark.parametrize(
    ("length", "N", "T"), [(25, 3, 4), (25, 3, 8), (26, 3, 4), (27, 4, 3), (10, 9, 5), (7, 1, 2)]
)
def test_every_symbol_but_the_first_is_a_target_once(length, N, T):
    text = "".join(chr(ord("A") + i) for i in range(length))
    vocabulary = Vocabulary.from_text(text)
    stream = TextStream(text, vocabulary, batch_size=N, num_steps=T)
    batches = list(stream)
    assert len(batches) == len(stream)
    for x, y in batches:
        assert x.shape == y.shape and x.dtype == y.dtype == torch.int64
        assert len(x) == N and 1 <= x.size(1) <= T
        # A target is the symbol after the one read; what is no target is -100.
        assert torch.equal(y[y != -100], x[y != -100] + 1)
    assert [x.size(1) for x, _ in batches[:-1]] == [T] * (len(batches) - 1)
    targets = torch.cat([y.flatten() for _, y in batches])
    assert sorted(targets[targets != -100].tolist()) == list(range(1, length))
    # The text's only loose end is behind its last stream.
    assert (targets == -100).sum() < N
    assert all((y[: N // 2] != -100).all() for _, y in batches)


def test_a_row_goes_on_where_it_stopped():
    text = "abcdefghijklmnopqrstuvwxyz"
    vocabulary = Vocabulary.from_text(text)
    stream = TextStream(text, vocabulary, batch_size=5, num_steps=2)
    rows = [[vocabulary.decode(row) for row in x] for x, _ in stream]
    assert ["".join(parts) for parts in zip(*rows, strict=True)] == [
        "abcde",
        "fghij",
        "klmno",
        "pqrst",
        "uvwxy",
    ]
    assert rows[0] == ["ab", "fg", "kl", "pq", "uv"]
    assert [row[0] for row in rows] == ["ab", "cd", "e"]


def test_a_stream_can_be_gone_through_again():
    stream = TextStream("hello hello", Vocabulary.from_text("hello "), batch_size=2, num_steps=3)
    for (x, y), (again_x, again_y) in zip(stream, stream, strict=True):
        assert torch.equal(x, again_x) and torch.equal(y, again_y)
    assert iter(stream) is not iter(stream)


@pytest.mark.parametrize(
    ("text", "N", "T", "error", "message"),
    [
        ("abc", 3, 2, ValueError, "text: expected at least 4 characters for 3 streams, got 3"),
        ("", 1, 2, ValueError, "expected at least 2 characters for 1 streams, got 0"),
        ("abx", 1, 2, ValueError, "got 'x' at position 2"),
        ("abc", 0, 2, ValueError, "batch_size must be greater than zero, got 0"),
        ("abc", 1, 0, ValueError, "num_steps must be greater than zero, got 0"),
        ("abc", 1.0, 2, TypeError, "batch_size should be of type int"),
        (["a", "b"], 1, 2, TypeError, "expected a string, got list"),
    ],
)
def test_streams_that_cannot_be_cut(text, N, T, error, message):
    with pytest.raises(error, match=message):
        TextStream(text, Vocabulary("abc"), batch_size=N, num_steps=T)
