"""Serves the application as the environment and .env configure it: `make run` calls this."""

from app.factory import serve

if __name__ == "__main__":
    serve()
