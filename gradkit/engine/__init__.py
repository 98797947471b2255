"""The tape and what lies above it: values, recording, walking back, tangents, batch axes. It names no primitive."""
