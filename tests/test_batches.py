"""A loader serves every pair once, in an order that its seed alone decides."""

import pytest
import torch

from rnnlib.data.batches import loader


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
