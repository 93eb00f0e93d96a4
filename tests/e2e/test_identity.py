"""Who asks, by certificate and by token on a real Envoy: policies of their own, and no way in."""

import httpx
import pytest
import yaml
from conftest import candidate
from cryptography import x509
from gateway import Gateway, Standins
from identities import (
    BATCH,
    NAMES,
    SEARCH,
    STRANGER,
    Authority,
    Known,
    identity_document,
    look_closely,
    served_by,
    token,
)
from replies import error


def behind_mtls(authority, server):
    """Makes Envoy take TLS, look at certificates if there are any, and check tokens."""

    def edit(bootstrap):
        bootstrap = yaml.safe_load(bootstrap)
        here = [{"name": "x-token", "value_prefix": "Bearer "}]
        look_closely(bootstrap, authority, server, "jwt_payload", from_headers=here)
        return yaml.safe_dump(bootstrap)

    return edit


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def standins(binaries, tmp_path_factory):
    standins = Standins(binaries, tmp_path_factory.mktemp("identity-standins"), NAMES)
    yield standins
    standins.close()


@pytest.fixture(scope="module")
def known(binaries, authority, standins, tmp_path_factory):
    """A gateway behind mTLS, and a function that asks it as somebody."""
    server = authority.issue("server", x509.DNSName("localhost"))
    gateway = Gateway(
        binaries,
        tmp_path_factory.mktemp("identity"),
        identity_document(standins, candidate),
        standins,
        edit=behind_mtls(authority, server),
    )
    ask = Known(authority, gateway.port)
    yield ask
    ask.close()
    gateway.close()


def refusal(response, status):
    told = error(response, status)
    assert told["type"] == "authentication_error"
    return told["code"]


def test_two_identities_get_policies_of_their_own(known):
    assert served_by(known(SEARCH)) == "anthropic"
    assert served_by(known(BATCH)) == "openai"


def test_a_certificate_that_is_not_admitted_or_missing_is_refused(known, standins):
    standins.reset()
    assert refusal(known(STRANGER), 403) == "not_admitted"
    assert refusal(known(), 401) == "identity_required"
    assert all(each.records() == [] for each in standins)
    assert served_by(known(model="open")) == "openai", "what is open is open"


def test_no_header_makes_up_for_a_certificate(known):
    for forged in (
        {"x_forwarded_client_cert": f"By=x;URI={SEARCH}"},
        {"x_identity": SEARCH},
        {"x_pointsman_identity": SEARCH},
    ):
        assert refusal(known(**forged), 401) == "identity_required"


def test_a_certificate_of_a_strange_authority_does_not_get_in(known, tmp_path):
    with pytest.raises(httpx.TransportError):
        known(SEARCH, issuer=Authority(tmp_path))


def test_claims_of_a_checked_token_decide(known):
    assert served_by(known(x_token=f"Bearer {token(tier='gold')}")) == "gemini"
    assert served_by(known(x_token=f"Bearer {token(tier='silver')}")) == "openai"
    assert refusal(known(x_token=f"Bearer {token(tier='lead')}"), 403) == "not_admitted"
    assert served_by(known(SEARCH, x_token=f"Bearer {token(tier='gold')}")) == "anthropic"


def test_a_token_that_nobody_signed_is_worth_nothing(known, standins):
    standins.reset()
    forged = token(key=b"another key", tier="gold")
    refused = known(x_token=f"Bearer {forged}")
    assert (refused.status_code, refused.text) == (401, "Jwt verification fails")
    assert all(each.records() == [] for each in standins)


def allowed(ask, *others):
    """How many requests of the same are answered before one is refused, while others' are."""
    for done in range(10):
        response = ask()
        if response.status_code == 429:
            assert error(response, 429)["code"] == "budget_exceeded"
            assert "of 2 requests per day" in response.text
            assert all(other().status_code == 200 for other in others)
            return done
    return None


def test_each_identity_has_a_budget_of_its_own(known):
    def ask(identity):
        return lambda: known(identity, x_budget="identity")

    assert allowed(ask(SEARCH), ask(BATCH)) == 2


def test_each_subject_of_a_token_has_a_budget_of_its_own(known):
    def ask(subject):
        return lambda: known(x_budget="claim", x_token=f"Bearer {token(tier='gold', sub=subject)}")

    assert allowed(ask("ann"), ask("bob")) == 2


def test_the_listing_shows_each_client_its_own(known):
    def listed(*who):
        return {model["id"] for model in known(*who, method="GET").json()["data"]}

    assert listed(SEARCH) == {"smart", "open"}
    assert listed(STRANGER) == {"open"}
    assert listed() == {"open"}


def test_a_declared_header_tells_who_asks_in_the_place_of_the_certificate(
    binaries, standins, tmp_path
):
    standins.reset()
    document = identity_document(standins, candidate)
    document["routing"] = {"identity_header": "x-forwarded-client-cert"}
    gateway = Gateway(binaries, tmp_path, document, standins)
    try:
        header = {"x-forwarded-client-cert": f'By=x;Subject="CN=a,O=b";URI={SEARCH}'}
        assert served_by(gateway.chat("smart", headers=header)) == "anthropic"
        assert refusal(gateway.chat("smart"), 401) == "identity_required"
        record = standins["anthropic"].only_record()
        assert not record.values("x-forwarded-client-cert")
    finally:
        gateway.close()
