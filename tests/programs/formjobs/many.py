"""Forms that are long: many fields, many choices, long words."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from flask_realtime import job

CHOICES = Literal[tuple(f"choice number {number}" for number in range(200))]  # type: ignore[valid-type]


@job
def twenty(
    running,
    alpha: str = "a",
    beta: str = "b",
    gamma: int = 3,
    delta: int = 4,
    epsilon: float = 0.5,
    zeta: bool = True,
    eta: bool = False,
    theta: Literal["one", "two"] = "one",
    iota: str = "",
    kappa: str | None = None,
    lamda: int | None = None,
    my: str = "m",
    ny: str = "n",
    xi: str = "x",
    omikron: str = "o",
    pi: float = 3.14159,
    rho: str = "r",
    sigma: str = "s",
    tau: str = "t",
    ypsilon: str = "u",
):
    """Twenty parameters."""


@job
def choosy(
    running,
    one_of_many: CHOICES = "choice number 7",
    donaudampfschifffahrtsgesellschaftskapitaen: Annotated[
        str,
        Meta(description="Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz " * 2),
    ] = "unbreakable" * 12,
):
    """Many choices, and words that are longer than a column."""
