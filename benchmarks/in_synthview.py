"""One run of synthview: the whole program with FILE, its first picture reported, then steps through slices.

Run with synthview's interpreter: ``python in_synthview.py FILE STEPS``.  Nothing is imported at the top: the processes
that the program starts read this file too.
"""

if __name__ == "__main__":
    import sys

    from watched_window import WatchedWindow

    from synthview.__main__ import main
    from synthview.gui import start

    WatchedWindow.steps = int(sys.argv.pop())
    vars(start)["MainWindow"] = WatchedWindow
    sys.exit(main())
