"""The record of who did what: access events, one hash chain per clinician, signed anchors."""
