"""Parameters: what a form is told of each type, and that a run's values can be given again."""

from __future__ import annotations

import datetime
import enum
import functools
import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Meta

from flask_realtime import MultiLine, Secret, Upload
from flask_realtime.errors import BadParameters, RealtimeError
from flask_realtime.jobs import Job, make_job, mark_of
from flask_realtime.parameters import UploadId
from flask_realtime.parameters.schema import with_max_bytes
from flask_realtime.parameters.values import (
    DEEPEST,
    LARGEST,
    MOST_CHARACTERS,
    MOST_ITEMS,
)

Running = Callable[[], bool]
ROOT = Path(__file__).resolve().parents[2]
ID = "0123456789abcdef" * 2


class Size(enum.Enum):
    """How much."""

    SMALL = "s"
    LARGE = "l"
    HUGE = "h"


class Level(enum.IntEnum):
    HIGH = 3
    LOW = 1


@dataclass
class Range:
    first: int
    last: int = 9


def job_of(hint: Any, *default: object) -> Job:
    """A job with the one parameter `x`."""

    def takes(running: Running, x: Any) -> None: ...

    takes.__annotations__["x"] = hint
    takes.__defaults__ = default or None
    return make_job(takes)


def schema_of(hint: Any, *default: object) -> dict[str, Any]:
    properties: Any = job_of(hint, *default).parameters["properties"]
    described: dict[str, Any] = properties["x"]
    return described


@pytest.mark.parametrize(
    ("hint", "described"),
    [
        (str, {"type": "string"}),
        (int, {"type": "integer"}),
        (float, {"type": "number"}),
        (bool, {"type": "boolean"}),
        (Path, {"type": "string", "format": "path"}),
        (datetime.date, {"type": "string", "format": "date"}),
        (datetime.datetime, {"type": "string", "format": "date-time-local"}),
        (datetime.time, {"type": "string", "format": "time-local"}),
        (Annotated[datetime.datetime, Meta(tz=True)], {"type": "string", "format": "date-time"}),
        (Annotated[datetime.time, Meta(tz=True)], {"type": "string", "format": "time"}),
        (
            datetime.datetime | None,
            {"anyOf": [{"type": "string", "format": "date-time-local"}, {"type": "null"}]},
        ),
        (
            list[datetime.time],
            {"type": "array", "items": {"type": "string", "format": "time-local"}},
        ),
        (Literal["slow", "fast", 3], {"enum": ["slow", "fast", 3]}),
        (MultiLine, {"type": "string", "format": "multi-line"}),
        (
            Annotated[MultiLine, Meta(max_length=9, description="Notes.")],
            {
                **{"type": "string", "format": "multi-line", "maxLength": 9},
                "description": "Notes.",
            },
        ),
        (Secret, {"type": "string", "format": "password", "writeOnly": True}),
        (
            Annotated[Secret, Meta(min_length=8, title="Key")],
            {
                **{"type": "string", "format": "password", "writeOnly": True},
                **{"minLength": 8, "title": "Key"},
            },
        ),
        (
            Secret | None,
            {
                "anyOf": [
                    {"type": "string", "format": "password", "writeOnly": True},
                    {"type": "null"},
                ]
            },
        ),
        (
            Annotated[Path, Upload(max_mib=0.5), Meta(description="A CSV file.")],
            {
                **{"type": "string", "format": "upload", "maxBytes": 524_288},
                "description": "A CSV file.",
            },
        ),
        (
            Annotated[int, Meta(ge=1, lt=10, multiple_of=2, examples=[4])],
            {
                **{"type": "integer", "minimum": 1, "exclusiveMaximum": 10},
                **{"multipleOf": 2, "examples": [4]},
            },
        ),
        (Annotated[float, Meta(gt=0, le=1)], {"exclusiveMinimum": 0, "maximum": 1}),
        (
            Annotated[str, Meta(min_length=1, max_length=5, pattern="^a")],
            {"type": "string", "minLength": 1, "maxLength": 5, "pattern": "^a"},
        ),
        (
            Annotated[list[Annotated[int, Meta(ge=0)]], Meta(min_length=1, max_length=3)],
            {
                **{"type": "array", "items": {"type": "integer", "minimum": 0}},
                **{"minItems": 1, "maxItems": 3},
            },
        ),
    ],
    ids=str,
)
def test_the_schema_has_what_a_form_needs(hint: Any, described: dict[str, Any]) -> None:
    schema = schema_of(hint)
    assert {name: schema.get(name) for name in described} == described
    json.dumps(schema, allow_nan=False)


def test_a_form_is_told_the_bound_of_the_server_where_that_is_less() -> None:
    def takes(
        running: Running,
        small: Annotated[Path, Upload(max_mib=1)],
        large: Annotated[Path, Upload(max_mib=9)] | None = None,
        number: int = 1,
    ) -> None: ...

    schema = make_job(takes).parameters
    before = json.dumps(schema)
    told = with_max_bytes(schema, 2 << 20)
    assert told["properties"]["small"]["maxBytes"] == 1 << 20
    assert told["properties"]["large"]["anyOf"][0]["maxBytes"] == 2 << 20
    assert told["properties"]["number"] == {"type": "integer", "default": 1}
    assert json.dumps(schema) == before
    assert with_max_bytes(schema, 1 << 30) == schema


@pytest.mark.parametrize(
    ("hint", "order"), [(Size, ["s", "l", "h"]), (Level, [3, 1]), (Size | None, ["s", "l", "h"])]
)
def test_choices_come_in_the_order_in_which_they_were_written(hint: Any, order: list[Any]) -> None:
    definitions: Any = job_of(hint).parameters["$defs"]
    (definition,) = definitions.values()
    assert definition["enum"] == order


def test_the_jobs_of_the_documentation_are_jobs() -> None:
    text = (ROOT / "docs" / "parameters.md").read_text("utf-8")
    found = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    examples = [example for example in found if "@job" in example]
    assert len(examples) >= 2
    for example in examples:
        names: dict[str, Any] = {}
        exec(compile(example, "parameters.md", "exec"), names)
        marked = [value for value in names.values() if mark_of(value) is not None]
        assert [make_job(value).parameters for value in marked]


# Values that are given again

TEXTS = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), max_size=20)
NUMBERS = st.integers(-LARGEST, LARGEST)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
MOMENTS = st.datetimes(timezones=st.none() | st.just(datetime.timezone.utc))
TYPES: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (str, TEXTS),
    (MultiLine, TEXTS),
    (int, NUMBERS),
    (float, FLOATS),
    (bool, st.booleans()),
    (int | float | None, NUMBERS | FLOATS | st.none()),
    (Size, st.sampled_from(Size)),
    (Level | None, st.sampled_from([*Level, None])),
    (Literal["a", 1, None], st.sampled_from(["a", 1, None])),
    (datetime.date, st.dates()),
    (datetime.time, st.times()),
    (datetime.datetime, MOMENTS),
    (datetime.timedelta, st.timedeltas(max_value=datetime.timedelta(days=999_999))),
    (Path, TEXTS.map(Path)),
    (list[int], st.lists(NUMBERS, max_size=9)),
    (list[datetime.date], st.lists(st.dates(), max_size=9)),
    (list[Size], st.lists(st.sampled_from(Size), max_size=9)),
    (tuple[int, str], st.tuples(NUMBERS, TEXTS)),
    (set[str], st.sets(TEXTS, max_size=9)),
    (dict[str, float], st.dictionaries(TEXTS, FLOATS, max_size=9)),
    (dict[int, bool], st.dictionaries(NUMBERS, st.booleans(), max_size=9)),
    (bytes, st.binary(max_size=20)),
    (Range, st.builds(Range, NUMBERS, NUMBERS)),
    (Annotated[int, Meta(ge=1, le=3)] | None, st.sampled_from([1, 2, 3, None])),
]


@functools.cache
def job_number(index: int) -> Job:
    return job_of(TYPES[index][0])


@settings(deadline=None, max_examples=400)
@given(st.data())
def test_what_a_record_shows_can_be_given_again(data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(TYPES) - 1))
    made, value = job_number(index), data.draw(TYPES[index][1])
    # A client sends JSON, and gets the record as JSON.
    bound = made.bind(json.loads(msgspec.json.encode({"x": to_send(value)})))
    record = json.loads(json.dumps(made.plain(bound), allow_nan=False))
    again = made.bind(record)
    assert again == bound
    assert type(again["x"]) is type(bound["x"])
    assert made.unwire(json.loads(json.dumps(made.wire(bound)))) == bound
    if not isinstance(value, datetime.timedelta):  # its text has fewer digits than a second has
        assert bound["x"] == value


def to_send(value: Any) -> Any:
    return msgspec.to_builtins(value, enc_hook=str, str_keys=True)


def test_a_time_of_day_without_seconds_is_taken_as_browsers_send_it() -> None:
    assert job_of(datetime.time).bind({"x": "10:05"})["x"] == datetime.time(10, 5)
    moment = datetime.datetime(2026, 1, 31, 10, 5)
    assert job_of(datetime.datetime | None).bind({"x": "2026-01-31T10:05"})["x"] == moment


@pytest.mark.parametrize("hint", [datetime.time, datetime.datetime])
@pytest.mark.parametrize("text", ["10", "25:00", "2026-02-30T10:00", "soon", ":", ""])
def test_other_texts_are_no_time(hint: Any, text: str) -> None:
    with pytest.raises(BadParameters, match=r"x must be (date)?time, not "):
        job_of(hint).bind({"x": text})


# Secrets


def test_the_job_gets_a_secret_that_does_not_show() -> None:
    made = job_of(Secret)
    bound = made.bind({"x": "correct horse"})
    secret = bound["x"]
    assert isinstance(secret, Secret)
    assert secret == "correct horse"
    assert f"{secret}" == str(secret) == "correct horse"
    assert "correct" not in f"{secret!r} {bound} {[secret]}"
    assert made.secrets(bound) == ["correct horse"]
    assert type(made.secrets(bound)[0]) is str


def test_a_secret_is_not_in_the_record_and_crosses_to_a_child() -> None:
    made = job_of(Secret | None, None)
    bound = made.bind({"x": "correct horse"})
    assert made.plain(bound) == {"x": "***"}
    assert made.wire(bound) == {"x": "correct horse"}
    assert type(made.wire(bound)["x"]) is str
    there = made.unwire(json.loads(json.dumps(made.wire(bound))))
    assert there == bound
    assert isinstance(there["x"], Secret)
    assert (made.bind({}), made.plain({"x": None}), made.secrets({"x": None})) == (
        {"x": None},
        {"x": None},
        [],
    )


def test_what_the_record_shows_is_not_taken_for_the_secret() -> None:
    made = job_of(Secret)
    with pytest.raises(BadParameters, match="give it again"):
        made.bind(made.plain(made.bind({"x": "correct horse"})))


@pytest.mark.parametrize("value", [12345678, ["12345678"], "12345678\0", "12345678\ud800", "1234"])
def test_a_message_does_not_show_a_secret(value: Any) -> None:
    with pytest.raises(BadParameters, match=r"x must be Secret, not \*\*\* \(") as caught:
        job_of(Annotated[Secret, Meta(min_length=5)]).bind({"x": value})
    assert "1234" not in caught.value.message


def test_a_message_about_other_parameters_does_not_show_a_secret() -> None:
    def takes(running: Running, password: Secret, n: int) -> None: ...

    with pytest.raises(BadParameters) as caught:
        make_job(takes).bind({"password": "correct horse", "n": "x", "passwort": "correct horse"})
    assert "correct" not in caught.value.message


def test_an_empty_secret_is_one_and_masks_nothing() -> None:
    made = job_of(Secret)
    assert made.bind({"x": ""}) == {"x": ""}
    assert made.secrets(made.bind({"x": ""})) == []
    assert made.plain(made.bind({"x": ""})) == {"x": "***"}


# Uploads


def test_an_upload_is_an_id_until_a_run_claims_it() -> None:
    made = job_of(Annotated[Path, Upload(max_mib=2)])
    bound = made.bind({"x": ID})
    assert isinstance(bound["x"], UploadId)
    assert bound == {"x": ID}
    assert made.plain(bound) == {"x": None}
    assert made.uploads["x"].max_bytes == 2 << 20


def test_the_path_of_an_upload_crosses_to_a_child() -> None:
    made = job_of(Annotated[Path, Upload()] | None, None)
    bound: dict[str, object] = {"x": Path("/there/a file.csv")}
    assert made.wire(bound) == {"x": "/there/a file.csv"}
    assert made.unwire(made.wire(bound)) == bound
    assert made.unwire(made.wire({"x": None})) == {"x": None}


@pytest.mark.parametrize("value", ["/etc/passwd", "../x", "", ID + "\n", ID.upper(), {}, 3, None])
def test_a_client_cannot_give_a_path_for_an_upload(value: Any) -> None:
    with pytest.raises(BadParameters, match="x must be the id of an upload"):
        job_of(Annotated[Path, Upload()]).bind({"x": value})


@pytest.mark.parametrize("size", [0, -1, math.nan, math.inf, "10", True, None])
def test_a_wrong_bound_of_an_upload_is_refused(size: Any) -> None:
    with pytest.raises(RealtimeError, match="expected a number above 0"):
        Upload(max_mib=size)


@pytest.mark.parametrize(
    ("hint", "default", "said"),
    [
        (Secret, ("hunter2!",), "'x' is a secret: a default would give it away"),
        (Annotated[Path, Upload()], (Path("a"),), "an upload has none but None"),
        (Secret, (None,), "which is not Secret: write x: Secret | None"),
        (list[Secret], (), "a secret stands alone"),
        (dict[str, Secret | None], (), "a secret stands alone"),
        (int | Secret, (), "a secret stands alone"),
        (list[Annotated[Path, Upload()]], (), "an upload stands alone"),
        (Upload, (), r"write x: Annotated\[Path, Upload\(\)\]"),
        (Annotated[str, Upload()], (), r"write x: Annotated\[Path, Upload\(\)\]"),
        (Annotated[Path, Upload], (), "an upload stands alone"),
        (int, (2**53,), "are not exact in a browser|which is not int"),
        (str, ("a\0b",), "has a NUL character"),
        (str, ("\ud800",), "half of a surrogate pair"),
        (list[float], ([math.inf],), "no such number in JSON"),
        (Annotated[int, Meta(min_length=1)], (), "Can only set `min_length`"),
        (Annotated[int, Meta(ge=3)], (2,), "which is not int"),
    ],
    ids=str,
)
def test_what_cannot_be_a_parameter_is_refused_when_the_job_is_made(
    hint: Any, default: tuple[object, ...], said: str
) -> None:
    with pytest.raises(RealtimeError, match=said) as caught:
        job_of(hint, *default)
    assert "hunter2!" not in caught.value.message


def test_a_secret_in_a_class_is_refused() -> None:
    @dataclass
    class Login:
        user: str
        password: Secret

    with pytest.raises(RealtimeError, match="a secret stands alone"):
        job_of(list[Login])


T = TypeVar("T")


@dataclass
class Pair(Generic[T]):
    first: T
    file: Annotated[Path, Upload()]


def test_an_upload_in_a_generic_class_is_refused() -> None:
    with pytest.raises(RealtimeError, match="an upload stands alone"):
        job_of(dict[str, Pair[int]])


# Hostile values


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


HOSTILE = [
    "a\0b",
    "\ud800",
    ["a", "b\0"],
    {"a\0": 1},
    {"\udfff": 1},
    math.nan,
    math.inf,
    -math.inf,
    [1.0, math.nan],
    10**400,
    -(10**5000),
    [2**2000],
    nested(DEEPEST + 1),
    nested(900),
    [0] * (MOST_ITEMS + 1),
    [[]] * (MOST_ITEMS + 1),
    [0] * 1_000_000,
    {str(number): 1 for number in range(MOST_ITEMS + 1)},
    "x" * (MOST_CHARACTERS + 1),
    ["x" * 1000] * 1000,
    b"bytes",
    {1, 2},
    object(),
]


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize(
    "hint",
    [
        *(str, int, float, bool, Path, Size, Literal["a"], datetime.date, datetime.datetime),
        *(list[str], list[float], list[Any], dict[str, Any], Any, Secret, MultiLine),
        Annotated[Path, Upload()],
    ],
    ids=str,
)
def test_hostile_values_are_refused_with_a_short_reason(hint: Any, value: Any) -> None:
    with pytest.raises(BadParameters, match="x must be ") as caught:
        job_of(hint).bind({"x": value})
    assert len(caught.value.message) < 1000
    caught.value.message.encode()


def test_bounds_hold_for_all_values_of_a_start_together() -> None:
    def takes(running: Running, a: list[int], b: list[int]) -> None: ...

    made = make_job(takes)
    half = [0] * (MOST_ITEMS // 2)
    made.bind({"a": half, "b": half})
    with pytest.raises(BadParameters, match=r"^all lists .* more than 10,000 items$"):
        made.bind({"a": half, "b": [*half, 0]})


def test_texts_that_are_too_long_together_are_refused_in_one_sentence() -> None:
    def takes(
        running: Running, lit: Literal["a"], long: str, more: str, other: str, number: int = 1
    ) -> None: ...

    made = make_job(takes)
    half = "x" * (MOST_CHARACTERS // 2)
    values = {"lit": "a", "long": half, "more": half, "other": "z"}
    said = "all texts together have more than 65,536 characters; a job can take an upload instead"
    with pytest.raises(BadParameters) as caught:
        made.bind(values)
    assert caught.value.message == said
    with pytest.raises(BadParameters) as caught:
        made.bind(values | {"number": "one"})
    assert caught.value.message.startswith(f"{said}; number must be int, not 'one'")
    with pytest.raises(BadParameters, match=r"^long must be str, not 'xxx") as caught:
        made.bind(values | {"long": half + half + "x", "more": ""})
    assert "lit" not in caught.value.message


def test_what_is_just_within_the_bounds_is_taken() -> None:
    assert job_of(Any).bind({"x": nested(DEEPEST)})
    assert job_of(str).bind({"x": "x" * MOST_CHARACTERS})
    assert job_of(list[int]).bind({"x": [0] * MOST_ITEMS})
    assert job_of(int).bind({"x": LARGEST}) == {"x": LARGEST}
    assert job_of(float).bind({"x": 10**300})["x"] == 1e300
    assert job_of(str).bind({"x": "a\nb\t\x1b[1m\u2028\U0001f600"})


@pytest.mark.parametrize("value", [LARGEST + 1, -LARGEST - 1, 2**64])
@pytest.mark.parametrize("hint", [int, Any])
def test_a_whole_number_that_a_browser_would_change_is_refused(hint: Any, value: int) -> None:
    with pytest.raises(BadParameters, match="not exact in a browser"):
        job_of(hint).bind({"x": value})
    with pytest.raises(BadParameters, match="not exact in a browser"):
        job_of(list[hint]).bind({"x": [value]})


def test_a_message_about_a_number_of_thousands_of_digits_is_short() -> None:
    with pytest.raises(BadParameters, match="a number of hundreds of digits"):
        job_of(int).bind({"x": 10**5000})


def test_of_many_unknown_names_only_the_first_are_looked_at() -> None:
    class Counted(dict[str, object]):
        looked_at = 0

        def __iter__(self) -> Iterator[str]:
            for name in super().__iter__():
                self.looked_at += 1
                yield name

    values = Counted({f"unknown {number}": 1 for number in range(100_000)})
    with pytest.raises(BadParameters, match="there is no parameter") as caught:
        job_of(str).bind(values)
    assert len(caught.value.message) < 2000
    assert values.looked_at < 20
