"""Where datasets stand: a local folder or an S3 bucket, behind one port."""

import hashlib
import os
from pathlib import Path
from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

S3_SCHEME = "s3://"
PRIVATE = 0o700  # of a folder that is made
SHA256_KEY = "sha256"
ATTEMPTS = 6  # of one request whose connection drops
TIMEOUT_SECONDS = 20
ABSENT = {"404", "NoSuchKey", "NotFound"}
NO_KEY = " Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a folder instead of an s3:// address."
CONFLICT = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}


class StorageError(Exception):
    """The storage did not do what was asked, in a sentence."""


class MissingError(StorageError):
    """There is no such object."""

    def __init__(self, address: str, path: str) -> None:
        super().__init__(f"{address} has no {path}.")


class ConflictError(StorageError):
    """Somebody else has changed the object since it was read."""

    def __init__(self, address: str, path: str) -> None:
        super().__init__(
            f"Somebody else has written {path} to {address} meanwhile: look at it, and try again."
        )


class Storage(Protocol):
    """A place of objects by path. Every method may raise StorageError."""

    address: str

    def read(self, path: str) -> bytes:
        """The bytes of an object. Raises MissingError."""
        ...

    def read_pointer(self, path: str) -> tuple[bytes, str] | None:
        """The bytes of an object and the mark of this version of it, or None where there is none."""
        ...

    def put(self, path: str, data: bytes) -> None:
        """Write an object; it is there whole or not at all."""
        ...

    def put_pointer(self, path: str, data: bytes, known: str | None) -> None:
        """Write an object unless its version is not the `known` one any more. Raises ConflictError."""
        ...


def storage_at(address: str) -> Storage:
    """The storage at `s3://bucket/prefix`, else the local folder of that path."""
    if address.startswith(S3_SCHEME):
        return S3Storage(address)
    return LocalStorage(Path(address))


class LocalStorage:
    """A folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = str(folder)

    def read(self, path: str) -> bytes:
        try:
            return self._path(path).read_bytes()
        except FileNotFoundError:
            raise MissingError(self.address, path) from None
        except OSError as error:
            raise self._failed(path, error) from None

    def read_pointer(self, path: str) -> tuple[bytes, str] | None:
        try:
            data = self.read(path)
        except MissingError:
            return None
        return data, hashlib.sha256(data).hexdigest()

    def put(self, path: str, data: bytes) -> None:
        target = self._path(path)
        part = target.with_name(f".{target.name}.part")
        try:
            self.folder.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
            target.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(target)
        except OSError as error:
            raise self._failed(path, error) from None

    def put_pointer(self, path: str, data: bytes, known: str | None) -> None:
        there = self.read_pointer(path)
        if (there and there[1]) != known:
            raise ConflictError(self.address, path)
        self.put(path, data)

    def _path(self, path: str) -> Path:
        found = (self.folder / path).resolve()
        if not found.is_relative_to(self.folder.resolve()):
            raise StorageError(f"{path} leads out of {self.address}.")
        return found

    def _failed(self, path: str, error: OSError) -> StorageError:
        return StorageError(f"{path} in {self.address}: {error.strerror}.")


class S3Storage:
    """A prefix in a bucket; endpoint and credentials are those of the environment, as boto3 knows them."""

    def __init__(self, address: str) -> None:
        bucket, _slash, prefix = address.removeprefix(S3_SCHEME).partition("/")
        if not bucket:
            raise StorageError(f"{address} names no bucket: write s3://bucket/prefix.")
        self.address = address.rstrip("/")
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        import boto3  # takes a third of a second, and most work is local
        from botocore.config import Config

        retries = {"max_attempts": ATTEMPTS, "mode": "standard"}
        config = Config(
            retries=retries,
            connect_timeout=TIMEOUT_SECONDS,
            read_timeout=TIMEOUT_SECONDS,
            response_checksum_validation="when_required",  # our own SHA-256 decides, not what the server says
        )
        self._client = boto3.session.Session().client("s3", config=config)

    def read(self, path: str) -> bytes:
        found = self._get(path)
        if found is None:
            raise MissingError(self.address, path)
        return found[0]

    def read_pointer(self, path: str) -> tuple[bytes, str] | None:
        return self._get(path)

    def put(self, path: str, data: bytes) -> None:
        self._put(path, data)

    def put_pointer(self, path: str, data: bytes, known: str | None) -> None:
        self._put(path, data, **({"IfMatch": known} if known else {"IfNoneMatch": "*"}))

    def _put(self, path: str, data: bytes, **conditions: str) -> None:
        facts = {SHA256_KEY: hashlib.sha256(data).hexdigest()}
        try:
            self._client.put_object(
                Bucket=self._bucket, Key=self._prefix + path, Body=data, Metadata=facts, **conditions
            )
        except ClientError as error:
            if _code(error) in CONFLICT:
                raise ConflictError(self.address, path) from None
            raise self._failed(path, error) from None
        except (BotoCoreError, OSError) as error:
            raise self._failed(path, error) from None

    def _get(self, path: str) -> tuple[bytes, str] | None:
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=self._prefix + path)
            return answer["Body"].read(), str(answer["ETag"])
        except ClientError as error:
            if _code(error) in ABSENT:
                return None
            raise self._failed(path, error) from None
        except (BotoCoreError, OSError) as error:
            raise self._failed(path, error) from None

    def _failed(self, path: str, error: Exception) -> StorageError:
        remedy = NO_KEY if isinstance(error, NoCredentialsError | PartialCredentialsError) else ""
        return StorageError(f"{self.address}/{path}: {error}.{remedy}")


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def folder_of(given: str, file: str) -> str:
    """The address of the folder that holds `file`, whether a person named the file or the folder."""
    return "." if given == file else given.removesuffix(f"/{file}")
