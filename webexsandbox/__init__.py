"""A local service that speaks the Webex API, for development and tests; its data are invented."""
