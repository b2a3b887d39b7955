"""Chapter 6: is it the slot, the order or the step size that decides how well digits are read?

The chapter's RNN of 20 units, and an MLP of 11 hidden units (835 numbers) that has all 64 pixels
at once, learn scikit-learn's 1,437 digits in batches of 10 with Adam, for 30 epochs. `images` says
how they are given: rows, one fixed shuffled order of the rows, columns, or rows with pixels from 0
to 16. Measured for three step sizes, five seeds each: the share of the 360 test digits read
correctly after each epoch.
"""

import torch
import torch.nn.functional as F
from torch import nn

import rnnlib
from rnnlib.data import load_digits
from rnnlib.models import SequenceClassifier

ORDER = torch.randperm(8, generator=torch.Generator().manual_seed(0))
IMAGES = {
    "rows": lambda images: images,
    "shuffled": lambda images: images[:, ORDER],
    "columns": lambda images: images.transpose(1, 2),
    "0 to 16": lambda images: 16 * images,
}
SETTINGS = [{"model": "RNN", "images": images} for images in IMAGES]
SETTINGS += [{"model": "MLP", "images": "rows"}]
STEP_SIZES, SEEDS, EPOCHS, BATCH = (0.01, 0.003, 0.001), 5, 30, 10


def start(model: str) -> nn.Module:
    """Return a model with fresh weights."""
    if model == "RNN":
        return SequenceClassifier(rnnlib.RNN(8, 20), 10)
    return nn.Sequential(nn.Linear(64, 11), nn.ReLU(), nn.Linear(11, 10))


def scores(model: str, weights: list[torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    """Let R networks read at once, each its own images: weights (R, …), x (R, N, 8, 8)."""
    if model == "RNN":
        W_xh, W_hh, b_ih, b_hh, W_hy, b_y = weights
        inputs = x.flatten(1, 2) @ W_xh.mT + (b_ih + b_hh)[:, None]
        inputs = inputs.unflatten(1, x.shape[1:3])
        h = torch.tanh(inputs[:, :, 0])  # the state before it is 0
        for t in range(1, 8):
            h = torch.tanh(inputs[:, :, t] + h @ W_hh.mT)
    else:
        W_xh, b_h, W_hy, b_y = weights
        h = torch.relu(x.flatten(2) @ W_xh.mT + b_h[:, None])
    return h @ W_hy.mT + b_y[:, None]


def run(model: str, images: str) -> dict[str, list[list[float]]]:
    """Train all step sizes and seeds side by side; a network's updates touch no other's."""
    digits, change = load_digits(), IMAGES[images]
    x, test = change(digits.train_images), change(digits.test_images)
    seeds = [seed for _ in STEP_SIZES for seed in range(SEEDS)]
    step = torch.tensor(STEP_SIZES).repeat_interleave(SEEDS)
    networks = []
    for seed in seeds:
        rnnlib.seed_everything(seed)
        networks.append([p.detach() for p in start(model).parameters()])
    weights = [torch.stack(p).requires_grad_() for p in zip(*networks, strict=True)]
    first, second = ([torch.zeros_like(p) for p in weights] for _ in range(2))  # Adam's moments
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    updates, found = 0, []
    for _ in range(EPOCHS):
        orders = torch.stack([torch.randperm(len(x), generator=g) for g in generators])
        for batch in orders[:, : len(x) // BATCH * BATCH].split(BATCH, dim=1):
            updates += 1
            answers = scores(model, weights, x[batch]).flatten(0, 1)
            labels = digits.train_labels[batch].flatten()
            # A sum over networks of each one's mean: the gradient of each is its own.
            loss = F.cross_entropy(answers, labels, reduction="sum") / BATCH
            with torch.no_grad():
                for p, g, m, v in zip(
                    weights, torch.autograd.grad(loss, weights), first, second, strict=True
                ):
                    m.lerp_(g, 0.1)
                    v.mul_(0.999).addcmul_(g, g, value=0.001)
                    root = (v / (1 - 0.999**updates)).sqrt_().add_(1e-8)
                    lr = step.view(-1, *[1] * (p.dim() - 1)) / (1 - 0.9**updates)
                    p.sub_(lr * m / root)
        with torch.no_grad():
            guesses = scores(model, weights, test.expand(len(seeds), *test.shape)).argmax(dim=-1)
        found.append((guesses == digits.test_labels).float().mean(dim=1))
    runs = torch.stack(found, dim=1).tolist()  # (R, epochs)
    return {f"lr {lr}": runs[i * SEEDS : (i + 1) * SEEDS] for i, lr in enumerate(STEP_SIZES)}
