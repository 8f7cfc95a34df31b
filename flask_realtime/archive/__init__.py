"""Where output goes that is older than the hot window: segments in files, behind fsspec."""

from flask_realtime.archive.archive import Archive, SegmentLost
from flask_realtime.archive.files import check_url, default_url
from flask_realtime.archive.manifest import SegmentRef

__all__ = ["Archive", "SegmentLost", "SegmentRef", "check_url", "default_url"]
