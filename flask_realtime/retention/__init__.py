"""Retention: what is kept of past runs, by age, by number and by bytes of output."""

from flask_realtime.retention.keep import Keep
from flask_realtime.retention.oldoutputs import Outputs
from flask_realtime.retention.sweeper import Sweeper

__all__ = ["Keep", "Outputs", "Sweeper"]
