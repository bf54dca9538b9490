"""The paper's tables, run as many small jobs."""
