"""How a run is boxed: in a thread of this process, or in a child process of its own."""
