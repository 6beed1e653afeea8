"""The preset benchmark: how well invented photographers, whose presets are known, are recognised."""
