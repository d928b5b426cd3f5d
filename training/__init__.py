"""Training: recipes, runner and launchers."""
