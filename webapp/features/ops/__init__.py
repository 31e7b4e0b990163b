"""Operations: is it up, which keys verify, and what does the API take."""
