"""The site: settings, URLs, people, audit and start-up; no domain rules."""
