"""What feeds, calendars and warnings say, as content items. Values in, values out."""
