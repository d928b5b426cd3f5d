"""An S3 server with IAM switched on, which can be told to drop connections and to store other bytes."""

import io
import json
import socket
import threading
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

REGION = "eu-central-1"
BUCKET = "pixel-data"
MAY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": f"arn:aws:s3:::{BUCKET}"},
        {
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject"],
            "Resource": f"arn:aws:s3:::{BUCKET}/final_dataset/*",
        },
    ],
}


@dataclass
class S3Server:
    """The server, the key of a user who may use final_dataset alone, and the faults still to come."""

    url: str = ""
    key: str = ""
    secret: str = ""
    connections_to_drop: int = 0
    puts_to_corrupt: int = 0
    puts_allowed: int | None = None
    puts: list[str] = field(default_factory=list)
    application: Any = None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith("/moto-api"):
            return self.application(environ, start_response)  # type: ignore[no-any-return]
        if self.connections_to_drop:
            self.connections_to_drop -= 1
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            raise ConnectionError("dropped")
        if environ["REQUEST_METHOD"] == "PUT" and "/final_dataset/" in environ["PATH_INFO"]:
            if self.puts_allowed == 0:
                start_response("503 Service Unavailable", [("Content-Length", "0")])
                return [b""]
            self.puts_allowed = self.puts_allowed and self.puts_allowed - 1
            self.puts.append(environ["PATH_INFO"].partition("/final_dataset/")[2])
            if self.puts_to_corrupt:
                self.puts_to_corrupt -= 1
                length = int(environ["CONTENT_LENGTH"])
                body = bytearray(environ["wsgi.input"].read(length))
                body[length // 2] ^= 1
                environ["wsgi.input"] = io.BytesIO(body)
        return self.application(environ, start_response)  # type: ignore[no-any-return]


@contextmanager
def running_s3() -> Iterator[S3Server]:
    """An S3 server with an empty bucket."""
    server = S3Server(application=DomainDispatcherApplication(create_backend_app))
    http = make_server("127.0.0.1", 0, server, threaded=True)
    server.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    try:
        _set_up(server)
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


def _set_up(server: S3Server) -> None:
    """Make the bucket and the user while nobody is asked for rights, then ask everybody."""
    _moto(server, "reset-auth", b"inf")
    _moto(server, "reset", b"")

    def client(service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=server.url,
            region_name=REGION,
            aws_access_key_id="setup",
            aws_secret_access_key="setup",
            config=Config(retries={"max_attempts": 1}),
        )

    s3, iam = client("s3"), client("iam")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    iam.create_user(UserName="publisher")
    iam.put_user_policy(UserName="publisher", PolicyName="publish", PolicyDocument=json.dumps(MAY))
    made = iam.create_access_key(UserName="publisher")["AccessKey"]
    server.key, server.secret = made["AccessKeyId"], made["SecretAccessKey"]
    s3.close()
    iam.close()
    _moto(server, "reset-auth", b"0")


def _moto(server: S3Server, action: str, data: bytes) -> None:
    """Tell the server itself something; all servers of a process have one memory."""
    headers = {"Content-Type": "text/plain"}
    request = urllib.request.Request(f"{server.url}/moto-api/{action}", data, headers, method="POST")  # noqa: S310
    urllib.request.urlopen(request).close()  # noqa: S310 -- our own server
