"""One parameter: its type, and the check and conversion of its values."""

from __future__ import annotations

import datetime
import re
from pathlib import Path, PurePath
from typing import Any

import msgspec

from flask_realtime.parameters.hints import annotated, in_words, inside, optional, outline
from flask_realtime.parameters.inputs import Secret, Upload, UploadId
from flask_realtime.parameters.values import inexact_in

MASK = "***"  # what a record has in the place of a secret
# What browsers make of a time of day that has no seconds.
_WITHOUT_SECONDS = re.compile(r"(\d{4}-\d\d-\d\d[T ])?\d\d:\d\d")


class Parameter:
    """One keyword of a job. `default` is `inspect.Parameter.empty` where a value must be given.

    `wire_type` is what its values are in JSON, for msgspec. Raises TypeError for a type that
    cannot be a parameter's.
    """

    def __init__(self, name: str, type: Any, default: object) -> None:
        self.name = name
        self.type = type
        self.default = default
        whole = outline(type)
        self.secret = whole.kind is Secret
        self.upload = next((note for note in whole.notes if isinstance(note, Upload)), None)
        self._lacks_seconds = whole.kind in (datetime.datetime, datetime.time)
        self.wire_type = type
        if self.secret:
            hidden = msgspec.Meta(extra_json_schema={"format": "password", "writeOnly": True})
            self._be_text(annotated(str, hidden, *whole.notes), whole.optional)
        elif self.upload is not None:
            if whole.kind is not Path:
                raise TypeError(f"an upload is a Path: write {name}: Annotated[Path, Upload()]")
            notes = [note for note in whole.notes if isinstance(note, msgspec.Meta)]
            told = {"format": "upload", "maxBytes": self.upload.max_bytes}
            kind = annotated(str, msgspec.Meta(extra_json_schema=told), *notes)
            self._be_text(kind, whole.optional)
        else:
            self._refuse_inside()

    def _be_text(self, kind: Any, is_optional: bool) -> None:
        self.wire_type = optional(kind) if is_optional else kind

    def _refuse_inside(self) -> None:
        for each in inside(self.type):
            if each is Upload or isinstance(each, Upload):
                raise TypeError(
                    "an upload stands alone, as Annotated[Path, Upload()] or with | None"
                )
            if each is Secret:
                raise TypeError("a secret stands alone, as Secret or Secret | None")

    @property
    def expected(self) -> str:
        """The type in words for a message."""
        if self.upload is not None:
            return "the id of an upload"
        return in_words(self.type)

    def is_empty(self, value: object) -> bool:
        """Whether `value` is the empty text or list, and this parameter must not be."""
        notes = (note for note in outline(self.type).notes if isinstance(note, msgspec.Meta))
        return value in ("", []) and any(note.min_length for note in notes)

    def convert(self, value: object) -> object:
        """Return `value` as this parameter's type; raise `msgspec.ValidationError` if it is none.

        Text is not taken for a number, nor a number for a truth value; an int is a float.
        """
        if self._lacks_seconds and isinstance(value, str) and _WITHOUT_SECONDS.fullmatch(value):
            value += ":00"
        converted = msgspec.convert(value, self.wire_type, dec_hook=_from_json, str_keys=True)
        if isinstance(converted, str) and self.secret:
            if converted == MASK:
                raise msgspec.ValidationError("what a record shows is no secret: give it again")
            return Secret(converted)
        if isinstance(converted, str) and self.upload is not None:
            if not UploadId.pattern.fullmatch(converted):
                raise msgspec.ValidationError("POST /api/uploads gives one")
            return UploadId(converted)
        if fault := inexact_in(to_builtins(converted)):
            raise msgspec.ValidationError(fault)
        return converted

    def unwire(self, value: object) -> object:
        """What `Parameters.wire` made a JSON value of; raises `msgspec.ValidationError`."""
        if self.upload is not None:
            return None if value is None else Path(msgspec.convert(value, str))
        return self.convert(value)

    def plain(self, value: object) -> object:
        """`value` for a record: ``***`` for a secret; for an upload None, since it is used up."""
        if self.upload is not None:
            return None
        if self.secret:
            return None if value is None else MASK
        return to_builtins(value)

    def shown(self, value: object, text: str) -> str:
        """`text`, which says what `value` was, unless nobody is to see it."""
        return MASK if self.secret and value is not None else text


def to_builtins(value: object) -> Any:
    """A bound value as JSON; secrets are in it as they are."""
    return msgspec.to_builtins(value, enc_hook=_to_json, str_keys=True)


def hook_schema(kind: type) -> dict[str, object]:
    if isinstance(kind, type) and issubclass(kind, PurePath):
        return {"type": "string", "format": "path"}
    raise NotImplementedError(f"{kind!r} is not supported")


def _from_json(kind: type, value: object) -> object:
    if issubclass(kind, PurePath):
        if isinstance(value, str | PurePath):
            return kind(value)
        raise ValueError(f"Expected str, got {type(value).__name__}")
    raise NotImplementedError(f"{kind!r} is not supported")


def _to_json(value: object) -> object:
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, str):  # a Secret, an UploadId
        return str.__str__(value)
    raise NotImplementedError(f"{type(value).__name__} has no form in JSON")
