"""Attention: a summary of a sequence that is made anew for every question asked of it."""

import math

import torch
from torch import Tensor, nn

from rnnlib.checks import check_size, check_tensor


class AdditiveAttention(nn.Module):
    r"""Score every state of a sequence against a query, and return their weighted mean.

    .. math::

        e_{tj} &= \tanh(s_t W_q + h_j W_k) \, v \\
        \alpha_{tj} &= \frac{\exp e_{tj}}{\sum_{i} \exp e_{ti}} \\
        c_t &= \sum_j \alpha_{tj} h_j

    The sums go over the steps j of the sequence that are real; padding has the weight 0.

    Parameters
    ----------
    query_size : int
        Size of a query s_t.
    annotation_size : int
        Size of a state h_j of the sequence.
    hidden_size : int
        A, the number of units that compare the two.
    device, dtype : optional
        Where and in which type the parameters are made.

    Attributes
    ----------
    W_q : Parameter, (query_size, A)
    W_k : Parameter, (annotation_size, A)
    v : Parameter, (A,)

    Raises
    ------
    TypeError, ValueError
        For sizes that are no positive integers.

    Notes
    -----
    The score is that of Bahdanau, Cho and Bengio [1]_. They compute it with the decoder's state
    before step t, so that the context is an input of that step. `EncoderDecoder` computes it with
    the state after it, and reads the answer from both, as Luong, Pham and Manning [2]_ do; then no
    step of the decoder waits for a context, and all can be computed at once.

    .. [1] D. Bahdanau, K. Cho and Y. Bengio, "Neural machine translation by jointly learning to
       align and translate", ICLR 2015.
    .. [2] M.-T. Luong, H. Pham and C. D. Manning, "Effective approaches to attention-based neural
       machine translation", EMNLP 2015.
    """

    def __init__(
        self, query_size: int, annotation_size: int, hidden_size: int, device=None, dtype=None
    ):
        super().__init__()
        self.query_size = check_size("query_size", query_size)
        self.annotation_size = check_size("annotation_size", annotation_size)
        self.hidden_size = check_size("hidden_size", hidden_size)
        made = {"device": device, "dtype": dtype}
        self.W_q = nn.Parameter(torch.empty(query_size, hidden_size, **made))
        self.W_k = nn.Parameter(torch.empty(annotation_size, hidden_size, **made))
        self.v = nn.Parameter(torch.empty(hidden_size, **made))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters anew, each from U(-1/sqrt(n), 1/sqrt(n)), n the size it sums over."""
        for parameter in (self.W_q, self.W_k, self.v):
            bound = 1 / math.sqrt(parameter.size(0))
            nn.init.uniform_(parameter, -bound, bound)

    def keys(self, annotations: Tensor) -> Tensor:
        """Compute the part of the scores that no query changes: h_j W_k, for all j.

        Parameters
        ----------
        annotations : Tensor, (N, T, annotation_size)

        Returns
        -------
        Tensor, (N, T, A)

        Raises
        ------
        TypeError, ValueError
            For what is no such tensor.
        """
        _check("annotations", annotations, "T", self.annotation_size)
        return annotations @ self.W_k

    def forward(
        self,
        queries: Tensor,
        annotations: Tensor,
        mask: Tensor | None = None,
        keys: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Attend to a batch of sequences, with several queries at once.

        Parameters
        ----------
        queries : Tensor, (N, S, query_size)
            s_1, …, s_S for each sequence.
        annotations : Tensor, (N, T, annotation_size)
            h_1, …, h_T.
        mask : Tensor of bool, (N, T), optional
            True at the steps that are real; by default all are.
        keys : Tensor, (N, T, A), optional
            What `keys` has returned for these annotations, where it is needed more than once.

        Returns
        -------
        context : Tensor, (N, S, annotation_size)
            c_1, …, c_S.
        weights : Tensor, (N, S, T)
            Those of each query are not negative and add up to 1.

        Raises
        ------
        TypeError, ValueError
            For other types and shapes, and for a mask that leaves a sequence without a step.
        """
        _check("queries", queries, "S", self.query_size)
        _check("annotations", annotations, "T", self.annotation_size)
        N, T = annotations.shape[:2]
        if len(queries) != N:
            raise ValueError(
                f"queries: expected those of {N} sequences, as annotations has, got {len(queries)}"
            )
        if keys is None:
            keys = self.keys(annotations)
        elif keys.shape != (N, T, self.hidden_size):
            raise ValueError(
                f"keys: expected shape {(N, T, self.hidden_size)}, got {tuple(keys.shape)}"
            )
        q = queries @ self.W_q  # (N, S, A)
        e = torch.tanh(q.unsqueeze(2) + keys.unsqueeze(1)) @ self.v  # (N, S, T)
        if mask is not None:
            _check_mask(mask, N, T)
            e = e.masked_fill(~mask.unsqueeze(1), -math.inf)
        alpha = e.softmax(dim=-1)
        return alpha @ annotations, alpha

    def extra_repr(self) -> str:
        """Describe the sizes."""
        return f"{self.query_size}, {self.annotation_size}, {self.hidden_size}"


def _check(name: str, value: Tensor, steps: str, size: int) -> None:
    check_tensor(name, value, TypeError)
    if value.dim() != 3 or value.size(-1) != size:
        raise ValueError(f"{name}: expected shape (N, {steps}, {size}), got {tuple(value.shape)}")


def _check_mask(mask: Tensor, N: int, T: int) -> None:
    if not isinstance(mask, Tensor) or mask.dtype != torch.bool:
        got = mask.dtype if isinstance(mask, Tensor) else type(mask).__name__
        raise TypeError(f"mask: expected a Tensor of bool, got {got}")
    if mask.shape != (N, T):
        raise ValueError(f"mask: expected shape {(N, T)}, got {tuple(mask.shape)}")
    if not mask.any(dim=-1).all():
        raise ValueError("mask: expected at least one real step in each sequence, got none in some")
