"""What apps fetch from a pretend provider, each by its own addresses; rooms.py opens it."""

from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, make_response, request

from webapp.doors.guards import public
from webapp.features.pretend import documents, flow, tokens
from webapp.features.pretend.grants import Found, Grant
from webapp.features.pretend.id_tokens import signing_keys
from webapp.features.pretend.oauth import OAuthError

blueprint = Blueprint("pretend_api", __name__, url_prefix="/dev/providers")

_UNAUTHORIZED = {"WWW-Authenticate": 'Bearer error="invalid_token"'}


@blueprint.errorhandler(OAuthError)
def refuse(error: OAuthError) -> Response:
    """Tell an app in OAuth's words (RFC 6749, 5.2)."""
    response = jsonify(error=error.code, error_description=error.description)
    response.status_code = 401 if error.code == "invalid_client" else 400
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="pretend provider"'
    return response


@blueprint.get("/<any(google, apple):name>/.well-known/openid-configuration")
@public
def discovery(name: str) -> Response:
    """Return where everything is."""
    return jsonify(documents.discovery(flow.find_provider(name)))


@blueprint.get("/<any(google, apple):name>/keys")
@public
def keys(name: str) -> Response:
    """Return the key that id tokens are signed with (RFC 7517)."""
    flow.find_provider(name)
    return jsonify(signing_keys().jwks())


@blueprint.post("/<any(google, apple):name>/token")
@blueprint.get("/facebook/oauth/access_token", defaults={"name": "facebook"})
@blueprint.post("/facebook/oauth/access_token", defaults={"name": "facebook"})
@blueprint.post("/github/login/oauth/access_token", defaults={"name": "github"})
@public
def token(name: str) -> Response:
    """Give tokens for a code."""
    provider = flow.find_provider(name)
    # Facebook's own documentation shows a GET.
    sent = request.form if request.method == "POST" else request.args
    client_id, secret = sent.get("client_id", ""), sent.get("client_secret", "")
    tokens.check_client(provider, *(_basic() or (client_id, secret)))
    found = tokens.exchange(
        provider,
        tokens.CodePresented(
            code=sent.get("code", ""),
            redirect_uri=sent.get("redirect_uri", ""),
            verifier=sent.get("code_verifier", "") if provider.takes_pkce else "",
            # Facebook and GitHub know this one alone, and need not be told.
            grant_type=sent.get("grant_type", "" if provider.is_openid else "authorization_code"),
        ),
    )
    reply = documents.token_reply(provider, found)
    if name == "github" and request.accept_mimetypes.best != "application/json":
        return Response(urlencode(reply), mimetype="application/x-www-form-urlencoded")
    return jsonify(reply)


@blueprint.get("/google/userinfo")
@public
def google_userinfo() -> Response:
    """Return who somebody is."""
    found = _shown("google")
    if found is None:
        return make_response(jsonify(error="invalid_token"), 401, _UNAUTHORIZED)
    return jsonify(documents.google_userinfo(found.grant))


@blueprint.get("/facebook/me")
@public
def facebook_me() -> Response:
    """Return who somebody is."""
    provider = flow.find_provider("facebook")
    found = _shown("facebook")
    if found is None:
        return _facebook_error("Invalid OAuth access token.")
    proof = request.args.get("appsecret_proof")
    if proof is not None and not tokens.is_app_proof(provider, proof, _bearer()):
        return _facebook_error("Invalid appsecret_proof provided in the API argument.")
    return jsonify(documents.facebook_me(found.grant, request.args.get("fields", "")))


@blueprint.get("/facebook/debug_token")
@public
def facebook_debug_token() -> Response:
    """Return whose an access token is, to an app that shows its own."""
    provider = flow.find_provider("facebook")
    if not tokens.is_app_token(provider, _bearer()):
        return _facebook_error("Invalid OAuth access token.")
    input_token = request.args.get("input_token", "")
    return jsonify(documents.facebook_debug(tokens.find_access_token(provider, input_token)))


@blueprint.get("/github/user")
@public
def github_user() -> Response:
    """Return somebody's profile."""
    found = _shown("github")
    return jsonify(documents.github_user(found.grant)) if found else _bad_credentials()


@blueprint.get("/github/user/emails")
@public
def github_emails() -> Response:
    """Return somebody's addresses, where they allowed that."""
    found = _shown("github")
    if found is None:
        return _bad_credentials()
    if not {"user", "user:email"} & set(found.grant.scopes):
        return make_response(jsonify(message="Not Found"), 404)
    return jsonify(documents.github_emails(found.grant))


@blueprint.post("/github/applications/<client_id>/token")
@public
def github_check_token(client_id: str) -> Response:
    """Return whose an access token is, to the app that it was given to."""
    grant = _own_grant(client_id)
    if grant is None:
        return make_response(jsonify(message="Not Found"), 404)
    return jsonify(documents.github_check(grant, _access_token_in_body()))


def _own_grant(client_id: str) -> Grant | None:
    provider = flow.find_provider("github")
    basic_id, secret = _basic() or ("", "")
    if basic_id != client_id:
        return None
    return tokens.find_own_grant(provider, client_id, secret, _access_token_in_body())


def _access_token_in_body() -> str:
    body = request.get_json(silent=True)
    found = body.get("access_token") if isinstance(body, dict) else None
    return found if isinstance(found, str) else ""


def _basic() -> tuple[str, str] | None:
    """Return the app's id and secret where they came by HTTP Basic."""
    sent = request.authorization
    if sent is None or sent.type != "basic":
        return None
    return sent.username or "", sent.password or ""


def _shown(name: str) -> Found | None:
    return tokens.find_access_token(flow.find_provider(name), _bearer())


def _bearer() -> str:
    """Return the access token: in the header, or in the address, as Facebook has it."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    # GitHub's own word was `token` for long.
    if scheme.lower() in ("bearer", "token"):
        return value.strip()
    return request.args.get("access_token", "")


def _facebook_error(message: str) -> Response:
    return make_response(jsonify(documents.facebook_error(message)), 400)


def _bad_credentials() -> Response:
    return make_response(jsonify(message="Bad credentials"), 401)
