"""The one error of start-up: a sentence that says what happened and what to do about it."""


class EmbeddedError(Exception):
    """Start-up cannot go on; the message is written for the person at the terminal."""
