"""What a job takes: its signature, read once, as types, as JSON Schema and as a check of values."""

from flask_realtime.parameters.inputs import MultiLine, Secret, Upload, UploadId
from flask_realtime.parameters.model import Parameters, to_json
from flask_realtime.parameters.parameter import Parameter
from flask_realtime.parameters.signature import innermost, read_parameters

__all__ = [
    "MultiLine",
    "Parameter",
    "Parameters",
    "Secret",
    "Upload",
    "UploadId",
    "innermost",
    "read_parameters",
    "to_json",
]
