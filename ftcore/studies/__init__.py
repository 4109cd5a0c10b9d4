"""What several runs say together: comparisons, significance, and where variance comes from."""
