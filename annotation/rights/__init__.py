"""A clinician's rights: to see and take along the own data, to leave, and to take consent back."""
