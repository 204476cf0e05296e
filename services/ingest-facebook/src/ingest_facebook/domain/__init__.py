"""What a page's posts, events and webhooks mean: values in, values out."""
