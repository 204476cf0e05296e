"""What the notifier decides: values and `now` in, values out."""
