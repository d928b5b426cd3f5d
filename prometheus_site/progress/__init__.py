"""The project at a glance: the three success criteria and the panels of the lead's board."""
