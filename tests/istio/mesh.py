"""A proxy of a mesh, as istiod would configure it from rendered manifests, with stand-ins."""

import json
import os

import httpx

import ads
import gateway
import manifests
from conftest import ISTIO
from istiod import Istiod, of_kind, write_extension
from descriptors import to_dict

HOST = "llm.llm-gateway.svc.cluster.local"


class Mesh:
    """pointsman.yaml to manifests, to what a proxy gets, to a running Envoy."""

    def __init__(
        self,
        binaries,
        folder,
        document,
        standins,
        flags=("--tls", "plain"),
        edit=None,
        secrets=None,
        versions="1.30,1.31",
    ):
        folder.mkdir(parents=True, exist_ok=True)
        self.binaries, self.folder, self.standins = binaries, folder, standins
        self.flags, self.versions, self.secrets = flags, versions, secrets or {}
        self.version = ISTIO[binaries.envoy_version]
        self.objects = self.render(document)
        assert manifests.problems(self.objects) == []
        self._mount()
        istiod = Istiod(self.objects, self.version)
        assert istiod.missed == []
        port, admin_port = gateway.free_ports(2)
        bootstrap = self._bootstrap(istiod, port, admin_port)
        if edit:
            bootstrap = json.dumps(edit(json.loads(bootstrap)))
        self.envoy = gateway.Envoy(binaries, bootstrap, folder, port, admin_port, {})
        host = of_kind(self.objects, "VirtualService")[0]["spec"]["hosts"][0]
        self.http = httpx.Client(
            base_url=self.envoy.url,
            headers={"host": host},
            timeout=gateway.PATIENCE_S,
            limits=httpx.Limits(max_connections=50),
        )

    def render(self, document):
        path = self.folder / "pointsman.yaml"
        path.write_text(json.dumps({"version": 1, **document}, indent=2))
        command = [self.binaries.pointsman, "render", "istio", path, "--istio", self.versions]
        return manifests.read(gateway.run([*command, *self.flags]))

    def _bootstrap(self, istiod, port, admin_port):
        return istiod.bootstrap(self.folder, port, admin_port, self.mounts)

    def _mount(self):
        """Folders as kubelet mounts them: files are links into a folder that is swapped whole."""
        secrets, keys = self.folder / "sds", self.folder / "keys"
        self.mounts = {
            "/opt/pointsman/pointsman.wasm": self.binaries.module,
            "/etc/pointsman/sds": secrets,
            "/etc/pointsman/keys": keys,
        }
        self.publish(self.objects)
        self.supply({gateway.key_variable(each): each.key for each in self.standins})

    def publish(self, objects):
        """The ConfigMap of these objects is mounted now."""
        texts = of_kind(objects, "ConfigMap")[0]["data"]
        for inside, outside in self.mounts.items():
            texts = {name: text.replace(inside, str(outside)) for name, text in texts.items()}
        swap(self.folder / "sds", texts)

    def supply(self, keys):
        """The Secret has these keys now, and the secrets that are no provider's key."""
        swap(self.folder / "keys", keys | self.secrets)

    def configure(self, document):
        """A new pointsman.yaml, handed to the proxy as its agent does."""
        for name, extension in Istiod(self.render(document), self.version).extensions.items():
            text = json.dumps(to_dict(extension))
            for inside, outside in self.mounts.items():
                text = text.replace(inside, str(outside))
            write_extension(self.folder, name, json.loads(text))

    def chat(self, model, text="hello", **body):
        body = {"model": model, "messages": [{"role": "user", "content": text}], **body}
        return self.http.post("/v1/chat/completions", json=body)

    def open_stream(self, model, text="hello"):
        """A streamed reply that the test reads as it comes."""
        body = {"model": model, "messages": [{"role": "user", "content": text}], "stream": True}
        return self.http.stream("POST", "/v1/chat/completions", json=body)

    def close(self, **expected):
        self.http.close()
        self.envoy.close(**expected)


class StreamedMesh(Mesh):
    """The same, told by one stream of a control plane, as a mesh's proxies are."""

    def _bootstrap(self, istiod, port, admin_port):
        self.ads, self.port = ads.Ads(), port
        self.push(istiod)
        return json.dumps(ads.bootstrap(self.ads.port, admin_port))

    def push(self, istiod):
        """Tells the proxy all of it; gives the versions."""
        kinds = (ads.CLUSTER, ads.LISTENER, ads.EXTENSION)
        resources = istiod.resources(self.port, self.mounts)
        return [self.ads.push(kind, each) for kind, each in zip(kinds, resources)]

    def configure(self, document):
        objects = self.render(document)
        self.publish(objects)
        self.push(Istiod(objects, self.version))

    def close(self, **expected):
        try:
            super().close(**expected)
        finally:
            self.ads.close()


def swap(folder, files):
    """Replaces all files at once."""
    folder.mkdir(exist_ok=True)
    number = sum(1 for _ in folder.glob("..20*"))
    data = folder / f"..2026_{number}"
    data.mkdir()
    for name, text in files.items():
        (data / name).write_text(text)
        link = folder / name
        if not link.is_symlink():
            link.symlink_to(f"..data/{name}")
    aside = folder / "..data_tmp"
    aside.symlink_to(data.name)
    os.rename(aside, folder / "..data")
