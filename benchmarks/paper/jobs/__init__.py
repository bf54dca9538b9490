"""The paper's runs as small jobs: what to run, how, and where the results are kept."""
