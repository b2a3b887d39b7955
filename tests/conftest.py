"""What the tests share."""

import pytest
import torch

from rnnlib.device import get_device


@pytest.fixture(scope="session")
def device() -> torch.device:
    """The device under test: RNNLIB_DEVICE, by default the CPU."""
    return get_device()
