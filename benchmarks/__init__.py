"""The laboratory: the race against other libraries, and the paper's experiments."""
