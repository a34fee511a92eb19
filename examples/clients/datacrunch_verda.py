# /// script
# requires-python = ">=3.11"
# dependencies = ["verda>=1.25,<2"]
# ///
"""A client written for DataCrunch/Verda containers: only the base URL and the key are new.

PENSTOCK_API_URL=... PENSTOCK_API_KEY=... uv run examples/clients/datacrunch_verda.py [deployment]
"""

import os
import sys
import time

from verda.inference_client import AsyncStatus, InferenceClient

DEPLOYMENT = sys.argv[1] if len(sys.argv) > 1 else "web"
client = InferenceClient(
    inference_key=os.environ["PENSTOCK_API_KEY"],
    endpoint_base_url=f"{os.environ['PENSTOCK_API_URL']}/containers/{DEPLOYMENT}",
)

print(client.run_sync({"inputs": "hello"}).output())

execution = client.run({"inputs": "hello"})
while execution.status() != AsyncStatus.Completed:
    time.sleep(0.5)
    execution.status_json()  # asks; `status()` only says what was heard last
print(execution.id, execution.result())
