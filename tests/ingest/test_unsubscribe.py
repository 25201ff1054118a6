"""An e-mail's unsubscribe link: one POST is enough, a GET changes nothing, and nobody else's token works."""

from datetime import UTC, datetime

from shared.contracts.athletes import Athlete
from shared.unsubscribe import unsubscribe_token
from tests.ingest.door import Door

CONSENTING = Athlete("clb_test", "ada", email="ada@example.org", email_consent=True)


def consents(door: Door) -> bool:
    known = door.store.athletes.get("clb_test", "ada")
    assert known is not None
    return known.email_consent


def link(door: Door) -> str:
    door.store.athletes.put(CONSENTING, datetime.now(UTC))
    return f"/unsubscribe/{unsubscribe_token(door.store.signing_key(), 'clb_test', 'ada')}"


def test_one_click_ends_the_mail_and_may_be_repeated(door: Door) -> None:
    path = link(door)
    for _ in range(2):
        answer = door.app.test_client().post(path, data={"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
        assert not consents(door)


def test_a_scanner_that_follows_the_link_changes_nothing(door: Door) -> None:
    answer = door.app.test_client().get(link(door))
    assert answer.status_code == 200
    assert "<form method=" in answer.text
    assert consents(door)


def test_a_made_up_token_is_not_found(door: Door) -> None:
    link(door)
    forged = unsubscribe_token(b"another key", "clb_test", "ada")
    for token in (forged, "nonsense", "a.b"):
        assert door.app.test_client().post(f"/unsubscribe/{token}").status_code == 404
    assert consents(door)
