"""The runs of this process, from the request to the end: their queue, bounds and output."""
