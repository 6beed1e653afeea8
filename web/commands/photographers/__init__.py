"""``likewise photographers``: a module for each of its commands, which import what they need when they run."""
