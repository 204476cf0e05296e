"""Measuring calls: by the clock and by the processor's time, with the garbage collected between."""

import gc
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds by the clock, and what came of it."""
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def each_timed(work: Callable[[Any], Any], given: Sequence[Any]) -> tuple[np.ndarray, np.ndarray, list[Any]]:
    """Milliseconds by the clock and of processor time for each of the given, and what came of it."""
    for one in given[:10]:
        work(one)
    clock, processor, results = [], [], []
    gc.collect()
    gc.disable()
    try:
        for one in given:
            began, spent = time.perf_counter(), time.thread_time()
            results.append(work(one))
            clock.append(time.perf_counter() - began)
            processor.append(time.thread_time() - spent)
    finally:
        gc.enable()
    return np.array(clock) * 1_000, np.array(processor) * 1_000, results
