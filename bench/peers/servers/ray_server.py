import asyncio
import os

import ray
from ray import serve

SECONDS, SLOTS = float(os.environ["BENCH_SECONDS"]), int(os.environ["BENCH_SLOTS"])


@serve.deployment(max_ongoing_requests=SLOTS, ray_actor_options={"num_cpus": 0})
class Model:
    async def __call__(self, request: object) -> object:
        if SECONDS:
            await asyncio.sleep(SECONDS)
        return {"ok": True}


if __name__ == "__main__":
    ray.init(include_dashboard=False, log_to_driver=False)
    serve.start(http_options={"host": "127.0.0.1", "port": int(os.environ["BENCH_PORT"])})
    serve.run(Model.bind(), route_prefix="/predict", blocking=True)
