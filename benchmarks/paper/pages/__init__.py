"""The project's pages, README.md and docs/: their numbers come from the files with the results."""
