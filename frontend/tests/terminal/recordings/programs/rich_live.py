"""A table that grows, is drawn again in place, and goes away at the end."""

import time

from rich.console import Console
from rich.live import Live
from rich.table import Table

console = Console()


def table(rows: int) -> Table:
    result = Table(title="Workers")
    result.add_column("host", style="cyan")
    result.add_column("done", justify="right")
    for row in range(rows):
        result.add_row(f"host-{row}", f"[green]{row * 17}[/] %" if row % 2 else "[red]away[/]")
    return result


with Live(table(1), console=console, refresh_per_second=20, transient=True) as live:
    for count in range(2, 7):
        live.console.print(f"[dim]host-{count}[/] joined")
        live.update(table(count), refresh=True)
        time.sleep(0.02)
console.print("[bold]all done[/] :sparkles:")
