"""Tests and intervals of differences, as functions of numbers alone."""
