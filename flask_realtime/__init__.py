"""Flask-Realtime: live output of Python jobs in the browser."""
