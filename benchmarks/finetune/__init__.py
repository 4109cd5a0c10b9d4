"""The same fine-tuning job, by ftcore and as users of its peers would write it."""
