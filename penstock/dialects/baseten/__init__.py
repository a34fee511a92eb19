"""The Baseten dialect: the asynchronous part of its inference API."""
