"""What a provider tells an app that may not have what it asks for."""


class OAuthError(Exception):
    """An error in OAuth's own words (RFC 6749, 4.1.2.1 and 5.2); never one of Latchkey's."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(f"{code}: {description}")
        self.code = code
        self.description = description
