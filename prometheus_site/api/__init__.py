"""The REST API's base: who asks, what comes in, what goes out, and its description."""
