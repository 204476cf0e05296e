"""What the notifier does: takes from the topics, reserves, delivers, follows up, cleans up."""
