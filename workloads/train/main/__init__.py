"""The job itself: from the start of a process to its verdict."""
