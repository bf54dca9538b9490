"""The search for hyperparameters of the paper's appendix 2.1."""
