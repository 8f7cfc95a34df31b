"""All parameters of one job: their schema, and the values of a run."""

from __future__ import annotations

import copy
import difflib
import inspect
from collections.abc import Iterator, Mapping

import msgspec

from flask_realtime.errors import BadParameters
from flask_realtime.parameters.inputs import Secret, Upload
from flask_realtime.parameters.parameter import Parameter, to_builtins
from flask_realtime.parameters.schema import schema_of
from flask_realtime.parameters.values import Size, fault_in, shown

_MOST_FAULTS = 10  # that one message names


class Parameters:
    """The keyword parameters of one job, in the order of its signature.

    `schema` is their JSON Schema; `uploads` names those that are a file.
    """

    def __init__(self, items: list[Parameter]) -> None:
        self._items = {item.name: item for item in items}
        self.schema = schema_of(items)
        self.uploads: dict[str, Upload] = {
            item.name: item.upload for item in items if item.upload is not None
        }

    def bind(self, values: object) -> dict[str, object]:
        """Return one value per parameter: converted where given, else a copy of the default.

        An upload is an UploadId yet, for its run to claim. Raises BadParameters, which names all
        that is wrong at once.
        """
        if not isinstance(values, Mapping):
            raise BadParameters(f"params must be an object, not {type(values).__name__}")
        faults = list(self._unknown(values))
        total = Size()
        bound: dict[str, object] = {}
        for name, item in self._items.items():
            if name in values:
                value = values[name]
                size = Size()
                try:
                    if fault := fault_in(value, size):
                        raise msgspec.ValidationError(fault)
                    bound[name] = item.convert(value)
                    total += size
                except msgspec.ValidationError as error:
                    if item.is_empty(value):
                        faults.append(f"{name} must not be empty: give a value")
                        continue
                    reason = str(error).replace("`", "")
                    text = item.shown(value, shown(value))
                    faults.append(f"{name} must be {item.expected}, not {text} ({reason})")
            elif item.default is inspect.Parameter.empty:
                faults.append(f"{name} is missing ({item.expected})")
            else:
                bound[name] = copy.deepcopy(item.default)
        if total.fault:  # of those that are right each for itself
            faults.insert(0, total.fault)
        if faults:
            raise BadParameters("; ".join(faults[:_MOST_FAULTS]))
        return bound

    def plain(self, bound: Mapping[str, object]) -> dict[str, object]:
        """What `bind` returned, for a record: as JSON that `bind` takes again.

        But a secret is ``***`` and an upload None: these are given anew each time.
        """
        return {name: self._items[name].plain(value) for name, value in bound.items()}

    def unwire(self, values: Mapping[str, object]) -> dict[str, object]:
        """Turn what `to_json` returned into the keywords again, in a child process.

        Not for what a client sent: an upload is the path of any file here. Raises
        `msgspec.ValidationError`, which names the parameter.
        """
        keywords = {}
        for name, value in values.items():
            try:
                keywords[name] = self._items[name].unwire(value)
            except msgspec.ValidationError as error:
                raise msgspec.ValidationError(f"{name}: {error}") from error
        return keywords

    @staticmethod
    def secrets(bound: Mapping[str, object]) -> list[str]:
        """The secrets that were typed in."""
        return [str(value) for value in bound.values() if isinstance(value, Secret) and value]

    def _unknown(self, values: Mapping[str, object]) -> Iterator[str]:
        unknown = (name for name in values if name not in self._items)
        for name, _ in zip(unknown, range(_MOST_FAULTS), strict=False):
            takes = f"it takes {', '.join(self._items)}" if self._items else "it takes none"
            near = difflib.get_close_matches(str(name)[:80], self._items, n=1)
            hint = f"did you mean {near[0]!r}?" if near else takes
            yield f"there is no parameter {shown(name)}: {hint}"


def to_json(bound: Mapping[str, object]) -> dict[str, object]:
    """Bound parameters as JSON values, secrets and paths of uploads included.

    For those who run the job only; `Parameters.plain` is for records and messages.
    """
    return {name: to_builtins(value) for name, value in bound.items()}
