"""Retention: what is removed of past runs, by age, by number and by bytes of output."""

from flask_realtime.retention.oldoutputs import Outputs
from flask_realtime.retention.sweeper import Sweeper

__all__ = ["Outputs", "Sweeper"]
