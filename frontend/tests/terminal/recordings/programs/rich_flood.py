"""A long log in colour with a bar below it: a hundred redraws."""

from rich.progress import Progress

with Progress(auto_refresh=False) as progress:
    task = progress.add_task("copying", total=120)
    for step in range(120):
        progress.update(task, advance=1)
        if step % 3 == 0:
            progress.console.print(f"copied [cyan]file-{step:03}.parquet[/] ({step * 37} bytes)")
        progress.refresh()
