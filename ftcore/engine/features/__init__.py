"""What a frozen prefix makes of the examples: computed once, kept, and found again."""
