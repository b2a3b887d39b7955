"""Numbers, years and minutes in English words, and the names of months and weekdays."""

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
# Written out here: the names in `calendar` follow the locale.
MONTHS = (
    "January February March April May June July August September October November December"
).split()
WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()


def cardinal(n: int) -> str:
    """Write 0 … 99 in words."""
    if n < 20:
        return _ONES[n]
    tens, one = _TENS[n // 10 - 2], n % 10
    return f"{tens}-{_ONES[one]}" if one else tens


def ordinal(n: int) -> str:
    """Write 1 … 99 as an ordinal number in words."""
    head, hyphen, last = cardinal(n).rpartition("-")
    ending = f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th"
    return head + hyphen + _ORDINALS.get(last, ending)


def year(n: int) -> str:
    """Write 1900 … 2099 in words, as it is read aloud."""
    century, rest = divmod(n, 100)
    if 2000 <= n < 2010:
        return "two thousand" + (f" and {cardinal(rest)}" if rest else "")
    if rest == 0:
        return f"{cardinal(century)} hundred"
    return f"{cardinal(century)} {f'oh {cardinal(rest)}' if rest < 10 else cardinal(rest)}"


def minute(n: int) -> str:
    """Write a minute in words, as it is read aloud after the hour."""
    return "o'clock" if n == 0 else f"oh {cardinal(n)}" if n < 10 else cardinal(n)
