"""Envoy's API as protobuf types, strictly: a field that Envoy does not have is an error.

The descriptors are a data file of the crate envoy-types, which cargo fetches; nothing of it is
compiled.
"""

import functools
import json
import subprocess
from pathlib import Path

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

MANIFEST = Path(__file__).parent / "protos/Cargo.toml"

#: What an EnvoyFilter's `value` is, by `applyTo`.
PATCHED = {
    "CLUSTER": "envoy.config.cluster.v3.Cluster",
    "EXTENSION_CONFIG": "envoy.config.core.v3.TypedExtensionConfig",
    "FILTER_CHAIN": "envoy.config.listener.v3.FilterChain",
    "HTTP_FILTER": "envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter",
    "HTTP_ROUTE": "envoy.config.route.v3.Route",
    "LISTENER": "envoy.config.listener.v3.Listener",
    "NETWORK_FILTER": "envoy.config.listener.v3.Filter",
    "ROUTE_CONFIGURATION": "envoy.config.route.v3.RouteConfiguration",
    "VIRTUAL_HOST": "envoy.config.route.v3.VirtualHost",
}


@functools.cache
def pool():
    command = ["cargo", "metadata", "--format-version", "1", "--locked"]
    done = subprocess.run(
        [*command, "--manifest-path", str(MANIFEST)], capture_output=True, check=True, text=True
    )
    packages = json.loads(done.stdout)["packages"]
    crate = next(p for p in packages if p["name"] == "envoy-types")
    types = Path(crate["manifest_path"]).parent / "src/generated/types.bin"
    files = {f.name: f for f in descriptor_pb2.FileDescriptorSet.FromString(types.read_bytes()).file}
    found = descriptor_pool.DescriptorPool()
    added = set()

    def add(name):
        if name in added:
            return
        added.add(name)
        for dependency in files[name].dependency:
            if dependency in files:
                add(dependency)
        found.Add(files[name])

    for name in files:
        add(name)
    return found


def message(type_name):
    """An empty message of this type."""
    return message_factory.GetMessageClass(pool().FindMessageTypeByName(type_name))()


def parse(type_name, value):
    """`value` as a message; a field or a value that the type does not know is a ParseError."""
    return json_format.ParseDict(value, message(type_name), descriptor_pool=pool())


def to_dict(parsed):
    """A message as Envoy reads it from a file."""
    return json_format.MessageToDict(
        parsed, preserving_proto_field_name=True, descriptor_pool=pool()
    )


def merge(into, patch):
    """Merges as istiod does: fields of messages one by one, lists are appended, entries of maps
    replaced whole; durations replaced whole."""
    for field, value in patch.ListFields():
        is_map = field.message_type and field.message_type.GetOptions().map_entry
        is_list = field.is_repeated and not is_map
        target = getattr(into, field.name)
        if is_map:
            for key in value:
                if field.message_type.fields_by_name["value"].message_type:
                    target[key].CopyFrom(value[key])
                else:
                    target[key] = value[key]
        elif is_list:
            target.extend(value)
        elif field.message_type is None:
            setattr(into, field.name, value)
        elif field.message_type.full_name == "google.protobuf.Any":
            merge_any(target, value)
        elif field.message_type.full_name.startswith("google.protobuf."):
            target.CopyFrom(value)
        else:
            target.SetInParent()
            merge(target, value)


def merge_any(into, patch):
    """Merges what is inside if it is of one type, and replaces it otherwise."""
    if into.type_url != patch.type_url:
        into.CopyFrom(patch)
        return
    name = patch.type_url.rsplit("/", 1)[1]
    inside, change = message(name), message(name)
    inside.ParseFromString(into.value)
    change.ParseFromString(patch.value)
    merge(inside, change)
    into.value = inside.SerializeToString(deterministic=True)
