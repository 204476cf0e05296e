"""Who matches and why: pure, no I/O."""
