"""The tape and what lies above it: values, recording, walking back, tangents, batch axes. No primitive is named here."""
