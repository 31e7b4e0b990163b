"""Social: sign in with Google, Apple, Facebook, GitHub, Microsoft or any OpenID provider."""
