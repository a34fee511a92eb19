import os
import time

import litserve

SECONDS, SLOTS = float(os.environ["BENCH_SECONDS"]), int(os.environ["BENCH_SLOTS"])


class Model(litserve.LitAPI):
    def setup(self, device: str) -> None:
        pass

    def predict(self, request: object) -> object:
        if SECONDS:
            time.sleep(SECONDS)
        return {"ok": True}


if __name__ == "__main__":
    server = litserve.LitServer(Model(), accelerator="cpu", workers_per_device=SLOTS)
    server.run(port=int(os.environ["BENCH_PORT"]), log_level="warning", generate_client_file=False)
