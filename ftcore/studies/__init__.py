"""Studies: many runs, or many backbones, that answer one question."""
