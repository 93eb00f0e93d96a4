"""What istiod makes of manifests, as far as these need it: clusters of ServiceEntries and
DestinationRules, a listener of a Gateway or Service and its VirtualService, EnvoyFilters applied.

An emulation: its rules are read from istiod's source, not run against it.
"""

import copy
import json
import re
from pathlib import Path

import descriptors

HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
MANAGER = "envoy.filters.network.http_connection_manager"
MANAGER_TYPE = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
SYSTEM_CA = "/etc/ssl/certs/ca-certificates.crt"


def of_kind(objects, kind):
    return [each for each in objects if each["kind"] == kind]


def typed(name, type_name, **config):
    return {
        "name": name,
        "typed_config": {"@type": f"type.googleapis.com/{type_name}", **config},
    }


#: Every proxy's own bootstrap has this, whether or not it is an ambient one's.
INTERNAL_LISTENERS = typed(
    "envoy.bootstrap.internal_listener",
    "envoy.extensions.bootstrap.internal_listener.v3.InternalListener",
    buffer_size_kb=64,
)


class Istiod:
    """The configuration of one proxy."""

    def __init__(self, objects, version, services=None):
        self.objects = objects
        self.version = version
        #: Services of the cluster: (host, port) to the address of a pod.
        self.services = services or {}
        self.is_gateway = bool(of_kind(objects, "Gateway"))
        self.context = "GATEWAY" if self.is_gateway else "SIDECAR_OUTBOUND"
        self.extensions = {}
        #: What patches have added beside the mesh's own.
        self.listeners = []
        #: Patches for this proxy that found nothing to patch.
        self.missed = []
        self.clusters = [
            descriptors.parse("envoy.config.cluster.v3.Cluster", cluster)
            for cluster in self._clusters()
        ]
        self.listener = descriptors.parse("envoy.config.listener.v3.Listener", self._listener())
        for patch in self._patches():
            self._apply(patch)

    # --- what istiod makes by itself

    def _clusters(self):
        rules = {each["spec"]["host"]: each["spec"] for each in of_kind(self.objects, "DestinationRule")}
        for entry in of_kind(self.objects, "ServiceEntry"):
            for host in entry["spec"]["hosts"]:
                for port in entry["spec"]["ports"]:
                    yield from clusters(host, port, entry["spec"], rules.get(host, {}))
        for (host, port), address in self.services.items():
            spec = {"resolution": "STATIC", "endpoints": [{"address": address[0]}]}
            port = {"number": port, "targetPort": address[1], "name": "http", "protocol": "HTTP"}
            yield from clusters(host, port, spec, rules.get(host, {}))

    def _listener(self):
        self.port = (
            of_kind(self.objects, "Gateway")[0]["spec"]["servers"][0]["port"]["number"]
            if self.is_gateway
            else of_kind(self.objects, "Service")[0]["spec"]["ports"][0]["port"]
        )
        service = of_kind(self.objects, "VirtualService")[0]
        host = service["spec"]["hosts"][0]
        self.virtual_host = f"{host}:{self.port}"
        routes = [r for http in service["spec"]["http"] for r in http_routes(http)]
        manager = typed(
            MANAGER,
            MANAGER_TYPE,
            stat_prefix=f"outbound_0.0.0.0_{self.port}",
            use_remote_address=self.is_gateway,
            normalize_path=True,
            stream_idle_timeout="0s",
            upgrade_configs=[{"upgrade_type": "websocket"}],
            route_config={
                "name": f"http.{self.port}",
                "validate_clusters": False,
                "virtual_hosts": [
                    {
                        "name": self.virtual_host,
                        "domains": [host, f"{host}:*"],
                        "include_request_attempt_count": True,
                        "routes": routes,
                    }
                ],
            },
            http_filters=[
                typed("envoy.filters.http.cors", "envoy.extensions.filters.http.cors.v3.Cors"),
                typed("envoy.filters.http.fault", "envoy.extensions.filters.http.fault.v3.HTTPFault"),
                typed("envoy.filters.http.router", "envoy.extensions.filters.http.router.v3.Router"),
            ],
        )
        return {
            "name": f"0.0.0.0_{self.port}",
            "address": {"socket_address": {"address": "0.0.0.0", "port_value": self.port}},
            "filter_chains": [{"filters": [manager]}],
        }

    # --- EnvoyFilters

    def _patches(self):
        filters = sorted(
            of_kind(self.objects, "EnvoyFilter"), key=lambda each: each["spec"].get("priority", 0)
        )
        for envoy_filter in filters:
            for patch in envoy_filter["spec"]["configPatches"]:
                place = patch.get("match", {})
                if place.get("context", "ANY") not in ("ANY", self.context):
                    continue
                gate = place.get("proxy", {}).get("proxyVersion")
                if gate and not re.search(gate, self.version):
                    continue
                yield patch

    def _apply(self, patch):
        kind, operation = patch["applyTo"], patch["patch"]["operation"]
        value = descriptors.parse(descriptors.PATCHED[kind], patch["patch"]["value"])
        place = patch["match"]
        if kind == "EXTENSION_CONFIG":
            self.extensions[value.name] = value
            return
        if operation == "ADD":
            {"CLUSTER": self.clusters, "LISTENER": self.listeners}[kind].append(value)
            return
        found = list(self._find(kind, place))
        if not found:
            self.missed.append(patch)
        for target in found:
            if operation == "MERGE":
                descriptors.merge(target, value)
            else:
                assert (kind, operation) == ("HTTP_FILTER", "INSERT_BEFORE"), (kind, operation)
                before = place["listener"]["filterChain"]["filter"]["subFilter"]["name"]
                insert_before(target.http_filters, before, value)
        if kind in ("HTTP_FILTER", "HTTP_ROUTE"):
            self._keep_manager()

    def _find(self, kind, place):
        if kind == "CLUSTER":
            wanted = place["cluster"]
            for each in self.clusters:
                parts = each.name.split("|")
                if len(parts) == 4 and parts[3] == wanted["service"]:
                    port, subset = int(parts[1]), parts[2]
                    if port == wanted.get("portNumber", port) and subset == wanted.get("subset", ""):
                        yield each
        elif kind == "HTTP_ROUTE":
            yield from self._routes(place["routeConfiguration"])
        elif place["listener"]["portNumber"] == self.port:
            if kind == "LISTENER":
                yield self.listener
            elif kind == "NETWORK_FILTER":
                yield self.listener.filter_chains[0].filters[0]
            elif kind == "HTTP_FILTER":
                yield self._open_manager()

    def _routes(self, wanted):
        host = wanted["vhost"]
        gateway = wanted.get("gateway")
        if gateway is not None:
            meta = of_kind(self.objects, "Gateway")[0]["metadata"]
            if gateway != f"{meta['namespace']}/{meta['name']}":
                return
        if wanted.get("portNumber", self.port) != self.port:
            return
        if host.get("name", self.virtual_host) != self.virtual_host:
            return
        for each in self._open_manager().route_config.virtual_hosts[0].routes:
            if each.name == host["route"]["name"]:
                yield each

    def _open_manager(self):
        packed = self.listener.filter_chains[0].filters[0].typed_config
        self._manager = descriptors.message(MANAGER_TYPE)
        self._manager.ParseFromString(packed.value)
        return self._manager

    def _keep_manager(self):
        packed = self.listener.filter_chains[0].filters[0].typed_config
        packed.value = self._manager.SerializeToString(deterministic=True)

    # --- what the proxy gets

    def resources(self, port, mounts):
        """Clusters, listeners and extensions as they go to the proxy: by the stream alone."""
        listener = descriptors.to_dict(self.listener)
        listener["address"]["socket_address"] = {"address": "127.0.0.1", "port_value": port}
        kinds = (
            [descriptors.to_dict(each) for each in self.clusters],
            [listener, *(descriptors.to_dict(each) for each in self.listeners)],
            [descriptors.to_dict(each) for each in self.extensions.values()],
        )
        text = json.dumps(kinds)
        for inside, outside in mounts.items():
            text = text.replace(inside, str(outside))
        return json.loads(text)

    def bootstrap(self, folder, port=None, admin_port=None, mounts=None, discovered=True):
        """A whole bootstrap, with extensions as files that are watched or, if not `discovered`,
        where they stand. `mounts` are folders of the container and what stands for them here."""
        listener = descriptors.to_dict(self.listener)
        if port:
            listener["address"]["socket_address"] = {"address": "127.0.0.1", "port_value": port}
        bootstrap = {
            "node": {"id": "gateway~test", "cluster": "test"},
            "bootstrap_extensions": [INTERNAL_LISTENERS],
            "static_resources": {
                "listeners": [listener, *(descriptors.to_dict(each) for each in self.listeners)],
                "clusters": [descriptors.to_dict(each) for each in self.clusters],
            },
        }
        if admin_port:
            address = {"socket_address": {"address": "127.0.0.1", "port_value": admin_port}}
            bootstrap["admin"] = {"address": address}
        extensions = {n: descriptors.to_dict(each) for n, each in self.extensions.items()}
        bootstrap = place_extensions(bootstrap, extensions, folder if discovered else None)
        text = json.dumps(bootstrap)
        extensions = {n: json.dumps(each) for n, each in extensions.items()}
        for inside, outside in (mounts or {}).items():
            text = text.replace(inside, str(outside))
            extensions = {n: each.replace(inside, str(outside)) for n, each in extensions.items()}
        for name, each in extensions.items():
            write_extension(folder, name, json.loads(each))
        return text


def extension_file(folder, name):
    return Path(folder) / f"extension.{name}.yaml"


def write_extension(folder, name, extension):
    """As the agent hands it on: whole, by a rename."""
    kind = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig"
    resources = {"resources": [{"@type": kind, **extension}]}
    aside = Path(folder) / f".{name}"
    aside.write_text(json.dumps(resources))
    aside.rename(extension_file(folder, name))


def place_extensions(tree, extensions, folder):
    """Turns what asks the control plane into what asks a file, or into the extension itself."""
    if isinstance(tree, list):
        return [place_extensions(each, extensions, folder) for each in tree]
    if not isinstance(tree, dict):
        return tree
    if "config_discovery" not in tree:
        return {name: place_extensions(each, extensions, folder) for name, each in tree.items()}
    tree = copy.deepcopy(tree)
    if folder is None:
        del tree["config_discovery"]
        return {**tree, **extensions[tree["name"]]}
    tree["config_discovery"]["config_source"] = {
        "path_config_source": {
            "path": str(extension_file(folder, tree["name"])),
            "watched_directory": {"path": str(folder)},
        },
        "resource_api_version": "V3",
        "initial_fetch_timeout": "10s",
    }
    return tree


def insert_before(filters, name, value):
    rest = list(filters)
    at = [each.name for each in rest].index(name)
    del filters[:]
    filters.extend([*rest[:at], value, *rest[at:]])


def clusters(host, port, spec, rule):
    """The clusters of one port of one host: for all of it, and for each subset."""
    common = rule.get("trafficPolicy", {})
    yield cluster("", host, port, spec, common)
    for subset in rule.get("subsets", []):
        yield cluster(subset["name"], host, port, spec, common | subset.get("trafficPolicy", {}))


def cluster(subset, host, port, spec, policy):
    """The cluster of a subset, or of all, of one port of one host."""
    name = f"outbound|{port['number']}|{subset}|{host}"
    tls = policy.get("tls")
    options = {"explicit_http_config": {"http_protocol_options": {}}}
    if port["protocol"] == "HTTP2":
        options = {"explicit_http_config": {"http2_protocol_options": {}}}
    if tls and not tls.get("sni"):
        options["upstream_http_protocol_options"] = {
            "auto_sni": True,
            "auto_san_validation": not tls.get("subjectAltNames"),
        }
    pool = policy.get("connectionPool", {})
    made = {
        "name": name,
        "type": "STRICT_DNS" if spec["resolution"] == "DNS" else "STATIC",
        "connect_timeout": milliseconds(pool.get("tcp", {}).get("connectTimeout", "10s")),
        "metadata": {
            "filter_metadata": {"istio": {"services": [{"host": host, "name": host}]}}
        },
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [
                {
                    "lb_endpoints": [
                        endpoint(each, port) for each in spec.get("endpoints", [{"address": host}])
                    ]
                }
            ],
        },
        "circuit_breakers": {"thresholds": [thresholds(pool)]},
        "typed_extension_protocol_options": {
            HTTP_OPTIONS: {"@type": f"type.googleapis.com/{HTTP_OPTIONS}", **options}
        },
    }
    if spec["resolution"] == "DNS":
        made["dns_lookup_family"] = "V4_ONLY"
    if "outlierDetection" in policy:
        outliers = policy["outlierDetection"]
        made["outlier_detection"] = {
            "enforcing_success_rate": 0,
            "consecutive_5xx": outliers["consecutive5xxErrors"],
            "enforcing_consecutive_5xx": 100,
            "interval": milliseconds(outliers["interval"]),
            "base_ejection_time": milliseconds(outliers["baseEjectionTime"]),
            "max_ejection_percent": outliers["maxEjectionPercent"],
        }
        # Set even to 0, which is never to panic.
        panic = {"value": outliers.get("minHealthPercent", 0)}
        made["common_lb_config"] = {"healthy_panic_threshold": panic}
    if tls and tls["mode"] == "SIMPLE":
        made["transport_socket"] = transport_socket(tls, port)
    return made


def endpoint(each, port):
    address = each["address"]
    if address.startswith("unix://"):
        where = {"pipe": {"path": address.removeprefix("unix://")}}
    else:
        number = each.get("ports", {}).get(port["name"]) or port.get("targetPort", port["number"])
        where = {"socket_address": {"address": address, "port_value": number}}
    return {
        "endpoint": {"address": where},
        # What istiod tells of endpoints, for telemetry.
        "metadata": {"filter_metadata": {"istio": {"workload": ";llm-gateway;;;Kubernetes"}}},
    }


def thresholds(pool):
    most = 4294967295
    http, tcp = pool.get("http", {}), pool.get("tcp", {})
    return {
        "max_connections": tcp.get("maxConnections", most),
        "max_pending_requests": http.get("http1MaxPendingRequests", most),
        "max_requests": http.get("http2MaxRequests", most),
        "max_retries": http.get("maxRetries", most),
        "track_remaining": True,
    }


def transport_socket(tls, port):
    validation = {"trusted_ca": {"filename": tls.get("caCertificates", SYSTEM_CA)}}
    names = tls.get("subjectAltNames", [])
    if names:
        # Istio asks for a name of any kind.
        validation["match_typed_subject_alt_names"] = [
            {"san_type": kind, "matcher": {"exact": name}}
            for name in names
            for kind in ("DNS", "IP_ADDRESS")
        ]
    common = {"validation_context": validation}
    if port["protocol"] == "HTTP2":
        common["alpn_protocols"] = ["h2"]
    return typed(
        "envoy.transport_sockets.tls",
        "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        common_tls_context=common,
        **({"sni": tls["sni"]} if "sni" in tls else {}),
    )


def milliseconds(duration):
    """Envoy's duration for Istio's."""
    if duration.endswith("ms"):
        return f"{int(duration[:-2]) / 1000:.3f}s"
    return duration


def http_routes(http):
    """One route for each match."""
    for match in http["match"]:
        uri = match["uri"]
        found = {"prefix": uri["prefix"]} if "prefix" in uri else {"safe_regex": uri}
        route = {"name": http["name"], "match": found}
        if "directResponse" in http:
            answer = http["directResponse"]
            body = {"inline_string": answer["body"]["string"]}
            route["direct_response"] = {"status": answer["status"], "body": body}
        else:
            to = http["route"][0]["destination"]
            route["route"] = {
                "cluster": f"outbound|{to['port']['number']}||{to['host']}",
                "timeout": http.get("timeout", "0s"),
                "retry_policy": retry_policy(http["retries"]),
            }
        wanted = http.get("headers", {}).get("response", {}).get("set", {})
        route["response_headers_to_add"] = [
            {
                "header": {"key": name, "value": value},
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            }
            for name, value in wanted.items()
        ]
        yield route


def retry_policy(retries):
    words = retries["retryOn"].split(",")
    statuses = [int(word) for word in words if word.isdigit()]
    policy = {
        "retry_on": ",".join(word for word in words if not word.isdigit()),
        "num_retries": retries["attempts"],
        "retriable_status_codes": statuses,
        "host_selection_retry_max_attempts": 5,
    }
    if retries.get("retryIgnorePreviousHosts", True):
        policy["retry_host_predicate"] = [
            typed(
                "envoy.retry_host_predicates.previous_hosts",
                "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
            )
        ]
    return policy
