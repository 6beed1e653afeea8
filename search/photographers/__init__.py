"""Photographers: whose photo is this, who works alike, and how sure are we."""
