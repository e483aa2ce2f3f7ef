"""Whole runs: a real backend, the bridge, and clients that nobody here wrote."""
