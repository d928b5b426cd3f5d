"""The site: settings, URLs, people, audit and start-up; no domain rules."""

__version__ = "0.2.0"
