"""Lessons on what training is made of, each small enough to read in one sitting and tested to be true.

``python -m lessons fundamentals`` goes from a loss to a network that reads digits, ``compress`` makes such networks
smaller, ``transfer`` fine-tunes a ResNet-50. The package imports nothing of the project around it.
"""
