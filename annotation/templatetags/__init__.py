"""Template filters of the annotation pages."""
