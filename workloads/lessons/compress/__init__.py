"""How a trained network is made smaller or faster, what each way costs in accuracy, and which ways are faster where."""
