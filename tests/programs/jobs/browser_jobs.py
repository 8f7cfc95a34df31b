"""Jobs for the tests of the page."""

from flask_realtime import job


@job
def markup(running):
    """Markup that must stay text."""
    print("<script>document.title='broken'</script>")
    print("<img src=x onerror=\"document.title='broken'\"> <b>bold</b>")
