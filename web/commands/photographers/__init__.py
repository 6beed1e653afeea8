"""Commands of ``likewise photographers``, a module each; they import what they need when they run."""
