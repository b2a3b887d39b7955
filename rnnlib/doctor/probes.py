"""What a model is tried on: frames drawn from those of the example."""

import torch
from torch import Tensor


def indices(frames: Tensor, sizes: list[int], number: int) -> Tensor:
    """Draw from the indices that occur, at every step another one under another number."""
    values = frames.unique()
    if len(values) == 1:
        values = torch.cat([values, values - 1 if values[0] > 0 else values + 1])
    shape = (*sizes, *frames.shape[1:])
    at = torch.randint(len(values), shape, generator=torch.Generator().manual_seed(0))
    if number:  # The first draw moved on: another index at every step.
        generator = torch.Generator().manual_seed(number)
        at = at + torch.randint(1, len(values), shape, generator=generator)
    return values[(at % len(values)).to(values.device)]


def reals(frames: Tensor, sizes: list[int], number: int) -> Tensor:
    """Draw frames, and add noise of 0.3 of their standard deviation."""
    generator = torch.Generator().manual_seed(number)
    drawn = torch.randint(len(frames), sizes, generator=generator).to(frames.device)
    x = frames[drawn]
    noise = torch.randn(x.shape, generator=generator).to(x)
    spread = frames.std() if frames.numel() > 1 else frames.new_zeros(())
    spread = torch.where((spread > 0) & spread.isfinite(), spread, torch.ones_like(spread))
    return torch.nan_to_num(x) + 0.3 * spread * noise
