"""RSS, Atom, iCalendar and CAP become content items; the worked example of a plug-in."""
