"""How to call a model: one adapter a wire format, one attempt a call."""
