"""The four steps: it takes objects, and knows no plugin, no command line and no name."""
