"""The dates are written right, split right, and read back; the chance level is what it says."""

import calendar
import dataclasses
import datetime
import math
from collections import Counter

import pytest
import torch

from rnnlib.data.dates import FORMATS, Dates, kind_of, kind_of_answer
from rnnlib.data.dates.formats import FIELDS, write
from rnnlib.data.dates.task import MINUTES
from rnnlib.data.lengths import IGNORE_INDEX

TASK = Dates()


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def only(kind):
    return Dates(formats=[text for text in FORMATS if kind_of(text) == kind])


def iso(moment, kind):
    text = datetime.datetime(*moment).isoformat(timespec="minutes")
    return text[: {"month": 7, "date": 10, "time": 16}[kind]]


# Writing


@pytest.mark.parametrize("day", range(1, 32))
def test_fields_agree_with_the_datetime_module(day):
    moment = (1999, 10, day, day % 24, 2 * day % 60)
    date = datetime.datetime(*moment)
    for name, written in {
        "year": f"{date.year}",
        "year2": date.strftime("%y"),
        "month": str(date.month),
        "day": str(date.day),
        "hour": str(date.hour),
        "minute": date.strftime("%M"),
    }.items():
        unit, spell = FIELDS[name]
        assert spell(getattr(date, unit)) == written
    assert FIELDS["weekday"][1](date.weekday()) == calendar.day_name[date.weekday()]
    assert FIELDS["weekday_short"][1](date.weekday()) == calendar.day_abbr[date.weekday()]


@pytest.mark.parametrize("month", range(1, 13))
def test_month_names_are_those_of_the_calendar(month):
    assert FIELDS["month_name"][1](month) == calendar.month_name[month]
    assert FIELDS["month_short"][1](month) == calendar.month_abbr[month]


@pytest.mark.parametrize(
    ("name", "number", "words"),
    [
        ("day_words", 1, "first"),
        ("day_words", 2, "second"),
        ("day_words", 3, "third"),
        ("day_words", 4, "fourth"),
        ("day_words", 5, "fifth"),
        ("day_words", 8, "eighth"),
        ("day_words", 9, "ninth"),
        ("day_words", 12, "twelfth"),
        ("day_words", 13, "thirteenth"),
        ("day_words", 20, "twentieth"),
        ("day_words", 21, "twenty-first"),
        ("day_words", 30, "thirtieth"),
        ("day_words", 31, "thirty-first"),
        ("year_words", 1900, "nineteen hundred"),
        ("year_words", 1905, "nineteen oh five"),
        ("year_words", 1997, "nineteen ninety-seven"),
        ("year_words", 2000, "two thousand"),
        ("year_words", 2005, "two thousand and five"),
        ("year_words", 2010, "twenty ten"),
        ("year_words", 2040, "twenty forty"),
        ("hour_words", 0, "zero"),
        ("hour_words", 12, "twelve"),
        ("hour_words", 21, "twenty-one"),
        ("minute_words", 0, "o'clock"),
        ("minute_words", 5, "oh five"),
        ("minute_words", 10, "ten"),
        ("minute_words", 35, "thirty-five"),
    ],
)
def test_numbers_in_words(name, number, words):
    assert FIELDS[name][1](number) == words


def test_words_stand_for_one_number_each():
    for name, numbers in {
        "day_words": range(1, 32),
        "year_words": range(1900, 2100),
        "hour_words": range(24),
        "minute_words": range(60),
    }.items():
        assert len({FIELDS[name][1](number) for number in numbers}) == len(numbers)


def test_examples_of_the_formats():
    moment = (1997, 9, 23, 14, 5)
    written = {write(moment, text) for text in FORMATS}
    assert len(written) == len(FORMATS)
    assert {
        "Sep 97",
        "September nineteen ninety-seven",
        "23/9/97",
        "23.9.97",
        "Sep 23, 1997",
        "Tue, September 23, 1997",
        "Tuesday the twenty-third of September nineteen ninety-seven",
        "23.9.97 14:05",
        "the twenty-third of September nineteen ninety-seven, 14:05",
        "23 Sep 1997 at fourteen oh five",
    } <= written


# Reading back


@pytest.mark.parametrize("text", FORMATS)
def test_every_format_is_read_back(text):
    generator = seeded(1)
    for _ in range(200):
        year, month, day = (
            torch.randint(low, high, (), generator=generator).item()
            for low, high in ((1920, 2040), (1, 13), (1, 29))
        )
        moment = (year, month, day, day % 24, 5 * month - 5)
        assert iso(moment, kind_of(text)) in TASK.readings(write(moment, text))


def test_what_is_drawn_can_be_read_back_and_has_at_most_two_readings():
    for part in ("train", "test"):
        for text, answer in TASK.pairs(500, seeded(2), part=part):
            readings = TASK.readings(text)
            assert answer in readings
            assert len(readings) <= 2
            if len(readings) == 2:
                assert int(readings[1][:4]) - int(readings[0][:4]) == 100
                assert readings[0][4:] == readings[1][4:]


def test_two_digits_have_two_readings_where_both_centuries_are_drawn_from():
    assert TASK.readings("26 Oct 25") == ("1925-10-26", "2025-10-26")
    assert TASK.readings("26 Oct 97") == ("1997-10-26",)
    assert Dates(first_year=1950, last_year=2049).readings("26 Oct 25") == ("2025-10-26",)


def test_what_is_no_date_has_no_reading():
    for text in (
        "31 June 1999",
        "29.2.99",
        "Wed, September 23, 1997",
        "23 September 1897",
        "23/9/97 ",
        "tomorrow",
        "",
    ):
        assert TASK.readings(text) == ()
    assert TASK.readings("29.2.96") == ("1996-02-29",)


def test_two_formats_that_differ_in_their_order_give_two_readings():
    task = Dates(formats=("{day}/{month}/{year}", "{month}/{day}/{year}"))
    assert task.readings("3/4/1997") == ("1997-03-04", "1997-04-03")
    assert task.readings("13/4/1997") == ("1997-04-13",)


def test_a_format_may_hold_any_symbol():
    task = Dates(formats=("{day} {month_short} ({year})?",))
    assert task.readings("3 Apr (1997)?") == ("1997-04-03",)
    assert task.readings("3 Apr 1997") == ()


# The parts


def test_the_parts_are_the_same_in_every_version():
    """So that a network trained yesterday is not tested with what it has seen."""
    task = Dates(first_year=1990, last_year=1992)
    assert [str(day) for day in task.days("test")[:3]] == ["1990-01-06", "1990-01-11", "1990-01-19"]
    assert [str(month)[:7] for month in task.months("test")] == ["1990-12", "1991-08", "1992-09"]


def test_no_answer_is_in_both_parts():
    for dates in (TASK.days, TASK.months):
        train, test = dates("train"), dates("test")
        assert not set(train) & set(test)
        assert 0.095 < len(test) / (len(train) + len(test)) < 0.105
    every = sorted(TASK.days("train") + TASK.days("test"))
    assert every[0] == datetime.date(1920, 1, 1) and every[-1] == datetime.date(2039, 12, 31)
    assert len(every) == (every[-1] - every[0]).days + 1
    assert len(TASK.months("train") + TASK.months("test")) == 120 * 12


def test_what_is_drawn_belongs_to_its_part():
    kinds = {7: "months", 10: "days", 16: "days"}
    for part in ("train", "test"):
        own = {name: {d.isoformat() for d in getattr(TASK, name)(part)} for name in ("days",)}
        own["months"] = {d.isoformat()[:7] for d in TASK.months(part)}
        for _, answer in TASK.pairs(400, seeded(3), part=part):
            assert answer[:10] in own[kinds[len(answer)]]


def test_days_for_testing_are_spread_over_weekdays_months_and_years():
    test = TASK.days("test")
    for unit, most in (("year", 120), ("month", 12), ("day", 31)):
        counts = Counter(getattr(day, unit) for day in test)
        assert len(counts) == most
    assert max(Counter(day.weekday() for day in test).values()) < len(test) / 7 * 1.05
    assert max(Counter(day.year for day in test).values()) <= 40
    months = Counter(month.month for month in TASK.months("test"))
    assert len(months) == 12 and max(months.values()) <= 2 * min(months.values())


def test_the_parts_do_not_depend_on_the_years():
    fewer = Dates(first_year=1990, last_year=1999)
    assert set(fewer.days("test")) == {d for d in TASK.days("test") if 1990 <= d.year < 2000}


# Drawing


def test_the_same_seed_draws_the_same_pairs():
    assert TASK.pairs(20, seeded(5)) == TASK.pairs(20, seeded(5))
    assert TASK.pairs(20, seeded(5)) != TASK.pairs(20, seeded(6))
    torch.manual_seed(7)
    first = TASK.pairs(20)
    torch.manual_seed(7)
    assert TASK.pairs(20) == first


def test_all_formats_hours_and_minutes_are_about_as_likely():
    pairs = TASK.pairs(6000, seeded(8))
    lengths = Counter(len(answer) for _, answer in pairs)
    for kind, n in (("month", 7), ("date", 10), ("time", 16)):
        expected = sum(kind_of(text) == kind for text in FORMATS) / len(FORMATS)
        assert abs(lengths[n] / 6000 - expected) < 0.03
    times = [answer[11:] for _, answer in pairs if len(answer) == 16]
    hours = Counter(int(time[:2]) for time in times)
    minutes = Counter(int(time[3:]) for time in times)
    assert set(hours) == set(range(24)) and set(minutes) == set(MINUTES)
    assert max(hours.values()) < 2 * min(hours.values())
    assert max(minutes.values()) < 2 * min(minutes.values())
    spread = [len(text) for text, _ in pairs]
    assert min(spread) == 6 and max(spread) > 58


def test_encoding_pads_shifts_and_can_be_undone():
    pairs = [("3.4.97", "1997-04-03"), ("April 1997", "1997-04")]
    (source, lengths, previous), z = TASK.encode(pairs)
    assert source.shape == (2, 10) and previous.shape == z.shape == (2, 11)
    assert all(x.dtype == torch.int64 for x in (source, lengths, previous, z))
    assert lengths.tolist() == [6, 10]
    for row, (text, answer) in enumerate(pairs):
        n = len(text)
        assert TASK.source_vocabulary.decode(source[row, :n]) == text
        steps = len(answer) + 1
        assert TASK.target_vocabulary.decode(z[row, :steps]) == answer + "$"
        assert TASK.target_vocabulary.decode(previous[row, :steps]) == "^" + answer
        assert (z[row, steps:] == IGNORE_INDEX).all()
        assert (previous[row] >= 0).all()
        assert TASK.decode(z[row, :steps]) == answer
    assert (source[0, 6:] == 0).all()
    assert previous[0, 0] == TASK.start and z[1, 7] == TASK.end
    assert TASK.decode([TASK.target_vocabulary.symbols.index("1"), TASK.end, TASK.start]) == "1"


def test_max_steps_is_that_of_the_longest_answer():
    assert TASK.max_steps == 17
    assert only("date").max_steps == 11


def test_sample_is_pairs_and_encode():
    (source, lengths, previous), z = TASK.sample(6, seeded(9), part="test")
    (again, n, before), y = TASK.encode(TASK.pairs(6, seeded(9), part="test"))
    for one, other in ((source, again), (lengths, n), (previous, before), (z, y)):
        assert torch.equal(one, other)


def test_batches_hold_what_was_drawn_with_little_padding():
    batches = TASK.batches(20, 16, seeded(10))
    assert len(batches) == 20
    real = padded = 0
    for (source, lengths, previous), z in batches:
        assert len(source) == len(lengths) == len(previous) == len(z) == 16
        real, padded = real + lengths.sum().item(), padded + source.numel()
    assert padded < 1.5 * real
    sample = TASK.sample(320, seeded(10))[0]
    assert sample[0].numel() > 2 * sample[1].sum()
    means = torch.tensor([lengths.float().mean() for (_, lengths, _), _ in batches[:8]])
    assert not torch.equal(means, means.sort().values)  # not from short to long
    assert means.max() > 3 * means.min()
    # Nothing is lost in the sorting: the first pool is drawn as by `pairs`.
    answers = Counter(
        TASK.decode(row[row >= 0]) for _, z in TASK.batches(8, 16, seeded(11)) for row in z
    )
    assert answers == Counter(answer for _, answer in TASK.pairs(128, seeded(11)))


def test_the_kind_of_the_formats_is_that_of_the_answers():
    assert TASK.kinds == ("month", "date", "time")
    for kind, n in (("month", 7), ("date", 10), ("time", 16)):
        task = only(kind)
        assert task.kinds == (kind,)
        assert {len(answer) for _, answer in task.pairs(50, seeded())} == {n}
    assert sum(len(only(kind).formats) for kind in TASK.kinds) == len(FORMATS)


def test_answers_are_of_the_kind_that_their_format_says():
    for kind in TASK.kinds:
        pairs = only(kind).pairs(30, seeded(2))
        assert {kind_of_answer(answer) for _, answer in pairs} == {kind}
    with pytest.raises(TypeError, match="answer: expected a string, got int"):
        kind_of_answer(1997)
    with pytest.raises(ValueError, match="expected 7, 10 or 16 symbols, got '1997-9'"):
        kind_of_answer("1997-9")


# Chance


def test_chance_is_the_entropy_of_the_answers():
    task = Dates(
        first_year=1990, last_year=1991, formats=("{month_name} {year}", "{day}.{month}.{year}")
    )
    months, days = len(task.months("train")), len(task.days("train"))
    answers = [0.5 / months] * months + [0.5 / days] * days
    entropy = -sum(p * math.log(p) for p in answers)
    assert math.isclose(task.chance, entropy / (0.5 * 8 + 0.5 * 11))
    assert math.isclose(task.chance_accuracy, 0.5 / months)


def test_no_blind_answer_beats_chance_and_the_best_one_reaches_it():
    """Count continuations in many answers: that is the best blind model, told what came before."""
    task = Dates(first_year=1990, last_year=1990, formats=("{month_name} {year}",))
    answers = [answer + "$" for _, answer in task.pairs(4000, seeded(1))]
    counts = Counter(answer[:i] for answer in answers for i in range(len(answer) + 1))
    loss = [
        math.log(counts[answer[:i]] / counts[answer[: i + 1]])
        for answer in answers
        for i in range(len(answer))
    ]
    assert abs(sum(loss) / len(loss) - task.chance) < 0.005


def test_num_answers():
    assert TASK.num_answers("month") == len(TASK.months("train"))
    assert TASK.num_answers("date", "test") == len(TASK.days("test"))
    assert TASK.num_answers("time") == 288 * len(TASK.days("train"))


# Errors


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Dates(first_year="1990"), TypeError, "first_year: expected an int, got str"),
        (lambda: Dates(first_year=1800), ValueError, "expected at least 1900, got 1800"),
        (lambda: Dates(last_year=1919), ValueError, "expected at least 1920, got 1919"),
        (lambda: Dates(last_year=2100), ValueError, "expected at most 2099, got 2100"),
        (lambda: Dates(formats="{day}"), TypeError, "expected a tuple of str, got str"),
        (lambda: Dates(formats=()), ValueError, "at least one, got none"),
        (lambda: Dates(formats=(3,)), TypeError, "expected strings, got int"),
        (lambda: Dates(formats=("{days}",)), ValueError, "expected fields among year"),
        (lambda: Dates(formats=("{day",)), ValueError, "got '{day'"),
        (lambda: Dates(formats=("{year}-{year2}",)), ValueError, "each number once"),
        (lambda: Dates(formats=("{year}",)), ValueError, "expected year and month"),
        (lambda: Dates(formats=("{day}.{month}",)), ValueError, "got '{day}.{month}'"),
        (lambda: Dates(formats=("{month}/{year} {hour}:{minute}",)), ValueError, "expected year"),
        (lambda: Dates(formats=("{weekday} {month}/{year}",)), ValueError, "expected year"),
        (lambda: TASK.days("both"), ValueError, "'train' or 'test', got 'both'"),
        (lambda: TASK.months("both"), ValueError, "'train' or 'test', got 'both'"),
        (lambda: TASK.num_answers("year"), ValueError, "got 'year'"),
        (lambda: TASK.pairs(0), ValueError, "at least 1, got 0"),
        (lambda: TASK.pairs(2, 3), TypeError, "expected a torch.Generator or None, got int"),
        (lambda: TASK.pairs(2, part="all"), ValueError, "got 'all'"),
        (lambda: TASK.batches(0, 4), ValueError, "num_batches must be greater than zero"),
        (lambda: TASK.batches(2, 0), ValueError, "batch_size must be greater than zero"),
        (lambda: TASK.readings(3), TypeError, "expected a string, got int"),
        (lambda: TASK.encode_sources("3.4.97"), TypeError, "got one string"),
        (lambda: TASK.encode_sources([]), ValueError, "got []"),
        (lambda: TASK.encode_sources(["3.4.97", ""]), ValueError, "none of them empty"),
        (lambda: TASK.encode_sources(["3.4.97?"]), ValueError, "got '?' at position 6"),
        (lambda: TASK.encode([("3.4.97", "1997x")]), ValueError, "got 'x' at position 4"),
        (lambda: write((1999, 2, 29, 0, 0), "{day} {month} {year}"), ValueError, "(1999, 2"),
        (lambda: write((1999, 2, 2, 24, 0), "{day} {month} {year}"), ValueError, "(24, 0)"),
        (lambda: write((1999, 2, 2, 0, 0), "{day}"), ValueError, "got '{day}'"),
    ],
)
def test_errors_say_what_was_expected_and_what_came(make, error, message):
    with pytest.raises(error) as raised:
        make()
    assert message in str(raised.value)


def test_a_task_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        TASK.first_year = 2000
