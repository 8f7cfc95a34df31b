"""The application: `create_app` puts the library, the settings and the example jobs together."""

from app.factory import create_app

__all__ = ["create_app"]
