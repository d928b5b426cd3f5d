"""From a stranger on the public page to a clinician who labels: applications, the lead's board, e-mails."""
