"""The preset benchmark: how well photographers whose truth is known are told apart on any photos."""
