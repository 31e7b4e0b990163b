"""Users: other people's accounts, by those who look after them."""
