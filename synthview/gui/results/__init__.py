"""The results of a reader study on the screen: one question per card, words first."""
