"""What a run may take, and how many may run at once. None: as much as there is."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of one run of a job: `timeout` and `cpu_seconds` in seconds, `memory_mib` and `output_mib`
    in MiB. Of its runs at the same time: `runs` in all, `runs_per_user` of one user.
    """

    timeout: float | None = None
    cpu_seconds: float | None = None
    memory_mib: float | None = None
    output_mib: float | None = None
    runs: int | None = None
    runs_per_user: int | None = None

    def or_else(self, other: Bounds) -> Bounds:
        """These bounds, and those of `other` where there is none."""
        mine = asdict(self)
        return Bounds(
            **{
                field.name: getattr(other, field.name)
                if mine[field.name] is None
                else mine[field.name]
                for field in fields(self)
            }
        )

    def public(self) -> dict[str, float | None]:
        """The object of the wire protocol."""
        return asdict(self)


UNBOUNDED = Bounds()
