"""Callers and listeners: a microphone, a WAV file or a scripted person; a speaker or a recorder."""
