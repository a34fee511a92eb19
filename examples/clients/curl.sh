#!/bin/sh
# All three dialects with nothing but curl: PENSTOCK_API_URL=... PENSTOCK_API_KEY=... curl.sh
set -eu
key="Authorization: Bearer $PENSTOCK_API_KEY"
call() { curl -sS --fail-with-body -H "$key" "$@"; }

# Baseten
id=$(call -d '{"model_input": {"text": "hello"}}' \
  "$PENSTOCK_API_URL/models/echo/production/async_predict" | sed 's/.*"request_id":"\([^"]*\)".*/\1/')
call "$PENSTOCK_API_URL/async_request/$id?wait=20"; echo
call -L "$PENSTOCK_API_URL/async_request/$id/result"; echo

# SageMaker, with a key instead of a signature
call -i -H 'X-Amzn-SageMaker-Content-Type: application/json' -d '{"inputs": "hello"}' \
  "$PENSTOCK_API_URL/endpoints/echo-container/async-invocations"; echo

# DataCrunch
id=$(call -H 'Prefer: respond-async' -H 'Content-Type: application/json' -d '{"inputs": "hello"}' \
  "$PENSTOCK_API_URL/containers/web" | sed 's/.*"Id": *"\([^"]*\)".*/\1/')
call -H "X-Inference-Id: $id" "$PENSTOCK_API_URL/containers/status/web"; echo
