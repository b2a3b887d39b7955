"""What the checks measure, against numbers known on paper."""

import math
import re

import pytest
import torch
import torch.nn.functional as F
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


class Loops(nn.Module):
    """An LSTM cell in a loop; `step` hands its state on, `read` chooses what is answered."""

    def __init__(self, step, read=lambda h, c: h, cell=nn.LSTMCell):
        super().__init__()
        self.cell, self.step, self.read = cell(3, 8), step, read

    def forward(self, x):
        h, c = x.new_zeros(len(x), 8), x.new_zeros(len(x), 8)
        answers = []
        for x_t in x.unbind(1):
            h, c = self.step(self.cell, x_t, h, c)
            answers.append(self.read(h, c))
        return torch.stack(answers, dim=1)


class Turned(nn.Module):
    """A cell of one's own that returns (c, h), and takes what it returns."""

    def __init__(self, D, H):
        super().__init__()
        self.inner = nn.LSTMCell(D, H)

    def forward(self, x_t, c, h):
        h, c = self.inner(x_t, (h, c))
        return c, h


@pytest.mark.parametrize(
    ("step", "verdict"),
    [
        (lambda cell, x_t, h, c: cell(x_t, (h, c)), "sound"),
        (lambda cell, x_t, h, c: cell(input=x_t, hx=(h.clone(), c.detach())), "sound"),
        (lambda cell, x_t, h, c: cell(x_t, (c, h)), "sick"),
        (lambda cell, x_t, h, c: cell(x_t, (h, c))[::-1], "sick"),
        (lambda cell, x_t, h, c: (cell(x_t, (h, c))[0],) * 2, "sick"),
        (lambda cell, x_t, h, c: (cell(x_t, (h, c))[0], c), "sick"),
        (lambda cell, x_t, h, c: cell(x_t, (c, h))[::-1], "sound"),  # c is called h throughout
    ],
)
def test_a_state_of_two_parts_is_followed(step, verdict):
    torch.manual_seed(0)
    assert examine(Loops(step), X, batch_first=True)["carried"].verdict == verdict


def test_names_of_states_do_not_matter():
    torch.manual_seed(0)
    for step, verdict in (
        (lambda cell, x_t, h, c: cell(x_t, c, h)[::-1], "sound"),
        (lambda cell, x_t, h, c: cell(x_t, c, h), "sick"),
    ):
        report = examine(Loops(step, cell=Turned), X, batch_first=True)
        assert report["carried"].verdict == verdict
    # c in the place of h is another network, and a plain one has a state of one part.
    assert examine(Loops(lambda cell, *s: cell(s[0], s[1:]), lambda h, c: c), X).healthy
    with pytest.raises(KeyError):
        examine(nn.GRU(3, 8, batch_first=True), X)["carried"]


class Hands(nn.Module):
    def __init__(self, turned):
        super().__init__()
        self.encoder = nn.LSTM(3, 8, 2, batch_first=True)
        self.decoder, self.turned = nn.LSTM(3, 8, 2, batch_first=True), turned

    def forward(self, x):
        h_n, c_n = self.encoder(x)[1]
        return self.decoder(x, (c_n, h_n) if self.turned else (h_n, c_n))[0]


def test_a_state_is_followed_from_encoder_to_decoder():
    torch.manual_seed(0)
    for turned, verdict in ((True, "sick"), (False, "sound")):
        assert examine(Hands(turned), X, batch_first=True)["carried"].verdict == verdict


class Reads(nn.Module):
    """A GRU of what `before` leaves of the input; `after` takes answers of its states."""

    def __init__(self, before=lambda x: x, after=lambda y: y):
        super().__init__()
        self.rnn, self.before, self.after = nn.GRU(3, 8, batch_first=True), before, after

    def forward(self, x):
        return self.after(self.rnn(self.before(x))[0])


def last(y):
    return y[:, -1]


@pytest.mark.parametrize(
    ("before", "after", "verdict", "says"),
    [
        (lambda x: x[:, ::2], last, "sick", "steps 1, 3, 5 and 7 of steps 0 to 8"),
        (lambda x: x[:, :-1], last, "sick", "step 8"),
        (lambda x: x[:, : x.size(1) // 2], last, "sick", "steps 4, 5, 6, 7 and 8"),
        (lambda x: x[:, :1].expand_as(x), lambda y: y, "sick", "steps 1, 2, … 8"),
        (lambda x: x, lambda y: y.flip(1), "sick", "answers at steps 5, 6, 7 and 8 are about"),
        (lambda x: x, lambda y: y.roll(1, 1), "sick", "answers at step"),
        (lambda x: x[:, -1:].expand_as(x), lambda y: y, "sick", "steps 0, 1, … 7"),
        (lambda x: x[:, -4:], last, "note", "through a window"),
        (lambda x: F.pad(x[:, 1:], (0, 0, 1, 0)), lambda y: y, "note", "before step 1 of 9"),
        (lambda x: x[:, 2:], last, "note", "before step 2 of 9 moves an answer, however long"),
        (lambda x: x[:, :-1], lambda y: y, "note", "8 answers to 9 steps"),
        (lambda x: F.pad(x[:, :-1], (0, 0, 1, 0)), lambda y: y, "note", "its own"),
        (lambda x: F.avg_pool1d(x.mT, 4).mT, last, "note", "divided"),
        (lambda x: x, last, "sound", "passed over"),
        (lambda x: x, lambda y: y.max(1)[0], "sound", "passed over"),
        (lambda x: torch.cat([x, x.flip(1)], 1), last, "sound", "passed over"),
    ],
)
def test_steps_that_reach_no_answer_are_named(before, after, verdict, says):
    torch.manual_seed(0)
    finding = examine(Reads(before, after), X, batch_first=True)["coverage"]
    assert finding.verdict == verdict and says in finding.meaning, str(finding)


@pytest.mark.parametrize(
    ("handed", "verdict"), [(lambda state: state, "sound"), (lambda state: None, "note")]
)
def test_answers_that_begin_anew_are_noted(handed, verdict):
    class Pieces(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = nn.GRU(3, 8, batch_first=True)

        def forward(self, x):
            state, outputs = None, []
            for piece in x.split(4, dim=1):
                output, state = self.rnn(piece, handed(state))
                outputs.append(output)
            return torch.cat(outputs, dim=1)

    torch.manual_seed(0)
    finding = examine(Pieces(), X, batch_first=True)["coverage"]
    assert finding.verdict == verdict
    assert verdict == "sound" or "At steps 4 and 8" in finding.meaning
    dilated = nn.Conv1d(3, 8, 2, dilation=4)  # here no answer before the fifth sees another step
    reads = Reads(lambda x: x, lambda y: dilated(F.pad(y[..., :3].mT, (4, 0))).mT)
    reads.rnn = nn.Sequential(nn.Linear(3, 8), AddNothing())
    assert examine(reads, X, batch_first=True)["coverage"].verdict == "sound"


class AddNothing(nn.Module):
    def forward(self, y):
        return y, None


def test_features_that_are_not_read_are_noted():
    torch.manual_seed(0)
    for kept, verdict in ((3, "sound"), (1, "note")):
        keep = torch.arange(3) < kept
        finding = examine(Reads(lambda x, k=keep: x * k.to(x)), X, batch_first=True)["input"]
        assert finding.verdict == verdict
    assert "feature 1, 2 of a step" in finding.meaning and finding.evidence == 2


def test_what_is_chosen_cuts_no_gradient():
    class TopTwo(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer, self.ask = nn.Linear(3, 8), nn.Linear(8, 1)

        def forward(self, x):
            h = self.layer(x).tanh()
            best = self.ask(h).topk(2, dim=1).indices.expand(-1, -1, 8)
            return (h * self.ask(h).sigmoid()).gather(1, best).mean(1)

    for seed in range(5):
        torch.manual_seed(seed)
        assert examine(TopTwo(), X, batch_first=True).sick == []


def test_an_answer_behind_its_step_is_sick_where_the_next_input_is_to_be_told():
    class Behind(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn, self.out = nn.GRU(3, 8, batch_first=True), nn.Linear(8, 3)

        def forward(self, x):
            return self.out(F.pad(self.rnn(x)[0][:, :-1], (0, 0, 1, 0)))

    torch.manual_seed(0)
    for targets, verdict in ((None, "note"), (X.roll(-1, 1), "sick")):
        finding = examine(Behind(), X, targets=targets, batch_first=True)["coverage"]
        assert finding.verdict == verdict and "its own step" in finding.meaning


def test_what_is_padded_or_chosen_rarely_counts():
    class Counts(nn.Module):
        """Finds the end by token 0, which also stands among the symbols of a probe."""

        def __init__(self):
            super().__init__()
            self.e, self.rnn = nn.Embedding(3, 8), nn.GRU(8, 8, batch_first=True)

        def forward(self, x):
            end = (x == 0).int().argmax(1) - 1
            return self.rnn(self.e(x))[0][torch.arange(len(x)), end]

    torch.manual_seed(0)
    tokens = torch.randint(1, 3, (5, 7), generator=G)
    tokens[1, 4:] = tokens[3, 2:] = 0
    assert examine(Counts(), tokens, batch_first=True)["coverage"].verdict == "sound"

    class Hardest(nn.Module):
        def forward(self, x):
            return x[torch.arange(len(x)), x.norm(dim=-1).argmax(1)]

    assert examine(Hardest(), X, batch_first=True)["coverage"].verdict == "sound"


class Asks(nn.Module):
    """Attention of one step to all, without positions."""

    def __init__(self, at=None):
        super().__init__()
        self.layer, self.at = nn.Linear(3, 8), at

    def forward(self, x):
        h = self.layer(x).tanh()
        asking = h.mean(1) if self.at is None else h[:, self.at]
        weights = (h @ asking[..., None]).softmax(1)
        return torch.cat([asking, (weights * h).sum(1)], dim=-1)


@pytest.mark.parametrize(
    ("at", "verdict", "says"),
    [(None, "note", "bag"), (0, "sick", "number 0"), (4, "sick", "number 4"), (-1, "sick", "8")],
)
def test_a_bag_is_described_and_a_bag_but_for_one_step_is_sick(at, verdict, says):
    torch.manual_seed(0)
    finding = examine(Asks(at), X, batch_first=True)["order"]
    assert finding.verdict == verdict and says in finding.meaning


def put(h, steps, values):
    h = h.clone()
    h[:, steps] = values
    return h


class Placed(nn.Module):
    """What `joined` makes of states and of what is made beside them."""

    def __init__(self, joined):
        super().__init__()
        self.rnn, self.places = nn.GRU(3, 8, batch_first=True), nn.Embedding(99, 8)
        self.joined, self.table = joined, torch.arange(99)

    def forward(self, x, lengths=None):
        return self.joined(self, self.rnn(x)[0], lengths)


@pytest.mark.parametrize(
    ("joined", "verdict"),
    [
        (lambda m, h, n: h + m.places(torch.arange(h.size(1))), "sick"),
        (lambda m, h, n: h + m.places(m.table[: h.size(1)]), "sick"),
        (lambda m, h, n: h + torch.arange(h.size(1))[:, None], "sick"),
        (lambda m, h, n: h + m.places(torch.arange(h.size(1), device=h.device)), "sound"),
        (lambda m, h, n: h + m.places(torch.arange(h.size(1)).to(h.device)), "sound"),
        (lambda m, h, n: h.masked_fill(torch.ones(h.shape[1:]).triu(1).bool(), 0), "sick"),
        (lambda m, h, n: h[torch.arange(len(h)), -1], "sound"),  # indices may stay on the CPU
        (lambda m, h, n: h + m.places(torch.arange(h.size(1)).to(torch.long)), "sick"),
        (lambda m, h, n: h + torch.arange(h.size(1)).float().to(h.device)[:, None], "sound"),
        (lambda m, h, n: put(h, torch.arange(2), torch.zeros(2, 8, dtype=h.dtype)), "sick"),
        (lambda m, h, n: put(h, torch.arange(2), h.new_zeros(2, 8)), "sound"),
        (lambda m, h, n: h.index_select(1, torch.arange(h.size(1))), "sick"),
    ],
)
def test_whole_numbers_made_on_the_cpu_are_followed(joined, verdict):
    torch.manual_seed(0)
    assert examine(Placed(joined), X, batch_first=True)["device"].verdict == verdict


def test_lengths_may_stay_where_they_are_and_masks_of_them_may_not():
    def mask(m, h, n, device=None):
        t = torch.arange(h.size(1), device=device)
        return h * (t < (n if device is None else n.to(device))[:, None])[..., None]

    torch.manual_seed(0)
    for joined, verdict in (
        (mask, "sick"),
        (lambda m, h, n: mask(m, h, n, h.device), "sound"),
        (lambda m, h, n: h[torch.arange(len(h)), n - 1], "sound"),
    ):
        lengths = torch.tensor([7, 3, 5, 1, 2])
        report = examine(Placed(joined), X, lengths=lengths, batch_first=True)
        assert report["device"].verdict == verdict


def test_one_number_for_each_sample_or_step_has_a_floor():
    class Squeezed(nn.Module):
        def __init__(self, last):
            super().__init__()
            self.decays, self.out, self.last = Decays(0.5), nn.Linear(3, 1), last

        def forward(self, x):
            y = self.out(self.decays(x)).squeeze(-1)
            return y[:, -1] if self.last else y

    torch.manual_seed(0)
    for last in (True, False):
        model = Squeezed(last)
        y = model(X).detach()
        assert examine(model, X, targets=y, batch_first=True)["floor"].verdict == "sound"
        with torch.no_grad():
            model.out.weight.mul_(1e-3)
            model.out.bias.fill_(y.mean())
        finding = examine(model, X, targets=y, batch_first=True)["floor"]
        assert finding.verdict == "note"
        assert finding.evidence == pytest.approx(y.var(correction=0).item(), rel=0.02)


class Sorts(nn.Module):
    """Sorts by length to pack; `back` is what puts the samples back into their order."""

    def __init__(self, back, descending=True, steps=False):
        super().__init__()
        self.rnn, self.back = nn.GRU(3, 8, batch_first=True), back
        self.descending, self.steps = descending, steps

    def forward(self, x, lengths):
        order = lengths.argsort(descending=self.descending)
        packed = nn.utils.rnn.pack_padded_sequence(
            x[order], lengths[order], batch_first=True, enforce_sorted=self.descending
        )
        output, h_n = self.rnn(packed)
        if self.steps:
            return nn.utils.rnn.pad_packed_sequence(output, batch_first=True)[0][self.back(order)]
        return h_n[-1][self.back(order)]


@pytest.mark.parametrize("steps", [False, True])
@pytest.mark.parametrize("descending", [False, True])
def test_samples_that_are_sorted_twice_or_not_put_back_are_named(descending, steps):
    torch.manual_seed(0)
    told = {"lengths": torch.tensor([5, 7, 2, 6, 3]), "batch_first": True}
    for back in (lambda order: order, lambda order: torch.arange(len(order))):
        found = examine(Sorts(back, descending, steps), X, **told)["padding"]
        assert found.verdict == "sick" and "another order" in found.meaning
        assert "inverse permutation" in found.cure
    report = examine(Sorts(torch.argsort, descending, steps), X, **told)
    assert report.sick == [] and report["padding"].verdict == "sound"
