"""Keys: made, listed and retired by those who run the site."""
