"""The device is the one asked for or an error, and a seed fixes every generator."""

import random

import numpy as np
import pytest
import torch

from rnnlib.device import get_device, seed_everything


@pytest.fixture
def machine(monkeypatch):
    """Make torch believe in a machine with these devices."""

    def pretend(cuda=0, mps=False):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)

    monkeypatch.delenv("RNNLIB_DEVICE", raising=False)
    pretend()
    return pretend


def test_the_cpu_is_the_default(machine, monkeypatch):
    machine(cuda=1, mps=True)
    assert get_device() == torch.device("cpu")
    monkeypatch.setenv("RNNLIB_DEVICE", "")
    assert get_device() == torch.device("cpu")


def test_the_environment_decides_unless_a_name_is_given(machine, monkeypatch):
    machine(cuda=1)
    monkeypatch.setenv("RNNLIB_DEVICE", "cuda")
    assert get_device() == torch.device("cuda")
    assert get_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize(
    ("there", "chosen"),
    [({}, "cpu"), ({"mps": True}, "mps"), ({"cuda": 1}, "cuda"), ({"cuda": 1, "mps": 1}, "cuda")],
)
def test_auto_takes_the_best_that_is_there(machine, there, chosen):
    machine(**there)
    assert get_device("auto") == torch.device(chosen)


def test_a_gpu_is_chosen_by_its_index(machine):
    machine(cuda=2)
    assert get_device("cuda:1") == torch.device("cuda", 1)
    with pytest.raises(RuntimeError, match="index below 2, got 'cuda:2'"):
        get_device("cuda:2")


@pytest.mark.parametrize("name", ["gpu", "CPU", "cpu:0", "cuda:", "cuda:x", "cuda:-1", "auto:0"])
def test_an_unknown_name_is_refused(machine, name):
    machine(cuda=1)
    with pytest.raises(ValueError, match=f"name: expected one of cpu, cuda, .* got '{name}'"):
        get_device(name)


def test_what_is_no_name_is_refused(machine):
    with pytest.raises(TypeError, match="expected a str, got int"):
        get_device(0)


@pytest.mark.parametrize("name", ["cuda", "mps", "cuda:0"])
def test_a_device_that_is_not_there_is_refused(machine, monkeypatch, name):
    with pytest.raises(RuntimeError, match=f"name: .* device '{name}'.*choose cpu or auto"):
        get_device(name)
    monkeypatch.setenv("RNNLIB_DEVICE", name)
    with pytest.raises(RuntimeError, match=f"RNNLIB_DEVICE: .* device '{name}'"):
        get_device()


def test_a_bad_environment_is_named(monkeypatch):
    monkeypatch.setenv("RNNLIB_DEVICE", "tpu")
    with pytest.raises(ValueError, match=r"RNNLIB_DEVICE: .* got 'tpu'"):
        get_device()


def draw():
    return random.random(), np.random.rand(), torch.rand(()).item()  # noqa: NPY002


def test_a_seed_fixes_every_generator():
    seed_everything(7)
    first = draw()
    seed_everything(7)
    assert draw() == first
    seed_everything(8)
    assert all(a != b for a, b in zip(draw(), first, strict=True))
    seed_everything(2**32 - 1)


def test_a_seed_asks_for_full_accuracy():
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    seed_everything(0)
    assert not torch.backends.cuda.matmul.allow_tf32
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cudnn.benchmark


@pytest.mark.parametrize("seed", [1.0, "1", True, None])
def test_a_seed_of_another_type_is_refused(seed):
    with pytest.raises(TypeError, match=f"expected an int, got {type(seed).__name__}"):
        seed_everything(seed)


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_out_of_range_is_refused(seed):
    with pytest.raises(ValueError, match=f"got {seed}"):
        seed_everything(seed)
