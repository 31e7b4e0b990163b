"""What happened, in words for the person whom it happened to."""

SENTENCES = {
    "signed_up": "You signed up",
    "signed_up_again": "Somebody signed up with your address again, before it was confirmed",
    "sign_up_with_taken_address": "Somebody tried to sign up with your address",
    "verification_requested": "A new link to confirm your address was asked for",
    "email_verified": "Your address was confirmed",
    "signed_in": "You signed in",
    "sign_in_failed": "A sign-in failed",
    "password_check_failed": "A wrong password was given while signed in",
    "reauthenticated": "You confirmed your password",
    "signed_out": "You signed out",
    "session_ended": "You ended a sign-in",
    "other_sessions_ended": "You signed out everywhere else",
    "session_disowned": "A sign-in was ended because it was not you",
    "session_fast_forwarded": "A sign-in went on after the store had lost writes",
    "refresh_reused": "A sign-in was used from two places, and ended",
    "renamed": "Your name was changed",
    "password_changed": "Your password was changed",
    "password_reset_requested": "A link to set a new password was asked for",
    "password_reset": "A new password was set with a link",
    "email_change_requested": "A change of your address was asked for",
    "email_changed": "Your address was changed",
    "email_change_undone": "A change of your address was undone",
    "account_deleted": "You deleted your account",
    "account_restored": "You signed in, and kept your account",
    "account_disowned": "The account was removed by the owner of its address",
    "account_erased": "The account was erased",
    "user_created": "The account was made for you",
    "user_disabled": "An administrator disabled the account",
    "user_enabled": "An administrator enabled the account",
}


def sentence_of(event: str) -> str:
    """Return the sentence for an audit event."""
    return SENTENCES[event]
