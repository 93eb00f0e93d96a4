"""The module as OCI image layouts, without a registry or a container tool: for `skopeo copy` or
`oras cp`, by digest.

Two images of one module: `volume` has pointsman.wasm and can be mounted as a volume; `fetch` has
plugin.wasm, as Istio's agent wants it. The same module gives the same bytes.

    oci.py target/pointsman.wasm target/oci
"""

import hashlib
import io
import json
import sys
import tarfile
from pathlib import Path

#: The file's name in each image.
IMAGES = {"volume": "pointsman.wasm", "fetch": "plugin.wasm"}


def blob(folder, content):
    """Stores a blob; gives its digest."""
    digest = hashlib.sha256(content).hexdigest()
    (folder / "blobs/sha256").mkdir(parents=True, exist_ok=True)
    (folder / "blobs/sha256" / digest).write_bytes(content)
    return f"sha256:{digest}"


def layer(name, module):
    """A tar with one file that everybody may read; nothing of it tells when it was made."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(module), 0o444
        tar.addfile(entry, io.BytesIO(module))
    return written.getvalue()


def described(kind, folder, content):
    return {"mediaType": kind, "digest": blob(folder, content), "size": len(content)}


def as_json(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def image(folder, name, module):
    """Writes one layout; gives the digest of its manifest."""
    files = layer(name, module)
    digest = f"sha256:{hashlib.sha256(files).hexdigest()}"
    config = {
        "architecture": "wasm",
        "os": "wasip1",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [digest]},
    }
    prefix = "application/vnd.oci.image"
    manifest = as_json(
        {
            "schemaVersion": 2,
            "mediaType": f"{prefix}.manifest.v1+json",
            "config": described(f"{prefix}.config.v1+json", folder, as_json(config)),
            "layers": [described(f"{prefix}.layer.v1.tar", folder, files)],
        }
    )
    index = {
        "schemaVersion": 2,
        "mediaType": f"{prefix}.index.v1+json",
        "manifests": [described(f"{prefix}.manifest.v1+json", folder, manifest)],
    }
    (folder / "index.json").write_bytes(as_json(index))
    (folder / "oci-layout").write_bytes(as_json({"imageLayoutVersion": "1.0.0"}))
    return index["manifests"][0]["digest"]


def main(module, folder):
    module, folder = Path(module).read_bytes(), Path(folder)
    sums = [f"{hashlib.sha256(module).hexdigest()}  pointsman.wasm"]
    for kind, name in IMAGES.items():
        digest = image(folder / kind, name, module)
        sums.append(f"{digest.removeprefix('sha256:')}  {kind}")
    (folder / "SHA256SUMS").write_text("\n".join(sums) + "\n")
    print((folder / "SHA256SUMS").read_text(), end="")


if __name__ == "__main__":
    main(*sys.argv[1:])
