"""Who asks, at a gateway as istiod configures it: by the mesh's certificates, by tokens that
RequestAuthentication has checked, and by no header that anybody can write."""

import pytest
from cryptography import x509

import gateway
from conftest import binaries_of
from mesh import HOST, Mesh
from replies import error
from test_live import candidate
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

def as_istiod_does(authority, server):
    """What ISTIO_MUTUAL and a RequestAuthentication make of the gateway's listener: certificates
    are looked at, client-cert headers are written anew, tokens are checked where there are any."""

    def edit(bootstrap):
        manager = look_closely(bootstrap, authority, server, "payload", forward=True)
        manager["forward_client_cert_details"] = "SANITIZE_SET"
        manager["set_current_client_cert_details"] = {"subject": True, "uri": True, "dns": True}
        return bootstrap

    return edit


def document(standins):
    return identity_document(standins, candidate)


@pytest.fixture(scope="module")
def known(live_envoy, tmp_path_factory):
    """A function that asks the gateway as somebody."""
    folder = tmp_path_factory.mktemp("identity")
    authority = Authority(folder)
    server = authority.issue("server", x509.DNSName("localhost"))
    standins = gateway.Standins(live_envoy, folder / "standins", NAMES)
    edit = as_istiod_does(authority, server)
    mesh = Mesh(live_envoy, folder / "proxy", document(standins), standins, flags=(), edit=edit)
    ask = Known(authority, mesh.envoy.url.rsplit(":", 1)[1], host=HOST)
    ask.standins = standins
    yield ask
    ask.close()
    mesh.close()
    standins.close()


def refusal(response, status):
    return error(response, status)["code"]


def test_two_workloads_get_policies_of_their_own(known):
    assert served_by(known(SEARCH)) == "anthropic"
    assert served_by(known(BATCH)) == "openai"


def test_a_workload_that_is_not_admitted_or_has_no_certificate_is_refused(known):
    known.standins.reset()
    assert refusal(known(STRANGER), 403) == "not_admitted"
    assert refusal(known(), 401) == "identity_required"
    assert all(each.records() == [] for each in known.standins)


def test_headers_of_a_client_make_nobody_of_it(known):
    """Envoy writes x-forwarded-client-cert anew, and the rest is nobody's word."""
    for forged in (
        {"x_forwarded_client_cert": f"By=x;URI={SEARCH}"},
        {"x_pointsman_identity": SEARCH},
        {"x_envoy_peer_metadata_id": SEARCH},
    ):
        assert refusal(known(**forged), 401) == "identity_required"


def test_claims_of_a_token_that_the_mesh_has_checked_decide(known):
    def bearing(**claims):
        return known(authorization=f"Bearer {token(**claims)}")

    assert served_by(bearing(tier="gold")) == "gemini"
    assert served_by(bearing(tier="silver")) == "openai"
    assert refusal(bearing(tier="lead"), 403) == "not_admitted"
    forged = known(authorization=f"Bearer {token(key=b'another key', tier='gold')}")
    assert forged.status_code == 401


def test_in_clear_nobody_is_known(tmp_path):
    """`--tls plain` and a policy by identity: refused, and nothing is sent."""
    binaries = binaries_of("1.40.0")
    standins = gateway.Standins(binaries, tmp_path / "standins", NAMES)
    mesh = Mesh(binaries, tmp_path / "proxy", document(standins), standins)
    try:
        header = {"x-forwarded-client-cert": f"By=x;URI={SEARCH}"}
        body = {"model": "smart", "messages": [{"role": "user", "content": "hello"}]}
        reply = mesh.http.post("/v1/chat/completions", json=body, headers=header)
        assert refusal(reply, 401) == "identity_required"
        assert all(each.records() == [] for each in standins)
    finally:
        mesh.close()
        standins.close()
