"""Which examples are the same, or nearly: within a part, and between the parts."""
