"""Logging in with Webex: who a visitor is, and the tokens that their jobs use."""
