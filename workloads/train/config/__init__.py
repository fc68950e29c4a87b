"""What a job is told."""
