"""The window: widgets, panels, views.  Qt and VTK live here and nowhere else; torch never does."""
