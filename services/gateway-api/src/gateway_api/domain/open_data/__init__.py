"""Published items in formats that others read: GeoJSON, RSS 2.0, iCalendar."""
