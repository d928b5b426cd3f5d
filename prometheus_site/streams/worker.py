"""gunicorn's ASGI worker, which tells the open streams to end before it waits for them."""

from gunicorn.workers.gasgi import ASGIWorker  # type: ignore[import-untyped]


class StreamsWorker(ASGIWorker):  # type: ignore[misc]
    """Stops at once when it is asked to; otherwise it would wait for streams that never end by themselves."""

    def handle_exit_signal(self) -> None:
        self.asgi.stop()
        super().handle_exit_signal()
