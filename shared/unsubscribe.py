"""The token in an e-mail's unsubscribe link: it names one athlete, is signed by the store's key, and never expires."""

from itsdangerous import BadSignature, URLSafeSerializer

_SALT = "unsubscribe"


def unsubscribe_token(key: bytes, club: str, athlete: str) -> str:
    """Return the token that ends all e-mail about one athlete."""
    return str(URLSafeSerializer(key, salt=_SALT).dumps([club, athlete]))


def read_token(key: bytes, token: str) -> tuple[str, str] | None:
    """Return the (club, athlete) that a token names, or None when it was not made with `key`."""
    try:
        club, athlete = URLSafeSerializer(key, salt=_SALT).loads(token)
    except (BadSignature, ValueError, TypeError):
        return None
    return str(club), str(athlete)
