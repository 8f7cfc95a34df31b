"""For Python under libfaketime: its clock_nanosleep refuses what time.sleep() asks for."""

import select
import time


def sleep(seconds: float) -> None:
    select.select([], [], [], seconds)


time.sleep = sleep
