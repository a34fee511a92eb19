#!/bin/bash
# The server of Truss 0.18.35 hangs up, without "Connection: close", after a 500 that only its
# catch-all answered, for example when predict returns what JSON cannot hold (a set).
#
# Whoever keeps connections alive, as every HTTP client with a pool does, sends the next call into
# a connection that is being closed. A POST is not repeated by itself (RFC 9110, 9.2.2): a sound
# call fails because of the one before it.
#
# Why: `app.add_exception_handler(Exception, …)` makes Starlette's ServerErrorMiddleware answer, and
# that raises the error again so that servers can log it; uvicorn then closes the transport. An
# error inside predict itself is UserCodeError, has a handler of its own, and keeps the connection.
#
# Prints what was seen; exits 0 if the server behaves so, 1 if it does not (any more).
# Needs: uv, the package index, Python 3.11. Seen 2026-11-30 on Linux: 10 of 10 connections.
set -euo pipefail
work=$(mktemp -d)
trap '[ -z "${server:-}" ] || kill -9 -- "-$server" 2>/dev/null || true; rm -rf "$work"' EXIT
mkdir -p "$work/truss/model"
printf 'model_name: hangup\npython_version: py311\n' >"$work/truss/config.yaml"
cat >"$work/truss/model/model.py" <<'PY'
class Model:
    def predict(self, request):
        if request == "raise":
            raise ValueError("an ordinary error of a model")
        return {1} if request == "unwritable" else request
PY
uv tool run --quiet --from truss==0.18.35 truss image build-context --non-interactive \
    "$work/context" "$work/truss" >/dev/null
cp -r "$work/context/server" "$work/app"
cp -r "$work/context/model" "$work/context/config.yaml" "$work/app"
grep -v '^-i' "$work/context/requirements.txt" >"$work/requirements.txt"
uv venv --quiet --python 3.11 "$work/venv"
uv pip install --quiet --python "$work/venv/bin/python" --index-strategy unsafe-best-match \
    -r "$work/requirements.txt" -c "$work/context/constraints.txt"
port=$("$work/venv/bin/python" -c \
    'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cd "$work/app"
HOME=$work INFERENCE_SERVER_PORT=$port setsid "$work/venv/bin/python" main.py \
    >"$work/server.log" 2>&1 &
server=$!
"$work/venv/bin/python" - "$port" <<'PY'
import http.client
import json
import sys
import time
from importlib.metadata import version

port = int(sys.argv[1])


def call(connection, value):
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    connection.request("POST", "/v1/models/model:predict", json.dumps(value), headers)
    answer = connection.getresponse()
    body = answer.read()
    return answer.status, answer.getheader("Connection"), body.decode()


def is_ready():
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("GET", "/v1/models/model")
        return connection.getresponse().status == 200
    except OSError:
        return False


def hung_up(first, times=10):
    """Return the first answer, and how often the next call on its connection was not answered."""
    lost = 0
    for _ in range(times):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        answer = call(connection, first)
        connection.auto_open = 0  # no silent reconnection
        time.sleep(0.05)
        try:
            call(connection, "sound")
        except (OSError, http.client.HTTPException):
            lost += 1
    return answer, lost


for _ in range(300):
    if is_ready():
        break
    time.sleep(0.2)
print("truss 0.18.35, uvicorn", version("uvicorn"), "starlette", version("starlette"))
for first in ("sound", "raise", "unwritable"):
    answer, lost = hung_up(first)
    print(f"{first}: {answer} then hung up {lost} of 10")
is_so = lost == 10 and answer[0] == 500 and (answer[1] or "").lower() != "close"
print("hangs up unannounced after a 500 of its catch-all:", is_so)
sys.exit(0 if is_so and hung_up("raise")[1] == 0 else 1)
PY
