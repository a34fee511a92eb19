"""Bodies that stand in the document as examples."""

REQUEST_ID = "0123456789abcdef0123456789abcdef"
MODEL = {"model_id": "ocr", "deployment_id": "ocr-1"}
UPLOADED = "s3://payloads/uploads/acme/0f1e2d3c"
SUBMISSION = {
    "model_input": {"image": "iVBORw0KGgo="},
    "webhook_endpoint": "https://hooks.example.com/done",
    "priority": 1,
    "max_time_in_queue_seconds": 1800,
    "inference_retry_config": {
        "max_attempts": 4,
        "initial_delay_ms": 500,
        "max_delay_ms": 8000,
    },
}
STATUS = {
    "request_id": REQUEST_ID,
    **MODEL,
    "status": "IN_PROGRESS",
    "webhook_status": "PENDING",
    "created_at": "2026-01-02T03:04:05.678901Z",
    "status_at": "2026-01-02T03:04:09.000001Z",
    "errors": [],
}
