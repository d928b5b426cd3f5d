"""Croissant metadata: what programs need to load the dataset, by the MLCommons Croissant 1.0 specification.

Read back with mlcroissant 1.1: no error, and every record of a split. The library is no dependency of ours:
it brings type stubs of another pandas than ours.
"""

from typing import Any

from datasets_app.compile.contract import SPLITS, Manifest, Shard
from datasets_app.describing.card import is_rehearsal

CONFORMS_TO = "http://mlcommons.org/croissant/1.0"
JSON_LINES, PARQUET = "application/jsonlines", "application/x-parquet"
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
FACTS = ("source_family", "source", "session", "license_tag", "content_hash", "pii_status")  # of the metadata


def croissant_of(manifest: Manifest, address: str) -> dict[str, Any]:
    """Return the dataset published at `address` as JSON-LD; files are named relative to the build."""
    licenses = sorted({one.license for one in manifest.inputs})
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": "prometheus-foundation-data",
        "description": (
            f"{manifest.total_conversations} therapy conversations, real and made up, for the training of a "
            "supportive dialogue model. Each record says which it is."
            + (
                " This is a rehearsal by scaled synthesis; nothing is to be trained on it."
                if is_rehearsal(manifest)
                else ""
            )
        ),
        "version": f"1.0.0+{manifest.build_id[:12]}",
        "datePublished": manifest.generated_at[:10],
        "license": licenses,
        "url": address,
        "distribution": [*_files(manifest), *(_set(split) for split in _filled(manifest))],
        "recordSet": [_records(split) for split in _filled(manifest)],
    }


def _set(split: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": _set_of(split),
        "name": _set_of(split),
        "encodingFormat": JSON_LINES,
        "includes": f"{split}-*.jsonl",
    }


def _set_of(split: str) -> str:
    return f"{split}-shards"


def _records(split: str) -> dict[str, Any]:
    turns = [_field(split, f"messages/{part}", "messages", f"$[*].{part}") for part in ("role", "content")]
    messages = {
        "@type": "cr:Field",
        "@id": f"{split}/messages",
        "name": f"{split}/messages",
        "description": "The turns in order; the client is user and the therapist assistant.",
        "repeated": True,
        "subField": turns,
    }
    facts = [_field(split, name, "metadata", f"$.{name}") for name in FACTS]
    return {
        "@type": "cr:RecordSet",
        "@id": split,
        "name": split,
        "description": f"The conversations of the {split} split.",
        "field": [messages, *facts],
    }


def _field(split: str, name: str, column: str, path: str) -> dict[str, Any]:
    source = {
        "fileSet": {"@id": _set_of(split)},
        "extract": {"column": column},
        "transform": {"jsonPath": path},
    }
    named = {"@id": f"{split}/{name}", "name": f"{split}/{name}"}
    return {"@type": "cr:Field", **named, "dataType": "sc:Text", "source": source}


def _filled(manifest: Manifest) -> list[str]:
    return [split for split in SPLITS if getattr(manifest.splits, split).shards]


def _shards(split: str, manifest: Manifest) -> list[tuple[Shard, str]]:
    own = getattr(manifest.splits, split)
    return [(shard, JSON_LINES) for shard in own.shards] + [(shard, PARQUET) for shard in own.parquet_shards]


def _files(manifest: Manifest) -> list[dict[str, Any]]:
    return [
        {
            "@type": "cr:FileObject",
            "@id": _name(shard.path),
            "name": _name(shard.path),
            "contentUrl": _name(shard.path),
            "contentSize": f"{shard.size_bytes} B",
            "encodingFormat": kind,
            "sha256": shard.sha256,
        }
        for split in SPLITS
        for shard, kind in _shards(split, manifest)
    ]


def _name(path: str) -> str:
    return path.rsplit("/", 1)[-1]
