"""What the checks measure, against numbers known on paper."""

import math
import re

import pytest
import torch
from torch import nn

from rnnlib.doctor import examine

G = torch.Generator().manual_seed(1)
X = torch.randn(5, 7, 3, generator=G)


class Decays(nn.Module):
    """h = x + gain h, in one unit for each feature: the gradient at lag k is gain^k."""

    def __init__(self, gain):
        super().__init__()
        self.gain = nn.Parameter(torch.full((3,), gain))

    def forward(self, x):
        h, states = x.new_zeros(len(x), 3), []
        for x_t in x.unbind(1):
            h = x_t + self.gain * h
            states.append(h)
        return torch.stack(states, dim=1)


@pytest.mark.parametrize(("gain", "steps"), [(0.5, 7), (0.7, 13), (0.2, 3)])
def test_the_horizon_is_where_a_hundredth_is_left(gain, steps):
    # What reaches one step back is gain; gain^k is a hundredth of it at k = 1 + ln 100 / -ln gain.
    assert steps == math.floor(1 + math.log(100) / -math.log(gain))
    finding = examine(Decays(gain), X, batch_first=True)["horizon"]
    assert finding.evidence == steps
    assert finding.verdict == ("note" if steps < 6 else "sound")


def test_the_gain_is_that_of_a_power():
    finding = examine(Decays(1.2), X, batch_first=True)["gain"]
    # From the last five steps to 32 back, and less than from 16 steps to 64.
    assert finding.evidence == pytest.approx(1.2**28, rel=1e-4)
    assert finding.verdict == "sick"
    assert examine(Decays(1.1), X, batch_first=True)["gain"].evidence == pytest.approx(
        1.1**28, rel=1e-4
    )
    assert examine(Decays(1.1), X, batch_first=True)["gain"].verdict == "sound"


class Mixes(nn.Module):
    """Each answer holds a share of the next sample's."""

    def __init__(self, share):
        super().__init__()
        self.rnn = nn.GRU(3, 8, batch_first=True)
        self.share = share

    def forward(self, x):
        y = self.rnn(x)[0]
        return y + self.share * y.roll(1, dims=0)


@pytest.mark.parametrize("share", [0.5, 1e-3, 1e-6])
def test_even_a_small_leak_between_samples_is_seen(share):
    torch.manual_seed(0)
    finding = examine(Mixes(share), X, batch_first=True)["mixing"]
    assert finding.verdict == "sick"
    assert 0.3 * share < finding.evidence < 1.5 * share


class Peeks(nn.Module):
    def __init__(self, share):
        super().__init__()
        self.rnn = nn.GRU(3, 8, batch_first=True)
        self.share = share

    def forward(self, x):
        return self.rnn(x)[0] + self.share * x.roll(-1, dims=1).mean(-1, keepdim=True)


def test_the_future_is_judged_by_what_was_told():
    torch.manual_seed(0)
    model = Peeks(1e-4)
    verdicts = {
        causal: examine(model, X, batch_first=True, causal=causal)["causality"].verdict
        for causal in (True, False, None)
    }
    assert verdicts == {True: "sick", False: "sound", None: "note"}
    finding = examine(model, X, batch_first=True, causal=True)["causality"]
    assert 1e-6 < finding.evidence < 1e-3
    model = Peeks(0.0)
    assert examine(model, X, batch_first=True, causal=False)["causality"].verdict == "sick"
    assert examine(model, X, batch_first=True)["causality"].verdict == "sound"
    # Targets that are the inputs one step later say that it must not be seen.
    model = nn.Sequential(Peeks(0.1), nn.Linear(8, 3))
    assert examine(model, X, targets=X.roll(-1, 1), batch_first=True)["causality"].verdict == "sick"
    assert examine(model, X, targets=X.flip(1), batch_first=True)["causality"].verdict == "note"


class Constant(nn.Module):
    """Scores by a table of the current symbol, or of none."""

    def __init__(self, scores):
        super().__init__()
        self.scores = nn.Parameter(scores)

    def forward(self, x):
        return self.scores[x]


def test_the_floor_is_the_entropy_of_what_follows_each_symbol():
    text = torch.tensor([[0, 1, 2, 2, 3, 0, 1, 2, 2, 3]])  # "hello", twice
    x, y = text[:, :-1], text[:, 1:]
    table = torch.full((4, 4), -30.0)
    for a, b in ((0, 1), (1, 2), (3, 0), (2, 2), (2, 3)):
        table[a, b] = 0.0
    finding = examine(Constant(table), x, targets=y, batch_first=True)["floor"]
    # After each of the four l's among nine symbols, two answers are equally likely.
    assert finding.evidence == pytest.approx(4 / 9 * math.log(2), rel=1e-6)
    assert finding.verdict == "sick" and "without memory 0.308 is the best" in finding.meaning
    finding = examine(Constant(torch.zeros(4, 4)), x, targets=y, batch_first=True)["floor"]
    assert finding.verdict == "note" and finding.evidence == pytest.approx(math.log(4))


def test_a_constant_answer_is_the_floor_for_values_that_never_come_twice():
    torch.manual_seed(0)
    model = nn.Sequential(Decays(0.5), nn.Linear(3, 1))
    y = torch.randn(5, 7, 1, generator=G)
    with torch.no_grad():
        model[1].weight.mul_(1e-3)
        model[1].bias.fill_(y.mean())
    finding = examine(model, X, targets=y, batch_first=True)["floor"]
    assert finding.verdict == "note" and "A constant answer does as well" in finding.meaning
    assert finding.evidence == pytest.approx(y.var(correction=0).item(), rel=0.02)
    perfect = examine(Decays(0.5), X, targets=Decays(0.5)(X).detach(), batch_first=True)
    assert perfect["floor"].verdict == "sound" and perfect["floor"].evidence < 1e-10


def test_targets_are_compared_with_the_answers():
    model = nn.Sequential(Decays(0.5), nn.Linear(3, 4))
    for targets, says in (
        (torch.full((5, 7), 4), "classes without a score"),
        (torch.zeros(5).long(), r"expected classes \(5, 7\)"),
        (torch.zeros(5, 7), "broadcast against each other"),
    ):
        finding = examine(model, X, targets=targets, batch_first=True)["targets"]
        assert finding.verdict == "sick"
        assert re.search(says, finding.meaning)
    ignored = torch.full((5, 7), -100)
    ignored[0] = 3
    assert examine(model, X, targets=ignored, batch_first=True)["targets"].verdict == "sound"
    assert examine(model, X, num_classes=5, batch_first=True)["targets"].verdict == "sick"
    assert examine(model, X, num_classes=4, batch_first=True)["targets"].verdict == "sound"


def test_probabilities_are_judged_by_the_loss():
    model = nn.Sequential(Decays(0.5), nn.Linear(3, 4), nn.Softmax(-1))
    y = torch.zeros(5, 7).long()
    said = {
        loss: examine(model, X, targets=y, loss=loss, batch_first=True)["scores"].verdict
        for loss in (None, nn.CrossEntropyLoss(), lambda answer, y: answer.sum())
    }
    assert list(said.values()) == ["sick", "sick", "note"]
    assert examine(model, X, batch_first=True)["scores"].verdict == "note"


def test_what_was_not_told_is_not_passed_over():
    finding = examine(nn.GRU(3, 8, batch_first=True), X, batch_first=True)["padding"]
    assert finding.verdict == "could not tell" and "No lengths were given" in finding.meaning


def test_the_past_alone_or_the_future_alone_is_said():
    class Back(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = nn.GRU(3, 8, batch_first=True)

        def forward(self, x):
            return self.rnn(x.flip(1))[0].flip(1)

    report = examine(Back(), X, batch_first=True)
    assert report.healthy and "reads backward" in report["order"].meaning


def test_a_read_out_that_begins_at_zero_hides_nothing():
    model = nn.Sequential(Decays(0.5), nn.Linear(3, 4))
    nn.init.zeros_(model[1].weight)
    nn.init.zeros_(model[1].bias)
    report = examine(model, X, batch_first=True)
    assert report.healthy and report["input"].verdict == "note"
    assert report["horizon"].evidence in (6, 7, 8)  # of weights moved by a twentieth
