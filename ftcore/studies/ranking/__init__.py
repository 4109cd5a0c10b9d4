"""Which pretrained model? Scores from one pass over the training part, and what each costs."""
