"""The joint model of photos and photographers: an image code and one learnt vector per photographer."""
