"""Where conversations come from and the conversations themselves."""

from datasets_app.models.importing import ImportJob, ImportReject, ImportState, Upload, UploadChunk
from datasets_app.models.source import Conversation, Source

__all__ = ["Conversation", "ImportJob", "ImportReject", "ImportState", "Source", "Upload", "UploadChunk"]
