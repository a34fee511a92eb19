"""`/healthz`, `/readyz`, `/model-server/healthz` and `/metrics`."""

from collections.abc import Callable

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4


async def serve_probes(
    port: int,
    registry: CollectorRegistry,
    *,
    is_ready: Callable[[], bool],
    is_model_server_alive: Callable[[], bool],
) -> web.AppRunner:
    """Serve the probes on all addresses until the returned runner is cleaned up."""

    async def alive(_: web.Request) -> web.Response:
        # An answer is the proof: a stuck event loop gives none.
        return web.json_response({"status": "ok"})

    async def ready(_: web.Request) -> web.Response:
        return _probe(is_ready(), "ready")

    async def model_server_alive(_: web.Request) -> web.Response:
        # The model server container's liveness: only we know that it works on a closed call.
        return _probe(is_model_server_alive(), "ok")

    async def metrics(_: web.Request) -> web.Response:
        body = generate_latest(registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})

    app = web.Application()
    app.router.add_get("/healthz", alive)
    app.router.add_get("/readyz", ready)
    app.router.add_get("/model-server/healthz", model_server_alive)
    app.router.add_get("/metrics", metrics)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "0.0.0.0", port).start()  # noqa: S104 - kubelet and Prometheus call
    return runner


def _probe(passes: bool, status: str) -> web.Response:  # noqa: FBT001 - the probe's whole answer
    if passes:
        return web.json_response({"status": status})
    return web.json_response({"status": f"not {status}"}, status=503)
