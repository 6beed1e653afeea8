"""The pages: the same questions as the API, for people."""
