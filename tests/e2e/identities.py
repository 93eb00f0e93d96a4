"""Who asks, by a certificate of an authority of our own or by a token; and a document that cares."""

import base64
import datetime
import hashlib
import hmac
import json
import ssl

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from gateway import PATIENCE_S, STEADFAST, provider
from replies import attempts

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


def jwks():
    """The key that tokens are checked with, as JSON."""
    key = {"kty": "oct", "alg": "HS256", "kid": "one", "k": base64url(SIGNING_KEY)}
    return json.dumps({"keys": [key]})


MANAGER = "envoy.filters.network.http_connection_manager"
TLS = "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"
JWT = "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication"


def look_closely(bootstrap, authority, server, payload, **tokens):
    """Makes the listener take TLS as `server`, look at certificates if there are any, and check
    tokens if there are any: claims are kept under `payload`. Gives its connection manager."""
    (listener,) = bootstrap["static_resources"]["listeners"]
    (chain,) = listener["filter_chains"]
    chain["transport_socket"] = _typed("envoy.transport_sockets.tls", TLS, _context(authority, server))
    (manager,) = [each for each in chain["filters"] if each["name"] == MANAGER]
    manager = manager["typed_config"]
    authn = _typed("envoy.filters.http.jwt_authn", JWT, _checks(payload, tokens))
    manager["http_filters"].insert(0, authn)
    return manager


def _typed(name, kind, config):
    return {"name": name, "typed_config": {"@type": f"type.googleapis.com/{kind}", **config}}


def _context(authority, server):
    chain, key = server
    certificate = {"certificate_chain": {"filename": chain}, "private_key": {"filename": key}}
    common = {
        "tls_certificates": [certificate],
        "validation_context": {"trusted_ca": {"filename": authority.file}},
        "alpn_protocols": ["h2", "http/1.1"],
    }
    return {"common_tls_context": common}


def _checks(payload, tokens):
    provider = {
        "issuer": ISSUER,
        "local_jwks": {"inline_string": jwks()},
        "payload_in_metadata": payload,
        **tokens,
    }
    any_of = [{"provider_name": "tokens"}, {"allow_missing": {}}]
    rule = {"match": {"prefix": "/"}, "requires": {"requires_any": {"requirements": any_of}}}
    return {"providers": {"tokens": provider}, "rules": [rule]}


def served_by(response):
    """The first provider that was asked for an answer."""
    assert response.status_code == 200, response.text
    return attempts(response)[0].provider


def identity_document(standins, candidate):
    three = [candidate(name) for name in NAMES]
    names = {name: f"{name}/{each['model']}" for name, each in zip(NAMES, three)}
    return {
        "providers": {s.name: provider(s, **STEADFAST) for s in standins},
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
        "budgets": [
            {
                "name": by,
                "when": {"headers": {"x-budget": by}},
                "by": account,
                "requests": 2,
                "per": "day",
            }
            for by, account in (("identity", {"identity": True}), ("claim", {"claim": "sub"}))
        ],
    }


class Known:
    """Asks a gateway as somebody: with a certificate for an identity, or without one."""

    def __init__(self, authority, port, host=None):
        self._authority, self._host = authority, host
        self._url = f"https://localhost:{port}"
        self._clients = {}

    def __call__(self, identity=None, model="smart", issuer=None, method="POST", **headers):
        who = (identity, issuer or self._authority)
        if who not in self._clients:
            self._clients[who] = self._client(*who)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if self._host:
            headers["host"] = self._host
        if method == "GET":
            return self._clients[who].get("/v1/models", headers=headers)
        body = {"model": model, "messages": [{"role": "user", "content": "hello"}]}
        return self._clients[who].post("/v1/chat/completions", json=body, headers=headers)

    def _client(self, identity, issuer):
        context = ssl.create_default_context(cafile=self._authority.file)
        if identity:
            uri = x509.UniformResourceIdentifier(identity)
            context.load_cert_chain(*issuer.issue(f"client-{len(self._clients)}", uri))
        return httpx.Client(base_url=self._url, verify=context, timeout=PATIENCE_S)

    def close(self):
        for each in self._clients.values():
            each.close()
