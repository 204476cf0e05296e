"""Where it has been ploughed: from vehicles' positions to roads, areas and an item.

Nothing here keeps a vehicle: an id joins two positions to a line while both are in memory, and what is
kept is which part of which road was covered, and when.
"""
