"""What the four answer in JSON, each in its own words."""

from webapp.features.pretend.clients import issuer_of
from webapp.features.pretend.grants import LIFETIMES, Found, Grant
from webapp.features.pretend.id_tokens import ALGORITHM, google_claims
from webapp.features.pretend.providers import Provider
from webapp.features.pretend.tokens import Tokens
from webapp.services.parts import parts

Document = dict[str, object]


def discovery(provider: Provider) -> Document:
    """Return where everything is and what can be done (OpenID Connect Discovery, 3)."""
    issuer = issuer_of(provider.name, parts().settings)
    document: Document = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "jwks_uri": f"{issuer}/keys",
        "response_types_supported": ["code"],
        "response_modes_supported": list(provider.response_modes),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
        "claims_supported": ["aud", "email", "email_verified", "exp", "iat", "iss", "sub"],
    }
    if provider.name == "apple":
        return document | {
            "subject_types_supported": ["pairwise"],
            "scopes_supported": ["openid", "email", "name"],
            "claims_supported": [
                *("aud", "email", "email_verified", "exp", "iat", "is_private_email", "iss"),
                *("nonce", "nonce_supported", "sub"),
            ],
        }
    return document | {
        "userinfo_endpoint": f"{issuer}/userinfo",
        "scopes_supported": ["openid", "email", "profile"],
        "claims_supported": ["aud", "email", "email_verified", "exp", "iat", "iss", "name", "sub"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
    }


def token_reply(provider: Provider, tokens: Tokens) -> Document:
    """Return what goes to the app for its code."""
    lifetime = int(LIFETIMES["access token"].total_seconds())
    reply: Document = {"access_token": tokens.access_token}
    if provider.name == "github":
        return reply | {"token_type": "bearer", "scope": ",".join(tokens.scopes)}
    if provider.name == "facebook":
        return reply | {"token_type": "bearer", "expires_in": lifetime}
    reply |= {"token_type": "Bearer", "expires_in": lifetime}
    if provider.name == "google":
        reply["scope"] = " ".join(tokens.scopes)
    if tokens.id_token:
        reply["id_token"] = tokens.id_token
    return reply


def google_userinfo(grant: Grant) -> Document:
    """Return who somebody is (OpenID Connect Core, 5.3)."""
    return {"sub": grant.person.subject, **google_claims(grant)}


def facebook_me(grant: Grant, fields: str) -> Document:
    """Return the fields that were asked for, of those that there are; the id always."""
    person = grant.person
    known: Document = {"id": person.subject, "name": person.name}
    if "email" in grant.scopes and person.email:
        known["email"] = person.email
    asked = {"id", *(fields or "id,name").replace(" ", "").split(",")}
    return {name: value for name, value in known.items() if name in asked}


def facebook_debug(found: Found | None) -> Document:
    """Return whose an access token is, and for which app."""
    if found is None:
        error = {"code": 190, "message": "Error validating access token."}
        return {"data": {"is_valid": False, "scopes": [], "error": error}}
    grant = found.grant
    data = {
        "app_id": grant.client_id,
        "type": "USER",
        "is_valid": True,
        "user_id": grant.person.subject,
        "expires_at": int(found.expires_at.timestamp()),
        "scopes": list(grant.scopes),
    }
    return {"data": data}


def facebook_error(message: str) -> Document:
    """Return a refusal of the Graph API."""
    return {"error": {"message": message, "type": "OAuthException", "code": 190}}


def github_user(grant: Grant) -> Document:
    """Return somebody's profile; no address stands in it, as for most people."""
    person = grant.person
    return {
        "login": f"person-{person.subject}",
        "id": int(person.subject),
        "type": "User",
        "name": person.name or None,
        "email": None,
    }


def github_emails(grant: Grant) -> list[Document]:
    """Return somebody's addresses."""
    person = grant.person
    if not person.email:
        return []
    return [
        {
            "email": person.email,
            "primary": True,
            "verified": person.is_verified,
            "visibility": "private",
        }
    ]


def github_check(grant: Grant, token: str) -> Document:
    """Return whose an access token is, to the app that it was given to."""
    return {
        "app": {"client_id": grant.client_id, "name": parts().settings.app_name},
        "scopes": list(grant.scopes),
        "token": token,
        "user": github_user(grant),
    }
