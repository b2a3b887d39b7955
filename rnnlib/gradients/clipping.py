"""Clipping of gradients, written by hand: the twins of two functions of torch.nn.utils."""

import types
import warnings
from collections.abc import Iterable

import torch
from torch import Tensor


def _gradients(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    """Return the gradients of those parameters that have one."""
    is_generator = isinstance(parameters, types.GeneratorType)
    if isinstance(parameters, Tensor):
        parameters = [parameters]
    elif not isinstance(parameters, Iterable):
        raise TypeError(
            "parameters: expected a Tensor or several, such as model.parameters(), "
            f"got {type(parameters).__name__}"
        )
    parameters = list(parameters)
    if is_generator and not parameters:
        warnings.warn("`parameters` is an empty generator: nothing is clipped", stacklevel=4)
    for parameter in parameters:
        if not isinstance(parameter, Tensor):
            raise AttributeError(
                f"parameters: expected Tensors, got {type(parameter).__name__} among them; "
                "model.parameters() gives the tensors alone"
            )
    gradients = [p.grad for p in parameters if p.grad is not None]
    for g in gradients:
        if g.layout != torch.strided:
            raise NotImplementedError(
                f"parameters: expected dense gradients, got one of layout {g.layout}; "
                "an Embedding without sparse=True has dense ones"
            )
    return gradients


def _number(name: str, value: float) -> float:
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: expected a number, got {value!r}") from None


@torch.no_grad()
def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    r"""Shorten all gradients by one common factor if together they are longer than `max_norm`.

    .. math:: g \leftarrow g \cdot
        \min\left(1, \frac{\text{max\_norm}}{\lVert g \rVert + 10^{-6}}\right)

    Here g is one vector, the gradients of all parameters joined, so its direction is kept. The
    function equals :func:`torch.nn.utils.clip_grad_norm_`.

    Parameters
    ----------
    parameters : iterable of Tensor, or Tensor
        Their ``.grad`` is changed in place; parameters without one are passed over. A parameter
        that is named twice counts twice and is shortened twice, as in PyTorch.
    max_norm : float
        The threshold. With ``float("inf")`` the norm is measured and nothing shortened.
    norm_type : float, default 2.0
        Which p-norm; ``float("inf")`` takes the largest absolute value.
    error_if_nonfinite : bool, default False
        Whether a norm that is nan or infinite is an error. If it is not, an infinite norm turns
        infinite gradients into nan and all others into 0, and nan turns everything into nan.
    foreach : bool, optional
        Here without effect. In PyTorch it decides whether many tensors share one call, which is
        faster and gives the same result.

    Returns
    -------
    Tensor, ()
        The norm before clipping; 0 if there are no gradients.

    Raises
    ------
    RuntimeError
        If the norm is not finite and `error_if_nonfinite` is set. No gradient is changed then.
    TypeError, AttributeError, ValueError
        For what is no tensor, and for what is no number.
    NotImplementedError
        For sparse gradients.

    Notes
    -----
    Algorithm 1 of Pascanu et al. [1]_.

    .. [1] R. Pascanu, T. Mikolov and Y. Bengio, "On the difficulty of training recurrent neural
       networks", ICML 2013.
    """
    max_norm, norm_type = _number("max_norm", max_norm), _number("norm_type", norm_type)
    gradients = _gradients(parameters)
    if not gradients:
        return torch.tensor(0.0)
    # The norm of the norms is the norm of all entries in one long vector.
    device = gradients[0].device
    norms = [torch.linalg.vector_norm(g, norm_type).to(device) for g in gradients]
    total_norm = torch.linalg.vector_norm(torch.stack(norms), norm_type)
    if error_if_nonfinite and not total_norm.isfinite():
        raise RuntimeError(
            f"clip_grad_norm_: Expected the gradients' norm of order {norm_type} to be finite, "
            f"got {total_norm.item()}; error_if_nonfinite=False clips with it all the same"
        )
    coefficient = (max_norm / (total_norm + 1e-6)).clamp(max=1.0)
    for g in gradients:
        g.mul_(coefficient.to(g.device))
    return total_norm


@torch.no_grad()
def clip_grad_value_(
    parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None
) -> None:
    r"""Cut every entry of every gradient off at ±`clip_value`.

    .. math:: g_i \leftarrow \min(\max(g_i, -\text{clip\_value}), \text{clip\_value})

    Entries are cut one by one, so the gradient's direction may change. The function equals
    :func:`torch.nn.utils.clip_grad_value_`; without any gradient it does nothing.

    Parameters
    ----------
    parameters : iterable of Tensor, or Tensor
        Their ``.grad`` is changed in place; parameters without one are passed over.
    clip_value : float
        The largest absolute value that is left; nan stays nan.
    foreach : bool, optional
        Here without effect, as in `clip_grad_norm_`.

    Raises
    ------
    TypeError, AttributeError, ValueError
        For what is no tensor, and for what is no number.
    NotImplementedError
        For sparse and for complex gradients. No gradient is changed then.
    """
    clip_value = _number("clip_value", clip_value)
    gradients = _gradients(parameters)
    for g in gradients:
        if g.is_complex():
            raise NotImplementedError(
                f"clip_grad_value_: Expected real gradients, got {g.dtype}, whose entries are "
                "neither above nor below a value; clip_grad_norm_ takes them"
            )
    for g in gradients:
        g.clamp_(-clip_value, clip_value)
