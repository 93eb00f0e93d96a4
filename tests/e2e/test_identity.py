"""Who asks, by certificate and by token on a real Envoy: policies of their own, and no way in."""

import base64
import datetime
import hashlib
import hmac
import json
import ssl

import httpx
import pytest
import yaml
from conftest import candidate
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from gateway import PATIENCE_S, Gateway, Standins, provider
from replies import attempts, error

NAMES = ("openai", "anthropic", "gemini")

SEARCH, BATCH, STRANGER = (
    f"spiffe://cluster.local/ns/{name}/sa/app" for name in ("search", "batch", "stranger")
)

ISSUER = "https://tokens.example"

SIGNING_KEY = b"a key that only this test and its Envoy know"


class Authority:
    """A certificate authority whose certificates name workloads, as a mesh's does."""

    def __init__(self, folder):
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mesh")])
        self._ca = self._sign(self._name, self._key, [], is_ca=True)
        self.file = self._write("ca.pem", self._ca.public_bytes(serialization.Encoding.PEM))

    def issue(self, name, *names):
        """Files with a certificate for these subject names, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._sign(subject, key, names)
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        chain = certificate.public_bytes(serialization.Encoding.PEM)
        return self._write(f"{name}.pem", chain), self._write(f"{name}.key", pem)

    def _sign(self, subject, key, names, is_ca=False):
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self._key, hashes.SHA256())

    def _write(self, name, content):
        path = self._folder / name
        path.write_bytes(content)
        return str(path)


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(key=SIGNING_KEY, **claims):
    head = base64url(json.dumps({"alg": "HS256", "typ": "JWT", "kid": "one"}).encode())
    body = base64url(json.dumps({"iss": ISSUER, "exp": 4_000_000_000, **claims}).encode())
    signature = hmac.new(key, f"{head}.{body}".encode(), hashlib.sha256).digest()
    return f"{head}.{body}.{base64url(signature)}"


def identity_document(standins):
    steadfast = {"consecutive_failures": 1000}
    three = [candidate(name) for name in NAMES]
    names = {name: f"{name}/{each['model']}" for name, each in zip(NAMES, three)}
    return {
        "providers": {s.name: provider(s, outlier_detection=steadfast) for s in standins},
        "models": {"smart": {"candidates": three}, "open": {"candidates": three}},
        "admit": [
            {"identity": [SEARCH, BATCH]},
            {"claims": {"tier": ["gold", "silver"]}},
            {"model": "open"},
        ],
        "rules": [
            {"name": "search", "when": {"identity": SEARCH}, "candidates": [names["anthropic"]]},
            {"name": "gold", "when": {"claims": {"tier": "gold"}}, "candidates": [names["gemini"]]},
        ],
    }


def behind_mtls(authority, server):
    """Makes Envoy take TLS, look at certificates if there are any, and check tokens."""
    chain, key = server
    jwks = {
        "keys": [{"kty": "oct", "alg": "HS256", "kid": "one", "k": base64url(SIGNING_KEY)}]
    }
    any_of = [{"provider_name": "tokens"}, {"allow_missing": {}}]
    jwt_authn = {
        "name": "envoy.filters.http.jwt_authn",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
            "providers": {
                "tokens": {
                    "issuer": ISSUER,
                    "local_jwks": {"inline_string": json.dumps(jwks)},
                    "payload_in_metadata": "jwt_payload",
                    "from_headers": [{"name": "x-token", "value_prefix": "Bearer "}],
                }
            },
            "rules": [
                {"match": {"prefix": "/"}, "requires": {"requires_any": {"requirements": any_of}}}
            ],
        },
    }
    tls = {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {
                "tls_certificates": [
                    {"certificate_chain": {"filename": chain}, "private_key": {"filename": key}}
                ],
                "validation_context": {"trusted_ca": {"filename": authority.file}},
            },
        },
    }

    def edit(bootstrap):
        bootstrap = yaml.safe_load(bootstrap)
        (listener,) = bootstrap["static_resources"]["listeners"]
        (filter_chain,) = listener["filter_chains"]
        filter_chain["transport_socket"] = tls
        manager = filter_chain["filters"][0]["typed_config"]
        manager["http_filters"].insert(0, jwt_authn)
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
        identity_document(standins),
        standins,
        edit=behind_mtls(authority, server),
    )
    clients = {}

    def client(identity, issuer):
        context = ssl.create_default_context(cafile=authority.file)
        if identity:
            name = f"client-{len(clients)}"
            uri = x509.UniformResourceIdentifier(identity)
            context.load_cert_chain(*issuer.issue(name, uri))
        url = f"https://localhost:{gateway.port}"
        return httpx.Client(base_url=url, verify=context, timeout=PATIENCE_S)

    def ask(identity=None, model="smart", issuer=authority, method="POST", **headers):
        who = (identity, issuer)
        if who not in clients:
            clients[who] = client(*who)
        if method == "GET":
            return clients[who].get("/v1/models", headers=headers)
        body = {"model": model, "messages": [{"role": "user", "content": "hello"}]}
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return clients[who].post("/v1/chat/completions", json=body, headers=headers)

    yield ask
    for each in clients.values():
        each.close()
    gateway.close()


def served_by(response):
    assert response.status_code == 200, response.text
    return attempts(response)[0].provider


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
    document = identity_document(standins)
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
