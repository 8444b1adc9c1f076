"""Noise cancellers on this machine, the noises they are tried on, and what they do to a call."""
