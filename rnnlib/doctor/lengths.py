"""Lengths: how a model takes them, and which steps of an example they leave."""

import inspect

import torch
from torch import Tensor, nn


def argument_for_lengths(model: nn.Module) -> str:
    """Return the name of the argument for lengths, "" for the second one, or "no"."""
    try:
        parameters = inspect.signature(model.forward).parameters.values()
    except (TypeError, ValueError):
        return "no"
    named = [p.name for p in parameters if "len" in p.name.lower()]
    needed = [p for p in parameters if p.default is p.empty and p.kind is not p.VAR_POSITIONAL]
    needed = [p for p in needed if p.kind is not p.VAR_KEYWORD]
    return named[0] if named else "" if len(needed) == 2 else "no"


def read_steps(example: Tensor, lengths: Tensor | None, batch_first: bool) -> Tensor | None:
    """Mark the steps that are no padding, in the example's layout; None if that is not told."""
    N, T = example.shape[:2] if batch_first else example.shape[1::-1]
    if lengths is None or lengths.shape != (N,) or not (lengths > 0).all():
        return None
    read = torch.arange(T) < lengths.cpu()[:, None]
    return (read if batch_first else read.T).to(example.device)
