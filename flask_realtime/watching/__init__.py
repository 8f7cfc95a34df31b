"""Those who watch runs: what they are sent, and how fast."""
