"""What a journal entry means: its stage, whether it concerns readers, whose name has to go, which item it makes."""
