"""The paper's tables and what belongs to them, as commands."""
