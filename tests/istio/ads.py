"""A control plane over one stream, as istiod is one: clusters, listeners, extensions by ADS."""

import itertools
import queue
import threading
from concurrent import futures

import descriptors
import grpc
from istiod import INTERNAL_LISTENERS

CLUSTER, LISTENER, EXTENSION = (
    f"type.googleapis.com/envoy.config.{name}"
    for name in ("cluster.v3.Cluster", "listener.v3.Listener", "core.v3.TypedExtensionConfig")
)

DISCOVERY = "envoy.service.discovery.v3"

#: Names the cluster of this server in a bootstrap.
NAME = "xds"


class Ads:
    """State of the world: what a proxy subscribes to is sent whole, whenever it changes."""

    def __init__(self):
        self.refused, self.taken = [], []
        self._resources = {}
        self._streams = []
        self._lock = threading.Lock()
        self._versions = itertools.count(1)
        request = type(descriptors.message(f"{DISCOVERY}.DiscoveryRequest"))
        stream = grpc.stream_stream_rpc_method_handler(
            self._serve,
            request_deserializer=request.FromString,
            response_serializer=lambda response: response.SerializeToString(),
        )
        service = grpc.method_handlers_generic_handler(
            f"{DISCOVERY}.AggregatedDiscoveryService", {"StreamAggregatedResources": stream}
        )
        self._server = grpc.server(futures.ThreadPoolExecutor(4))
        self._server.add_generic_rpc_handlers((service,))
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def push(self, type_url, resources):
        """What there is of this type from now on."""
        packed = []
        for each in resources:
            message = descriptors.parse(type_url.rsplit("/", 1)[1], each)
            packed.append((each["name"], message.SerializeToString(deterministic=True)))
        with self._lock:
            version = str(next(self._versions))
            self._resources[type_url] = (version, packed)
            for each in self._streams:
                each.put(type_url)
        return version

    def _serve(self, requests, _context):
        changes, subscribed = queue.Queue(), {}
        reader = threading.Thread(
            target=self._read, args=[requests, changes, subscribed], daemon=True
        )
        with self._lock:
            self._streams.append(changes)
        reader.start()
        while (type_url := changes.get()) is not None:
            if type_url in subscribed and type_url in self._resources:
                yield self._response(type_url, subscribed[type_url])

    def _read(self, requests, changes, subscribed):
        try:
            for request in requests:
                self._note(request)
                names = list(request.resource_names)
                if subscribed.get(request.type_url) != names:
                    subscribed[request.type_url] = names
                    changes.put(request.type_url)
        except grpc.RpcError:
            pass
        finally:
            with self._lock:
                self._streams.remove(changes)
            changes.put(None)

    def _note(self, request):
        if request.HasField("error_detail"):
            self.refused.append((request.type_url, request.error_detail.message))
        elif request.response_nonce:
            self.taken.append((request.type_url, request.version_info))

    def _response(self, type_url, names):
        version, packed = self._resources[type_url]
        response = descriptors.message(f"{DISCOVERY}.DiscoveryResponse")
        response.type_url, response.version_info, response.nonce = type_url, version, version
        for name, value in packed:
            if not names or name in names:
                response.resources.add(type_url=type_url, value=value)
        return response

    def close(self):
        self._server.stop(grace=None).wait()


def bootstrap(port, admin_port):
    """What a proxy knows by itself: who tells it the rest."""
    options = {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {}},
    }
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    cluster = {
        "name": NAME,
        "connect_timeout": "5s",
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options
        },
        "load_assignment": {
            "cluster_name": NAME,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
        },
    }
    by_stream = {"ads": {}, "resource_api_version": "V3"}
    admin = {"socket_address": {"address": "127.0.0.1", "port_value": admin_port}}
    return {
        "node": {"id": "gateway~test", "cluster": "test"},
        "admin": {"address": admin},
        "bootstrap_extensions": [INTERNAL_LISTENERS],
        "static_resources": {"clusters": [cluster]},
        "dynamic_resources": {
            "ads_config": {
                "api_type": "GRPC",
                "transport_api_version": "V3",
                "grpc_services": [{"envoy_grpc": {"cluster_name": NAME}}],
            },
            "cds_config": by_stream,
            "lds_config": by_stream,
        },
    }
