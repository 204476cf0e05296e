"""The development stack: every service, a demo town and its upstreams on one machine. Never production."""
