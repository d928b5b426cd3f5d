"""One port to what tells a dialogue: a grammar, a model at an endpoint, a local model, a recording."""
