"""The connection to Redis, of whatever kind, and what is kept there: names, version, migration."""
