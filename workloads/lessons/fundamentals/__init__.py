"""What training is: a loss, its gradient, steps against it, and what keeps a network from learning by heart."""
