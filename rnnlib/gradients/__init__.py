"""How gradients travel through time, what one step does to them, and clipping, by hand.

`through_time` measures a layer: how each state depends on the one before, and how far an error
reaches back. `factors` measures what one step multiplies a gradient by, from a matrix or from
values of h. `clipping` holds the twins of `torch.nn.utils`.
"""

from rnnlib.gradients.clipping import clip_grad_norm_, clip_grad_value_
from rnnlib.gradients.factors import (
    largest_singular_value,
    mean_slope,
    saturation,
    spectral_radius,
)
from rnnlib.gradients.through_time import gradient_by_lag, jacobian_product, step_jacobians

__all__ = [
    "clip_grad_norm_",
    "clip_grad_value_",
    "gradient_by_lag",
    "jacobian_product",
    "largest_singular_value",
    "mean_slope",
    "saturation",
    "spectral_radius",
    "step_jacobians",
]
