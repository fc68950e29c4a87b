"""What people do with the data centre: the command ``aidc``, one module a verb."""
