"""The rooms: one thing a person does in each."""
