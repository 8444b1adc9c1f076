"""What a notebook shows while a call runs."""
