"""Slow work: tasks, and the worker process that does it for the window."""
