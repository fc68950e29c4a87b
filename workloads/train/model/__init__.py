"""The transformer, and the ways to compute its attention."""
