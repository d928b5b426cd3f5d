"""People give labels: campaigns, schemes, assignment, labelling, agreement."""
