"""The body of a native sign-in."""

from pydantic import Field

from webapp.doors.api.schemas import Body, Transport


class NativeIn(Body):
    """What an app holds of a sign-in at a provider: one of the two tokens, as the provider has."""

    id_token: str | None = Field(
        None, description="Google, Apple, Microsoft and any OpenID provider.", max_length=16384
    )
    access_token: str | None = Field(None, description="Facebook and GitHub.", max_length=4096)
    nonce: str | None = Field(None, description="Has to be in the id token, where it is given.")
    name: str | None = Field(None, description="Apple tells it to the app alone, the first time.")


class NativeSignInIn(NativeIn):
    """The same, and how the tokens are to come."""

    transport: Transport = "cookie"
    remember: bool = Field(True, description="False: the cookies end with the browser.")
