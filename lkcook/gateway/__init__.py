"""LiveKit Inference's wire protocol on 127.0.0.1, served by the models on this machine."""
