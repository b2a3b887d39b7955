"""Models for two kinds of question: one answer per sequence, and one answer per step.

Both are a recurrent layer and a linear read-out, y = h W_hy + b_y. The layer may be ours or
torch.nn's: RNN, LSTM, GRU or BiRNN, with any number of layers, in one direction or two.
"""

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from rnnlib.checks import check_size
from rnnlib.data.lengths import pack
from rnnlib.models.common import made_like, output_size


class _ReadoutModel(nn.Module):
    """A recurrent layer and a linear map of its top layer's state, in all its directions."""

    def __init__(self, rnn: nn.Module, name: str, num_outputs: int):
        super().__init__()
        wanted = ("hidden_size", "batch_first", "bidirectional")
        if not isinstance(rnn, nn.Module) or not all(hasattr(rnn, field) for field in wanted):
            raise TypeError(
                "rnn: expected a recurrent layer such as RNN, LSTM or GRU, ours or torch.nn's, "
                f"got {type(rnn).__name__}"
            )
        num_outputs = check_size(name, num_outputs)
        self.rnn = rnn
        self.num_directions = 2 if rnn.bidirectional else 1
        # torch.nn's LSTM may project its state to another size.
        features = self.num_directions * output_size(rnn)
        self.readout = made_like(rnn, nn.Linear, features, num_outputs)


class SequenceClassifier(_ReadoutModel):
    """Read a whole sequence, then answer once.

    The answer is a linear map of the last state of the top layer. With two directions that is
    the forward state after the last step, joined to the backward state after the first: each has
    seen the whole sequence. The last step's *output* would not do: its backward half has seen one
    step only.

    Parameters
    ----------
    rnn : Module
        The recurrent layer.
    num_classes : int
        K.

    Attributes
    ----------
    rnn : Module
        The layer, as given.
    readout : Linear
        From directions x H to K.

    Raises
    ------
    TypeError, ValueError
        If `rnn` is no recurrent layer, or `num_classes` no positive integer.

    Examples
    --------
    >>> from rnnlib import RNN
    >>> model = SequenceClassifier(RNN(8, 20, batch_first=True), num_classes=10)
    >>> model(torch.zeros(32, 8, 8)).shape
    torch.Size([32, 10])
    """

    def __init__(self, rnn: nn.Module, num_classes: int):
        super().__init__(rnn, "num_classes", num_classes)

    def forward(self, x: Tensor | PackedSequence, lengths: Tensor | None = None) -> Tensor:
        """Compute the logits of every class.

        Parameters
        ----------
        x : Tensor or PackedSequence
            In the layout of the layer: (N, T, D) with ``batch_first``, otherwise (T, N, D); or
            (T, D), one sequence. Of packed sequences each is read to its own end.
        lengths : Tensor of int64, (N,), optional
            How many steps of each sequence of a padded batch are real. Each is then read to its
            own end, whatever the padding holds.

        Returns
        -------
        Tensor, (N, K), or (K,) for one sequence

        Raises
        ------
        TypeError, ValueError, RuntimeError
            For lengths that do not fit, as `check_lengths` raises them, or as the layer does.
        """
        _, state = self.rnn(x if lengths is None else pack(x, lengths, self.rnn.batch_first))
        h_n = state[0] if isinstance(state, tuple) else state  # an LSTM returns (h_n, c_n)
        top = h_n[-self.num_directions :]  # (directions, N, H)
        return self.readout(torch.cat(top.unbind(0), dim=-1))


class SequenceTagger(_ReadoutModel):
    """Read a sequence and answer at every step.

    Parameters
    ----------
    rnn : Module
        The recurrent layer.
    num_outputs : int
        K, the numbers in each answer: logits of classes, or values.

    Attributes
    ----------
    rnn : Module
        The layer, as given.
    readout : Linear
        From directions x H to K, the same at every step.

    Raises
    ------
    TypeError, ValueError
        If `rnn` is no recurrent layer, or `num_outputs` no positive integer.
    """

    def __init__(self, rnn: nn.Module, num_outputs: int):
        super().__init__(rnn, "num_outputs", num_outputs)

    def forward(
        self, x: Tensor | PackedSequence, lengths: Tensor | None = None
    ) -> Tensor | PackedSequence:
        """Compute an answer for every step.

        Parameters
        ----------
        x : Tensor or PackedSequence
            In the layout of the layer: (N, T, D) with ``batch_first``, otherwise (T, N, D); or
            (T, D), one sequence.
        lengths : Tensor of int64, (N,), optional
            How many steps of each sequence of a padded batch are real. Each is then read, in
            both directions, as if it stood alone.

        Returns
        -------
        Tensor or PackedSequence
            In the layout of `x`, with K in the place of D. Beside `lengths` the steps of padding
            hold 0.

        Raises
        ------
        TypeError, ValueError, RuntimeError
            For lengths that do not fit, as `check_lengths` raises them, or as the layer does.
        """
        if lengths is not None:
            first = self.rnn.batch_first
            answers = self(pack(x, lengths, first))
            steps = x.size(1 if first else 0)
            return pad_packed_sequence(answers, batch_first=first, total_length=steps)[0]
        output, _ = self.rnn(x)
        if isinstance(output, PackedSequence):
            return output._replace(data=self.readout(output.data))
        return self.readout(output)
