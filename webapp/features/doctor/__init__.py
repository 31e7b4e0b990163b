"""Doctor: says in plain words what is unsafe or will not work with the present settings."""
