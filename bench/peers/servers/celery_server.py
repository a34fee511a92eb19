import os
import statistics
import sys
import time

import celery

URL = os.environ["BENCH_REDIS"]
SECONDS = float(os.environ["BENCH_SECONDS"])
app = celery.Celery("celery_server", broker=URL, backend=URL)
app.conf.update(worker_prefetch_multiplier=4, task_acks_late=True)


@app.task
def predict(text: str) -> dict[str, bool]:
    if SECONDS:
        time.sleep(SECONDS)
    return {"ok": True}


def load(calls: int) -> None:
    """Queue everything, then wait for all results; print calls per second."""
    predict.delay("warm").get(timeout=60)
    started = time.monotonic()
    results = [predict.delay("one small request, as most are") for _ in range(calls)]
    for result in results:
        result.get(timeout=120)
    print(calls / (time.monotonic() - started))


def one_by_one(calls: int) -> None:
    """Print the median time from submit to result, in milliseconds."""
    predict.delay("warm").get(timeout=60)
    waits = []
    for _ in range(calls):
        started = time.monotonic()
        predict.delay("one").get(timeout=60, interval=0.001)
        waits.append(time.monotonic() - started)
        time.sleep(0.01)
    print(statistics.median(waits) * 1_000)


if __name__ == "__main__":
    {"load": load, "one_by_one": one_by_one}[sys.argv[1]](int(sys.argv[2]))
