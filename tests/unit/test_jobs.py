"""Jobs: what may be one, how it is described, and what its parameters accept."""

from __future__ import annotations

import asyncio
import datetime
import enum
import functools
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flask_realtime import job
from flask_realtime.errors import BadParameters, RealtimeError, UnknownJob
from flask_realtime.jobs import Job, JobRegistry, make_job, mark_of

if TYPE_CHECKING:
    from decimal import Decimal as OnlyForTheChecker

Running = Callable[[], bool]


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


def tidy_up(
    running: Running,
    folder: str,
    limit: int = 3,
    share: float = 1,
    dry: bool = False,
    names: list[str] = ["a"],  # noqa: B006 - what a job of a user may look like
    kind: Literal["fast", "safe"] = "fast",
    colour: Colour = Colour.RED,
    target: Path = Path("/tmp"),
    since: datetime.date | None = None,
    level: Annotated[int, msgspec.Meta(ge=1, le=3)] = 1,
) -> None:
    """Tidy a folder up.

    All of it,
        and more.
    """


def test_a_plain_function_is_described_by_its_name_docstring_and_hints() -> None:
    described = make_job(tidy_up).describe()
    assert described["name"] == "tidy_up"
    assert described["title"] == "Tidy up"
    assert described["description"] == "Tidy a folder up.\n\nAll of it,\n    and more."
    assert described["isolation"] == "thread"
    schema = described["parameters"]
    assert isinstance(schema, dict)
    assert schema["type"] == "object"
    assert schema["required"] == ["folder"]
    assert schema["additionalProperties"] is False
    assert list(schema["properties"]) == [
        *("folder", "limit", "share", "dry", "names", "kind"),
        *("colour", "target", "since", "level"),
    ]
    assert schema["properties"]["folder"] == {"type": "string"}
    assert schema["properties"]["limit"] == {"type": "integer", "default": 3}
    assert schema["properties"]["names"]["default"] == ["a"]
    assert schema["properties"]["target"]["default"] == "/tmp"
    assert schema["properties"]["colour"]["default"] == "red"
    assert schema["properties"]["since"]["default"] is None
    assert schema["properties"]["level"]["maximum"] == 3
    json.dumps(described)


def test_parameters_are_converted_and_defaults_filled_in() -> None:
    made = make_job(tidy_up)
    bound = made.bind({"folder": "x", "share": 2, "colour": "blue", "since": "2026-01-31"})
    assert bound == {
        "folder": "x",
        "limit": 3,
        "share": 2.0,
        "dry": False,
        "names": ["a"],
        "kind": "fast",
        "colour": Colour.BLUE,
        "target": Path("/tmp"),
        "since": datetime.date(2026, 1, 31),
        "level": 1,
    }
    assert isinstance(bound["share"], float)
    plain = made.plain(bound)
    assert json.loads(json.dumps(plain)) == plain
    assert (plain["target"], plain["since"], plain["colour"]) == ("/tmp", "2026-01-31", "blue")
    assert made.bind(plain) == bound


def test_a_run_cannot_change_the_default_of_the_next() -> None:
    made = make_job(tidy_up)
    names = made.bind({"folder": "x"})["names"]
    assert isinstance(names, list)
    names.append("b")
    assert made.bind({"folder": "x"})["names"] == ["a"]


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"folder": 5}, ["folder", "str", "5"]),
        ({"folder": "x", "limit": "5"}, ["limit", "int", "'5'"]),
        ({"folder": "x", "limit": True}, ["limit", "int", "True"]),
        ({"folder": "x", "limit": 1.0}, ["limit", "int", "1.0"]),
        ({"folder": "x", "limit": None}, ["limit", "int", "None"]),
        ({"folder": "x", "share": "1.5"}, ["share", "float", "'1.5'"]),
        ({"folder": "x", "dry": 1}, ["dry", "bool", "1"]),
        ({"folder": "x", "dry": "yes"}, ["dry", "bool", "'yes'"]),
        ({"folder": "x", "names": ["a", 1]}, ["names", "list[str]", "1", "[1]"]),
        ({"folder": "x", "kind": "slow"}, ["kind", "'fast', 'safe'", "'slow'"]),
        ({"folder": "x", "colour": "pink"}, ["colour", "'red', 'blue'", "'pink'"]),
        ({"folder": "x", "target": 3}, ["target", "Path", "3"]),
        ({"folder": "x", "since": "soon"}, ["since", "date | None", "'soon'"]),
        ({"folder": "x", "level": 9}, ["level", "int", "<= 3", "9"]),
        ({"folder": "x", "limt": 1}, ["limt", "did you mean 'limit'"]),
        ({"folder": "x", "zzz": 1}, ["zzz", "it takes folder, limit"]),
        ({}, ["folder is missing", "str"]),
        ({"limit": "x", "dry": 2}, ["folder is missing", "limit must be", "dry must be"]),
        ([1], ["params must be an object", "list"]),
        (None, ["params must be an object", "NoneType"]),
    ],
)
def test_a_wrong_parameter_is_named_with_what_is_expected_and_its_value(
    params: Any, said: list[str]
) -> None:
    with pytest.raises(BadParameters) as caught:
        make_job(tidy_up).bind(params)
    for words in said:
        assert words in caught.value.message


def test_a_message_does_not_repeat_megabytes() -> None:
    with pytest.raises(BadParameters) as caught:
        make_job(tidy_up).bind({"folder": "x", "limit": "9" * 5_000_000, "y" * 5_000_000: 1})
    assert len(caught.value.message) < 1000


TIDY_UP = make_job(tidy_up)


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["folder", "limit", "share", "dry", "names", "level", "other"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=5,
        ),
    )
)
def test_any_json_is_either_bound_to_the_hinted_types_or_refused(params: dict[str, object]) -> None:
    try:
        bound = TIDY_UP.bind(params)
    except BadParameters:
        assert params.keys() != {"folder"} or type(params["folder"]) is not str
        return
    assert type(bound["folder"]) is str
    assert type(bound["limit"]) is int
    assert type(bound["share"]) in (float, int)
    assert type(bound["dry"]) is bool


def test_a_job_without_parameters_accepts_only_none() -> None:
    def idle(running: Running) -> None: ...

    made = make_job(idle)
    assert made.bind({}) == {}
    assert made.parameters["properties"] == {}
    with pytest.raises(BadParameters, match="it takes none"):
        made.bind({"x": 1})


class Sweeper:
    """Sweeps."""

    def sweep(self, running: Running, depth: int = 1) -> None:
        """Sweep by method."""

    def __call__(self, running: Running, depth: int = 2) -> None: ...


class AsyncSweeper:
    async def __call__(self, running: Running) -> None:
        """Sweep later."""


async def fetch(running: Running, count: int = 1) -> None:
    """Fetch."""


def test_a_partial_takes_name_and_docstring_of_its_function_and_changes_defaults() -> None:
    made = make_job(functools.partial(functools.partial(tidy_up, limit=9), folder="here"))
    assert (made.name, made.title) == ("tidy_up", "Tidy up")
    assert made.description.startswith("Tidy a folder up.")
    assert made.parameters["required"] == []
    bound = made.bind({})
    assert (bound["limit"], bound["folder"]) == (9, "here")
    made.function(lambda: True, **bound)


def test_a_bound_method_and_a_callable_object_are_jobs() -> None:
    method, instance = make_job(Sweeper().sweep), make_job(Sweeper())
    assert (method.name, method.description, method.bind({})) == (
        "sweep",
        "Sweep by method.",
        {"depth": 1},
    )
    assert (instance.name, instance.description, instance.bind({})) == (
        "Sweeper",
        "Sweeps.",
        {"depth": 2},
    )
    for made in (method, instance):
        made.function(lambda: True, **made.bind({}))


def test_a_coroutine_function_is_seen_through_partials_methods_and_objects() -> None:
    assert make_job(fetch).is_async
    assert make_job(functools.partial(functools.partial(fetch, count=2))).is_async
    assert make_job(AsyncSweeper()).is_async
    assert make_job(functools.partial(AsyncSweeper())).is_async
    assert not make_job(tidy_up).is_async
    assert not make_job(Sweeper()).is_async
    made = make_job(fetch)
    assert asyncio.run(made.function(lambda: True, **made.bind({}))) is None  # type: ignore[arg-type]


def test_a_wrapped_function_keeps_its_signature() -> None:
    @functools.wraps(tidy_up)
    def wrapper(*args: Any, **kwargs: Any) -> None:
        tidy_up(*args, **kwargs)

    assert make_job(wrapper).bind({"folder": "x"})["limit"] == 3


def test_hints_may_name_what_the_surrounding_function_knows() -> None:
    class Local(enum.Enum):
        ONE = "one"

    def inside(running: Running, which: Local) -> None:
        assert which is Local.ONE

    assert make_job(inside).bind({"which": "one"}) == {"which": Local.ONE}


def test_hints_of_running_and_of_the_result_need_not_resolve() -> None:
    def fine(running: NotThere, n: int = 1) -> NorThis: ...  # type: ignore[name-defined]  # noqa: F821

    assert make_job(fine).bind({}) == {"n": 1}


def star(running: Running, *names: str) -> None: ...
def double_star(running: Running, **names: str) -> None: ...
def positional_only(running: Running, n: int, /) -> None: ...
def nothing() -> None: ...
def no_running(folder: str) -> None: ...
def keyword_running(*, running: Running) -> None: ...
def no_hint(running: Running, n=1) -> None: ...  # type: ignore[no-untyped-def]
def unresolvable(running: Running, n: OnlyForTheChecker) -> None: ...
def no_json(running: Running, n: Callable[[], int]) -> None: ...
def bad_default(running: Running, n: int = "one") -> None: ...  # type: ignore[assignment]
def none_default(running: Running, n: str = None) -> None: ...  # type: ignore[assignment]  # noqa: RUF013
def text_for_date(running: Running, n: datetime.date = "2026-01-01") -> None: ...  # type: ignore[assignment]
def nan_default(running: Running, n: float = math.nan) -> None: ...
def generator(running: Running) -> Any:
    yield 1


async def async_generator(running: Running) -> Any:
    yield 1


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (star, r"instead of \*names, name each"),
        (double_star, r"instead of \*\*names, name each"),
        (positional_only, "'n' is positional-only"),
        (nothing, "first parameter must be 'running'"),
        (no_running, "first parameter must be 'running'"),
        (keyword_running, "first parameter must be 'running'"),
        (no_hint, "write, for example, n: int"),
        (unresolvable, "'n' cannot be resolved.*OnlyForTheChecker"),
        (no_json, "no form in JSON"),
        (bad_default, "'n' has the default 'one', which is not int: write n: str"),
        (none_default, "which is not str: write n: str | None"),
        (text_for_date, "which is not date: write n: str"),
        (nan_default, "'n' has the default nan: there is no such number in JSON"),
        (generator, "is a generator"),
        (async_generator, "is a generator"),
        (Sweeper, "is a class"),
        (3, "cannot be called"),
        (lambda running: None, "give one with name="),
        (print, "cannot be a job"),
    ],
)
def test_what_cannot_be_a_job_is_refused_with_place_and_remedy(function: Any, said: str) -> None:
    with pytest.raises(RealtimeError, match=said) as caught:
        JobRegistry().add(function)
    if hasattr(function, "__code__"):
        place = f"{__file__}:{function.__code__.co_firstlineno}"
        assert place in caught.value.message


def test_an_explicit_name_and_title_win() -> None:
    registry = JobRegistry()
    made = registry.add(lambda running: None, name="quick-check", title="Check!")
    assert (made.name, made.title) == ("quick-check", "Check!")
    assert registry.get("quick-check") is made
    assert registry.add(lambda running: None, name="other.one").title == "Other one"


@pytest.mark.parametrize("name", ["a b", "../x", "x" * 101, "a\n"])
def test_a_name_that_would_not_fit_a_url_is_refused(name: str) -> None:
    with pytest.raises(RealtimeError, match="cannot be the name of a job"):
        JobRegistry().add(fetch, name=name)


def test_jobs_come_in_the_order_of_registration() -> None:
    registry = JobRegistry()
    registry.add(tidy_up)
    registry.add(fetch)
    registry.add(Sweeper().sweep, name="again")
    assert [each.name for each in registry] == ["tidy_up", "fetch", "again"]
    assert len(registry) == 3
    assert "fetch" in registry


def test_a_second_job_of_a_name_is_refused_with_both_places() -> None:
    registry = JobRegistry()
    first = registry.add(tidy_up)
    with pytest.raises(RealtimeError, match="already registered") as caught:
        registry.add(star_free, name="tidy_up")
    assert first.source in caught.value.message
    assert f"{__file__}:{star_free.__code__.co_firstlineno}" in caught.value.message
    assert registry.get("tidy_up") is first


def star_free(running: Running) -> None: ...


def test_several_jobs_are_taken_all_or_none() -> None:
    registry = JobRegistry()
    registry.add(tidy_up)
    new: list[Job] = [make_job(fetch), make_job(fetch)]
    with pytest.raises(RealtimeError, match="already registered"):
        registry.extend(new)
    assert [each.name for each in registry] == ["tidy_up"]


@pytest.mark.parametrize("name", ["absent", "", 7, None, ["x"], "y" * 1_000_000])
def test_an_unknown_job_is_told_what_there_is(name: Any) -> None:
    registry = JobRegistry()
    with pytest.raises(UnknownJob, match="there are: none"):
        registry.get(name)
    for number in range(500):
        registry.add(star_free, name=f"job{number}")
    with pytest.raises(UnknownJob, match=r"job0, job1.* and 480 more") as caught:
        registry.get(name)
    assert len(caught.value.message) < 1000


def test_the_decorator_marks_and_changes_nothing_else() -> None:
    @job
    def plain(running: Running) -> str:
        return "called"

    @job(title="Named here", name="other")
    def named(running: Running) -> None: ...

    assert plain(lambda: True) == "called"
    assert mark_of(plain) is not None
    assert mark_of(star_free) is None
    assert (make_job(plain).name, make_job(plain).title) == ("plain", "Plain")
    assert (make_job(named).name, make_job(named).title) == ("other", "Named here")
    assert make_job(named, name="third").name == "third"


def test_the_decorator_marks_a_partial() -> None:
    marked = job(functools.partial(tidy_up, folder="x"))
    assert mark_of(marked) is not None
    assert mark_of(tidy_up) is None


def test_the_decorator_refuses_what_cannot_carry_a_mark() -> None:
    with pytest.raises(RealtimeError, match=r"Realtime\.add"):
        job(Sweeper().sweep)
    with pytest.raises(RealtimeError, match="options are keywords"):
        job("title")  # type: ignore[call-overload]
