"""Recorded turns, and the turn detectors that hear them."""
