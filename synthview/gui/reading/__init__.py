"""The reader's window: full screen, keyboard only, and nothing on it that tells where a stimulus comes from."""
