"""What a training measures of itself, and where others read it."""
