"""The models that run on this machine, and their weights. No protocol, no notebook."""
