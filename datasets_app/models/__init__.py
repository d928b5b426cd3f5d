"""Where conversations come from, the conversations themselves, and the runs that make datasets."""

from datasets_app.models.importing import ImportJob, ImportReject, ImportState, Upload, UploadChunk
from datasets_app.models.run import DatasetRun
from datasets_app.models.source import Conversation, Source
from datasets_app.models.worker_run import RunState, WorkerRun

__all__ = [
    "Conversation",
    "DatasetRun",
    "ImportJob",
    "ImportReject",
    "ImportState",
    "RunState",
    "Source",
    "Upload",
    "UploadChunk",
    "WorkerRun",
]
