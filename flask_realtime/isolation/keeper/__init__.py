"""The keeper: a small program beside each run in a process, which holds all that the run starts.

It needs the standard library alone, and none of its modules may import more.
"""
