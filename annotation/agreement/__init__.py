"""Agreement among clinicians: the figures, their intervals and what they leave out."""
