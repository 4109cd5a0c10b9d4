"""How often intervals hold the truth and tests reject it, by simulations in which it is known."""
