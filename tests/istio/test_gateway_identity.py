"""Who asks, at a gateway as istiod configures it: by the mesh's certificates, by tokens that
RequestAuthentication has checked, and by no header that anybody can write."""

import pytest
from cryptography import x509

import gateway
from conftest import binaries_of
from mesh import HOST, Mesh
from replies import attempts, error
from test_live import candidate
from identities import (
    BATCH,
    ISSUER,
    NAMES,
    SEARCH,
    STRANGER,
    Authority,
    Known,
    identity_document,
    jwks,
    token,
)

TLS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"
JWT = "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication"
MANAGER = "envoy.filters.network.http_connection_manager"


def as_istiod_does(authority, server):
    """What ISTIO_MUTUAL and a RequestAuthentication make of the gateway's listener: certificates
    are looked at, client-cert headers are written anew, tokens are checked where there are any."""
    chain, key = server
    any_of = [{"provider_name": "origins-0"}, {"allow_missing": {}}]
    rule = {"match": {"prefix": "/"}, "requires": {"requires_any": {"requirements": any_of}}}
    provider = {
        "issuer": ISSUER,
        "local_jwks": {"inline_string": jwks()},
        "payload_in_metadata": "payload",
        "forward": True,
    }
    authn = {"@type": JWT, "providers": {"origins-0": provider}, "rules": [rule]}
    certificates = [{"certificate_chain": {"filename": chain}, "private_key": {"filename": key}}]
    context = {
        "@type": TLS,
        "common_tls_context": {
            "tls_certificates": certificates,
            "validation_context": {"trusted_ca": {"filename": authority.file}},
            "alpn_protocols": ["h2", "http/1.1"],
        },
    }

    def edit(bootstrap):
        (listener,) = bootstrap["static_resources"]["listeners"]
        (filter_chain,) = listener["filter_chains"]
        filter_chain["transport_socket"] = {
            "name": "envoy.transport_sockets.tls",
            "typed_config": context,
        }
        (manager,) = [each for each in filter_chain["filters"] if each["name"] == MANAGER]
        manager = manager["typed_config"]
        manager["forward_client_cert_details"] = "SANITIZE_SET"
        manager["set_current_client_cert_details"] = {"subject": True, "uri": True, "dns": True}
        filters = manager["http_filters"]
        filters.insert(0, {"name": "envoy.filters.http.jwt_authn", "typed_config": authn})
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


def served_by(response):
    assert response.status_code == 200, response.text
    return attempts(response)[0].provider


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
