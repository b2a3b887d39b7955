"""Networks that are unusual, and right, and faulty ones beside them."""

import torch
from torch import nn

from rnnlib.doctor import examine

X = torch.randn(5, 7, 3, generator=torch.Generator().manual_seed(0))
TOKENS = torch.randint(1, 6, (5, 9), generator=torch.Generator().manual_seed(0))


class Reads(nn.Module):
    """A GRU and a read-out; `before` and `after` are what is done around them."""

    def __init__(self, before=lambda x: x, cell=nn.GRU, K=4):
        super().__init__()
        self.before = before
        self.rnn, self.out = cell(3, 8, batch_first=True), nn.Linear(8, K)

    def forward(self, x):
        return self.out(self.rnn(self.before(x))[0])


def zeroed(x):
    x[:, 0] = 0
    return x


def centred(x):
    x -= x.mean(1, keepdim=True)
    return x


def test_a_forward_that_writes_into_its_input_is_named_and_spoils_nothing():
    torch.manual_seed(0)
    for before in (zeroed, centred):
        x = X.clone()
        report = examine(Reads(before), x, batch_first=True)
        assert torch.equal(x, X)
        assert report.sick == ["state"]
        assert "writes into its input" in report["state"].meaning and report["state"].cure
    assert examine(Reads(lambda x: zeroed(x.clone())), X, batch_first=True).healthy


class TwoEmbeddings(nn.Module):
    def __init__(self, detached=False):
        super().__init__()
        self.e = nn.Embedding(6, 8)
        self.g, self.rnn, self.o = nn.Linear(8, 8), nn.GRU(8, 8, batch_first=True), nn.Linear(8, 6)
        self.detached = detached

    def gate(self, x):
        return self.g(self.e(x))

    def forward(self, x):
        gate = torch.sigmoid(self.gate(x))
        read = self.e(x).detach() if self.detached else self.e(x)
        return self.o(gate * self.rnn(read)[0])


class SecondFirst(TwoEmbeddings):
    def __init__(self):
        super().__init__()
        self.other = nn.Embedding(6, 8)

    def gate(self, x):
        return self.g(self.other(x))


def test_all_embeddings_are_followed():
    torch.manual_seed(0)
    for kind in (TwoEmbeddings, SecondFirst):
        report = examine(kind(), TOKENS, batch_first=True)
        assert report.sick == [] and report["horizon"].evidence > 2
    assert examine(TwoEmbeddings(detached=True), TOKENS, batch_first=True)["horizon"].verdict == (
        "sick"
    )


class BeginsAtZero(nn.Module):
    def __init__(self, gated=False, reads=True):
        super().__init__()
        self.skip, self.rnn = nn.Linear(3, 4), nn.GRU(3, 8, batch_first=True)
        self.out = nn.Linear(8, 4)
        self.alpha = nn.Parameter(torch.zeros(1)) if gated else 1.0
        if not gated:
            nn.init.zeros_(self.out.weight)
            nn.init.zeros_(self.out.bias)
        self.reads = reads

    def forward(self, x):
        each = x if self.reads else x.flatten(0, 1)[:, None]
        return self.skip(x) + self.alpha * self.out(self.rnn(each)[0]).view(*x.shape[:2], 4)


def test_a_gate_that_begins_at_zero_is_noted():
    torch.manual_seed(0)
    for gated in (False, True):
        report = examine(BeginsAtZero(gated), X, batch_first=True)
        assert report.sick == [] and report["order"].verdict == "note"
        assert "begins at zero" in report["order"].meaning
        assert examine(BeginsAtZero(gated, reads=False), X, batch_first=True)["order"].verdict == (
            "sick"
        )


class Indices(nn.Module):
    def __init__(self):
        super().__init__()
        self.e, self.rnn = nn.Embedding(6, 8), nn.GRU(8, 8, batch_first=True)

    def forward(self, x):
        return self.rnn(self.e((x[..., 0] * 2).long().clamp(-3, 2) + 3))[0]


def test_inputs_that_are_rounded_leave_the_horizon_open():
    torch.manual_seed(0)
    for model in (Reads(torch.sign), Reads(torch.round), Indices()):
        report = examine(model, X, batch_first=True)
        assert report.sick == [], report
        assert report["horizon"].verdict == "could not tell"
        assert "before the recurrence" in report["horizon"].meaning


class Chaotic(nn.Module):
    def __init__(self, mixes=0.0):
        super().__init__()
        self.rnn, self.mixes = nn.RNN(4, 32, batch_first=True), mixes
        with torch.no_grad():
            self.rnn.weight_hh_l0.copy_(1.5 * torch.randn(32, 32))

    def forward(self, x):
        y = self.rnn(x)[0]
        return y + self.mixes * y.roll(1, dims=0)


def test_chaos_is_named_alone():
    for seed in range(4):
        torch.manual_seed(seed)
        x = torch.randn(5, 7, 4)
        assert examine(Chaotic(), x, batch_first=True).sick == ["gain"]
        assert "mixing" in examine(Chaotic(1e-3), x, batch_first=True).sick


class NotFinite(nn.Module):
    def __init__(self, where):
        super().__init__()
        self.rnn, self.where = nn.GRU(3, 8, batch_first=True), where

    def forward(self, x):
        y = self.rnn(x)[0]
        return y / 0 if self.where(x) else y


def test_after_an_answer_that_is_not_finite_nothing_is_compared():
    torch.manual_seed(0)
    report = examine(NotFinite(lambda x: True), X, batch_first=True)
    assert report.sick == ["call"] and "not finite" in report["call"].meaning
    report = examine(NotFinite(lambda x: x.shape[1] == 9), X, batch_first=True)  # probes alone
    assert report.sick == [] and "not finite" in report["mixing"].meaning
    assert examine(NotFinite(lambda x: False), X, batch_first=True).healthy


class TwoLayers(nn.Module):
    def __init__(self, which):
        super().__init__()
        self.rnn, self.out = nn.GRU(3, 8, 2, batch_first=True), nn.Linear(8, 4)
        self.which = which

    def forward(self, x):
        return self.out(self.rnn(x)[1][self.which])


class DeadUnits(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn, self.dead, self.out = Reads(), nn.Linear(3, 4), nn.Linear(4, 4)
        nn.init.constant_(self.dead.bias, -100.0)

    def forward(self, x):
        return self.out(self.rnn(x) + self.dead(x).relu())


class Backward(nn.Module):
    def __init__(self, ends):
        super().__init__()
        self.rnn, self.out = nn.GRU(3, 8, bidirectional=True, batch_first=True), nn.Linear(16, 4)
        self.ends = ends

    def forward(self, x):
        output, h_n = self.rnn(x)
        return self.out(torch.cat([*h_n], dim=-1) if self.ends else output[:, -1])


def test_what_is_not_read_is_cured_by_what_it_is():
    torch.manual_seed(0)
    found = examine(DeadUnits(), X, batch_first=True)["readout"]
    assert found.verdict == "sick" and "bidirectional" not in found.cure and "ReLU" in found.cure
    for which, wanted in ((0, "sick"), (-1, "sound")):
        found = examine(TwoLayers(which), X, batch_first=True)["readout"]
        assert found.verdict == wanted and "bidirectional" not in found.cure
    found = examine(Backward(False), X, batch_first=True)["readout"]
    assert found.verdict == "sick" and "bidirectional" in found.cure
    assert examine(Backward(True), X, batch_first=True).healthy


class Normed(Reads):
    def __init__(self, always=False, **options):
        super().__init__()
        self.norm, self.always = nn.BatchNorm1d(4, **options), always

    def forward(self, x):
        if self.always:
            self.norm.train()
        return self.norm(super().forward(x).transpose(1, 2)).transpose(1, 2)


def test_statistics_of_the_batch_are_called_so():
    torch.manual_seed(0)
    for model in (Normed(always=True), Normed(track_running_stats=False)):
        found = examine(model, X, batch_first=True)["mixing"]
        assert found.verdict == "sick" and "running statistics" in found.cure
    assert examine(Normed(), X, batch_first=True)["mixing"].verdict == "sound"
    found = examine(nn.RNN(3, 8), X, batch_first=True)["mixing"]
    assert "batch_first=True" in found.cure and "statistics" not in found.cure


def test_dropping_all_is_named():
    torch.manual_seed(0)
    for share, wanted in ((1.0, "sick"), (0.5, "sound")):
        model = nn.Sequential(nn.Dropout(share), Reads())
        assert examine(model, X, batch_first=True)["evaluation"].verdict == wanted


class FindsLengths(nn.Module):
    """Finds out where padding begins by token 0, or not at all."""

    def __init__(self, finds=True):
        super().__init__()
        self.e, self.rnn = nn.Embedding(6, 8), nn.GRU(8, 8, batch_first=True)
        self.finds = finds

    def forward(self, x):
        lengths = (x != 0).sum(1) if self.finds else torch.full((len(x),), x.size(1))
        return self.rnn(self.e(x))[0][torch.arange(len(x)), lengths - 1]


class Masks(nn.Module):
    def __init__(self):
        super().__init__()
        self.e, self.at = nn.Embedding(6, 8), nn.Embedding(99, 8)
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)

    def forward(self, x):
        e = self.e(x) + self.at(torch.arange(x.size(1), device=x.device))
        return self.layer(e, src_key_padding_mask=(x == 0))[:, 0]


def test_padding_that_is_known_by_its_number_is_noted():
    torch.manual_seed(0)
    lengths = torch.tensor([9, 3, 5, 9, 1])
    x = TOKENS.masked_fill(torch.arange(9) >= lengths[:, None], 0)
    for model in (FindsLengths(), Masks()):
        report = examine(model, x, lengths=lengths, batch_first=True)
        assert report.sick == [] and report["padding"].verdict == "note"
        assert "by the number 0" in report["padding"].meaning
        # Where padding holds what real steps hold, too, it can't be told from them.
        found = examine(model, TOKENS, lengths=lengths, batch_first=True)["padding"]
        assert found.verdict == "sick"
    found = examine(FindsLengths(False), x, lengths=lengths, batch_first=True)["padding"]
    assert found.verdict == "sick"


def said_of_scores(head=None, loss=None, K=4):
    torch.manual_seed(0)
    model = nn.Sequential(Reads(K=K), head or nn.Identity())
    targets = torch.randint(4, (5, 7), generator=torch.Generator().manual_seed(0))
    return examine(model, X, targets=targets, loss=loss, batch_first=True)["scores"]


def test_the_loss_that_is_told_is_tried():
    for loss, says in (
        (nn.MSELoss(), "can't be computed"),
        (lambda y, targets: y.softmax(-1).log().sum() * float("inf"), "not finite"),
        (nn.CrossEntropyLoss(reduction="none"), "no single number"),
        (nn.NLLLoss(), "below 0"),
        (lambda y, targets: 1.0, "float"),
    ):
        head = nn.Softmax(-1) if says == "below 0" else None
        found = said_of_scores(head, loss)
        assert found.verdict == "sick" and says in found.meaning and found.cure, found
    assert "as large as the number" in said_of_scores(loss=nn.CrossEntropyLoss(), K=2).meaning
    assert said_of_scores(loss=nn.CrossEntropyLoss()).verdict == "sound"
    assert said_of_scores(loss=lambda y, targets, lengths: 1 / 0).verdict == "sound"
    assert said_of_scores(nn.LogSoftmax(-1), nn.NLLLoss()).verdict == "sound"
    by_step = lambda y, targets: nn.functional.cross_entropy(y.transpose(1, 2), targets)  # noqa: E731
    assert said_of_scores(loss=by_step).verdict == "sound"


def test_bounded_scores_are_noted():
    for head, says in ((nn.ReLU(), "ReLU"), (nn.Sigmoid(), "sigmoid")):
        found = said_of_scores(head)
        assert found.verdict == "note" and says in found.meaning and found.cure
    assert said_of_scores().verdict == "sound"


def test_a_loss_with_numbers_of_its_own_is_computed_in_the_dtype_of_the_model():
    assert said_of_scores(loss=nn.CrossEntropyLoss(weight=torch.ones(4))).verdict == "sound"


class KeepsMask(nn.Module):
    """Hides later steps behind a mask that it makes once for each device, or once and for all."""

    def __init__(self, in_dict, placed=True):
        super().__init__()
        self.rnn = nn.GRU(3, 8, batch_first=True)
        self.layer = nn.TransformerEncoderLayer(8, 2, 8, batch_first=True)
        self.mask, self.masks = None, {}
        self.in_dict, self.placed = in_dict, placed

    def kept(self, x):
        T, device = x.size(1), x.device
        made = torch.full((T, T), -9.0, device=device if self.placed else None).triu(1)
        if self.in_dict:
            return self.masks.setdefault((T, device), made)
        if self.mask is None or self.mask.size(0) != T or self.mask.device != device:
            self.mask = made
        return self.mask

    def forward(self, x):
        return self.layer(self.rnn(x)[0], src_mask=self.kept(x).to(x.dtype))


def test_what_a_call_makes_beside_its_input_and_keeps_is_not_left_behind():
    torch.manual_seed(0)
    for in_dict in (False, True):
        report = examine(KeepsMask(in_dict), X, batch_first=True)
        assert report.sick == [] and report["device"].verdict == "sound"
        found = examine(KeepsMask(in_dict, placed=False), X, batch_first=True)["device"]
        assert found.verdict == "sick"


class Scales(Reads):
    """Holds a plain constant, and moves it when it is called, or not."""

    def __init__(self, moves=True, learned=False):
        super().__init__()
        self.mu, self.moves = torch.arange(3.0), moves
        self.mu.requires_grad_(learned)

    def forward(self, x):
        return super().forward(x - (self.mu.to(x) if self.moves else self.mu))


def test_a_constant_that_forward_moves_by_itself_is_noted():
    torch.manual_seed(0)
    report = examine(Scales(), X, batch_first=True)
    assert report.sick == [] and report["saving"].verdict == "note"
    assert "not moved" not in report["saving"].meaning and report["saving"].cure
    for model in (Scales(moves=False), Scales(learned=True)):
        assert examine(model, X, batch_first=True)["saving"].verdict == "sick"


class OtherHead(Reads):
    """A second head that only a loss uses, or that is answered in training alone, or is cut off."""

    def __init__(self, how):
        super().__init__()
        self.head, self.how = nn.Linear(8, 4), how

    def forward(self, x):
        read = self.rnn(x)[0]
        y = self.out(read)
        if self.how == "in training" and self.training:
            return y, self.head(read)
        return y + self.head(read).detach() if self.how == "cut off" else y


def test_parameters_that_forward_never_uses_are_told_from_those_that_are_cut_off():
    torch.manual_seed(0)
    found = examine(OtherHead("in loss"), X, batch_first=True)["gradient"]
    assert found.verdict == "sick" and "head.weight" in found.meaning
    assert "forward does not use" in found.meaning and "loss" in found.cure
    found = examine(OtherHead("cut off"), X, batch_first=True)["gradient"]
    assert (
        found.verdict == "sick" and "does not use" not in found.meaning and "detach" in found.cure
    )
    assert examine(OtherHead("in training"), X, batch_first=True).sick == []


class NormsInput(nn.Module):
    def __init__(self, weight=1.0):
        super().__init__()
        self.norm = nn.BatchNorm1d(3)
        self.rnn, self.out = nn.RNN(3, 8, batch_first=True), nn.Linear(8, 4)
        nn.init.constant_(self.norm.weight, weight)

    def forward(self, x):
        return self.out(self.rnn(self.norm(x.transpose(1, 2)).transpose(1, 2))[0])


def test_saturation_behind_statistics_that_are_not_yet_there_is_noted():
    torch.manual_seed(0)
    found = examine(NormsInput(), X * 50 + 300, batch_first=True)["saturation"]
    assert found.verdict == "note" and "training mode" in found.meaning and found.evidence > 0.8
    found = examine(NormsInput(weight=1e3), X * 50 + 300, batch_first=True)["saturation"]
    assert found.verdict == "sick"
