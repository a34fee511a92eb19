import os
import time

from cog import BasePredictor

SECONDS = float(os.environ["BENCH_SECONDS"])


class Predictor(BasePredictor):
    def setup(self) -> None:
        pass

    def predict(self, text: str = "") -> str:
        if SECONDS:
            time.sleep(SECONDS)
        return "ok"
