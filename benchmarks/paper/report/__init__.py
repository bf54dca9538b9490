"""The paper's six tables, filled from finished jobs: text, Markdown, JSON and a page."""
