"""Several tasks, one of them without a known end, and a log line above them."""

import time

from rich.progress import Progress, SpinnerColumn, TimeElapsedColumn

columns = [SpinnerColumn(), *Progress.get_default_columns(), TimeElapsedColumn()]
with Progress(*columns, refresh_per_second=20) as progress:
    build = progress.add_task("[red]building", total=20)
    tests = progress.add_task("[green]testing 🚀", total=30)
    wait = progress.add_task("waiting", total=None)
    for step in range(30):
        progress.update(build, advance=1)
        progress.update(tests, advance=1)
        if step == 12:
            progress.console.print("[bold yellow]warning[/]: the cache is cold")
        time.sleep(0.01)
    progress.remove_task(wait)
