"""The upstreams: ACOS archives, Socrata data sets, files of portals, and the town's places."""
