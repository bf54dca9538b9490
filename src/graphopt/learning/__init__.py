"""Training: from a graph and features to a decision."""
