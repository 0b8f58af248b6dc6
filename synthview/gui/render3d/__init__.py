"""Volume rendering: a process that holds VTK, and the window's end of it."""
