# /// script
# requires-python = ">=3.11"
# dependencies = ["requests"]
# ///
"""A client written for Baseten's async inference: only the host and the key are new.

PENSTOCK_API_URL=... PENSTOCK_API_KEY=... uv run examples/clients/baseten_async.py [model]
"""

import os
import sys
import time

import requests

MODEL = sys.argv[1] if len(sys.argv) > 1 else "echo"
API = f"{os.environ['PENSTOCK_API_URL']}/models/{MODEL}"  # was https://model-<id>.api.baseten.co
HEADERS = {"Authorization": f"Api-Key {os.environ['PENSTOCK_API_KEY']}"}
ENDED = {"SUCCEEDED", "FAILED", "EXPIRED", "CANCELED", "WEBHOOK_FAILED"}

submitted = requests.post(
    f"{API}/production/async_predict",
    headers=HEADERS,
    json={
        "model_input": {"text": "hello"},
        "priority": 0,
        "webhook_endpoint": os.environ.get("WEBHOOK_ENDPOINT"),
        "inference_retry_config": {"max_attempts": 2},
    },
    timeout=30,
)
submitted.raise_for_status()
request_id = submitted.json()["request_id"]

while True:
    request = requests.get(f"{API}/async_request/{request_id}", headers=HEADERS, timeout=30).json()
    if request["status"] in ENDED:
        break
    time.sleep(0.5)
print(request_id, request["status"], request["errors"])

# Baseten keeps no results; here they can be fetched.
result = requests.get(f"{API}/async_request/{request_id}/result", headers=HEADERS, timeout=30)
result.raise_for_status()
print(result.text)
