"""Rights: own data, leaving, consent taken back."""
