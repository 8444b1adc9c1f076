"""Providers used directly, through LiveKit's plugins: what each offers, what it needs, and the code one would ship."""
