"""From raw sources to a verified dataset: pure stages over content-addressed chunks; knows no Django."""
