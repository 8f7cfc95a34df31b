"""What the processes over one Redis tell each other, and how one leaves the others."""
