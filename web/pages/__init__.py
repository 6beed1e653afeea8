"""Pages for people, made by the functions that serve the API."""
