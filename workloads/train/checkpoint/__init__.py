"""What is saved of a training, where, and the proof that it came back whole."""
