"""What the Webex client and its jobs are made of; the client is app/webexteamsasyncapi.py."""
