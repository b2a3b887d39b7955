"""MNIST from a server here that can misbehave.

The server holds small IDX files that the tests make. No test reaches beyond 127.0.0.1.
"""

import errno
import gzip
import hashlib
import logging
import os
import signal
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pooch
import pytest
import torch

from rnnlib.data import mnist
from rnnlib.data.mnist import MNIST_CHECKSUMS, DownloadError, load_mnist, read_idx

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

    monkeypatch.setattr(mnist, "_fetch", fetch)
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
    monkeypatch.setattr(mnist, "MNIST_URLS", (first, server.base_url + "/"))
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
