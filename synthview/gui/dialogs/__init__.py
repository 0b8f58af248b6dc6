"""Dialogs: only for decisions, and for the pages of the Help menu."""
