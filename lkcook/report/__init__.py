"""What happened in a call, as plain data with a readable repr: transcript, turns, recording, spans."""
