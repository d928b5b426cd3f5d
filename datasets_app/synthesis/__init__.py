"""Made-up dialogues for the rare and hard cases: a grammar, its gates and its figures; no Django here."""
