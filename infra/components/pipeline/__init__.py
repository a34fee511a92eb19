"""Where requests, payloads, results and notifications lie."""
