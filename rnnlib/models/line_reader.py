"""A model that reads a line, of images or of sound, and says at every step what it sees there.

Its answers have no positions: they are trained with `ctc_loss` and read by `reading`. Three parts,
any of which can be exchanged: convolutions over the image, what looks along the steps, a read-out.
"""

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_packed_sequence

from rnnlib.checks import check_size, check_tensor
from rnnlib.data.lengths import check_lengths, mask, pack
from rnnlib.models.common import LAYERS, made_like, output_size


class ImageConvolutions(nn.Module):
    """Two convolutions over an image that is read column by column, each with a pooling.

    Both are 3 wide and 3 high. The first pooling halves the rows, the second rows and columns: of
    T columns with D rows T // 2 steps are left, with D / 4 times the second's channels.

    Parameters
    ----------
    num_rows : int
        D, a multiple of 4.
    channels : pair of int, default (12, 24)
        Of the first and the second convolution.
    batch_norm : bool, default True
        Whether each convolution is followed by batch normalization. Its statistics in training
        are those of the whole padded batch.

    Attributes
    ----------
    num_features : int
        Numbers at each step.

    Raises
    ------
    TypeError, ValueError
        For sizes that are no positive integers, or rows that can't be halved twice.
    """

    def __init__(
        self, num_rows: int, channels: tuple[int, int] = (12, 24), batch_norm: bool = True
    ):
        super().__init__()
        if check_size("num_rows", num_rows) % 4:
            raise ValueError(f"num_rows: expected a multiple of 4, got {num_rows}")
        if len(channels) != 2:
            raise ValueError(f"channels: expected two numbers, got {channels}")
        first, second = (check_size("channels", size) for size in channels)
        self.num_rows = num_rows
        self.num_features = second * num_rows // 4
        self.convolutions = nn.ModuleList(
            [nn.Conv2d(1, first, 3, padding=1), nn.Conv2d(first, second, 3, padding=1)]
        )
        self.norms = nn.ModuleList(
            nn.BatchNorm2d(size) if batch_norm else nn.Identity() for size in (first, second)
        )
        self.pools = nn.ModuleList([nn.MaxPool2d((2, 1)), nn.MaxPool2d((2, 2))])

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Compute the features of every second column.

        Parameters
        ----------
        x : Tensor, (N, T, D)
        lengths : Tensor of int64, (N,)
            Columns of each image, at least 2. What stands past them is never read.

        Returns
        -------
        features : Tensor, (N, T // 2, num_features)
        lengths : Tensor of int64, (N,)

        Raises
        ------
        TypeError, ValueError
            For other types and shapes, and lengths that do not fit.
        """
        real = _check_steps(x, lengths, self.num_rows)
        if lengths.min() < 2:
            raise ValueError(f"lengths: expected at least 2 columns, got {lengths.min().item()}")
        # Columns last, as an image has them. What lies past the end is 0 before each convolution,
        # as if the image stood alone.
        h = torch.where(real[..., None], x, 0.0).transpose(1, 2)[:, None]  # (N, 1, D, T)
        for convolution, norm, pool in zip(self.convolutions, self.norms, self.pools, strict=True):
            h = norm(convolution(h)).relu() * real[:, None, None]
            h = pool(h)
        return h.flatten(1, 2).transpose(1, 2), lengths // 2


class StepConvolutions(nn.Module):
    """Convolutions along the steps: what looks at neighbours and remembers nothing.

    Parameters
    ----------
    num_inputs : int
        D, numbers at each step.
    hidden_size : int
        Channels of every layer.
    width : int, default 3
        Steps that each layer sees, an odd number.
    num_layers : int, default 1
    batch_norm : bool, default True
        As for `ImageConvolutions`.

    Attributes
    ----------
    num_inputs, hidden_size : int
        As given.

    Raises
    ------
    TypeError, ValueError
        For sizes that are no positive integers, and an even width.
    """

    def __init__(
        self,
        num_inputs: int,
        hidden_size: int,
        *,
        width: int = 3,
        num_layers: int = 1,
        batch_norm: bool = True,
    ):
        super().__init__()
        self.num_inputs = check_size("num_inputs", num_inputs)
        self.hidden_size = check_size("hidden_size", hidden_size)
        if check_size("width", width) % 2 == 0:
            raise ValueError(f"width: expected an odd number, got {width}")
        check_size("num_layers", num_layers)
        sizes = [num_inputs] + (num_layers - 1) * [hidden_size]
        self.convolutions = nn.ModuleList(
            nn.Conv1d(size, hidden_size, width, padding=width // 2) for size in sizes
        )
        self.norms = nn.ModuleList(
            nn.BatchNorm1d(hidden_size) if batch_norm else nn.Identity() for _ in sizes
        )

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Compute the features of every step.

        Parameters
        ----------
        x : Tensor, (N, T, D)
        lengths : Tensor of int64, (N,)
            What stands past a sequence's steps is never read.

        Returns
        -------
        Tensor, (N, T, hidden_size)

        Raises
        ------
        TypeError, ValueError
            For other types and shapes, and lengths that do not fit.
        """
        real = _check_steps(x, lengths, self.num_inputs)
        h = torch.where(real[..., None], x, 0.0).transpose(1, 2)  # (N, D, T)
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            h = norm(convolution(h)).relu() * real[:, None]
        return h.transpose(1, 2)


class LineReader(nn.Module):
    """Say at every step which symbol is seen there, or none: log-probabilities for CTC.

    Parameters
    ----------
    context : Module
        What looks along the steps: an RNN, GRU or LSTM, ours or torch.nn's, with ``batch_first``,
        in one direction or two; or `StepConvolutions`.
    num_classes : int
        K, the blank included.
    features : ImageConvolutions, optional
        What comes first; by default `context` reads x itself.

    Attributes
    ----------
    features, context : Module
        As given.
    readout : Linear
        From the numbers of a step to K.

    Raises
    ------
    TypeError, ValueError
        For modules of other kinds, and sizes that do not fit together.

    Notes
    -----
    Convolutions, a recurrent layer in two directions and CTC are the CRNN of Shi, Bai and
    Yao [1]_, made small.

    .. [1] B. Shi, X. Bai and C. Yao, "An end-to-end trainable neural network for image-based
       sequence recognition and its application to scene text recognition", IEEE TPAMI 39 (2017).

    Examples
    --------
    >>> from rnnlib import GRU
    >>> features = ImageConvolutions(12)
    >>> rnn = GRU(features.num_features, 48, batch_first=True, bidirectional=True)
    >>> model = LineReader(rnn, 11, features)
    >>> log_probs, lengths = model(torch.zeros(2, 40, 12), torch.tensor([40, 31]))
    >>> log_probs.shape, lengths
    (torch.Size([2, 20, 11]), tensor([20, 15]))
    """

    def __init__(
        self, context: nn.Module, num_classes: int, features: ImageConvolutions | None = None
    ):
        super().__init__()
        K = check_size("num_classes", num_classes)
        if features is not None and not isinstance(features, ImageConvolutions):
            raise TypeError(
                f"features: expected ImageConvolutions or None, got {type(features).__name__}"
            )
        if isinstance(context, StepConvolutions):
            inputs, outputs = context.num_inputs, context.hidden_size
        elif isinstance(context, tuple(LAYERS.values())):
            if not context.batch_first:
                raise ValueError("context: expected a layer with batch_first, got one without")
            inputs = context.input_size
            outputs = output_size(context) * (2 if context.bidirectional else 1)
        else:
            raise TypeError(
                "context: expected an RNN, GRU or LSTM, ours or torch.nn's, or StepConvolutions, "
                f"got {type(context).__name__}"
            )
        if features is not None and features.num_features != inputs:
            raise ValueError(
                f"context: expected inputs of size {features.num_features}, those of the "
                f"features, got {inputs}"
            )
        self.features = features
        self.context = context
        self.readout = made_like(context, nn.Linear, outputs, K)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Compute the log-probabilities of every class at every step.

        Parameters
        ----------
        x : Tensor, (N, T, D)
        lengths : Tensor of int64, (N,)
            What stands past a sequence's steps is never read.

        Returns
        -------
        log_probs : Tensor, (N, T', K)
            With convolutions over the image T' is T // 2, otherwise T.
        lengths : Tensor of int64, (N,)
            Steps of each sequence among the T'.

        Raises
        ------
        TypeError, ValueError
            For other types and shapes, and lengths that do not fit.
        """
        if self.features is not None:
            x, lengths = self.features(x, lengths)
        if isinstance(self.context, StepConvolutions):
            h = self.context(x, lengths)
        else:
            output, _ = self.context(pack(x, lengths))
            h, _ = pad_packed_sequence(output, batch_first=True, total_length=x.size(1))
        return self.readout(h).log_softmax(dim=-1), lengths


def _check_steps(x: Tensor, lengths: Tensor, D: int) -> Tensor:
    """Check a padded batch (N, T, D), and return which steps are real, (N, T)."""
    check_tensor("x", x, TypeError)
    if x.dim() != 3 or x.size(2) != D:
        raise ValueError(f"x: expected (N, T, {D}), got shape {tuple(x.shape)}")
    check_lengths(lengths, *x.shape[:2])
    return mask(lengths.to(x.device), x.size(1))
