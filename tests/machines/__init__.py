"""Stateful Hypothesis machines; they run long and check whole histories."""
