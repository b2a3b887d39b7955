"""Several numbers, said in a few words."""

from rnnlib.page.arguments import numbers


def span(values, spec: str = ".2f") -> str:
    """Say the least and the greatest of several numbers, or the one number that both print as.

    Parameters
    ----------
    values : sequence, array or tensor of numbers, (n,)
        Such as one for each seed.
    spec : str, optional
        How Python formats each of the two; "z.2f" leaves out the sign of "-0.00".

    Returns
    -------
    str
        "0.12 to 0.34", or "0.12".

    Raises
    ------
    TypeError
        For what are no numbers.
    ValueError
        For no numbers, other than one dimension, nan or inf, or what is no format of numbers.
    """
    numbers("values", values, 1, finite=True)
    plain = [value.item() if hasattr(value, "item") else value for value in values]
    try:
        low, high = (format(value, spec) for value in (min(plain), max(plain)))
    except ValueError as error:
        raise ValueError(f"spec: expected a format such as '.2f', got {spec!r}") from error
    return low if low == high else f"{low} to {high}"
