import os
import time

import bentoml

SECONDS, SLOTS = float(os.environ["BENCH_SECONDS"]), int(os.environ["BENCH_SLOTS"])


@bentoml.service(threads=SLOTS, workers=1, logging={"access": {"enabled": False}})
class Model:
    @bentoml.api
    def predict(self, text: str = "") -> dict[str, bool]:
        if SECONDS:
            time.sleep(SECONDS)
        return {"ok": True}
