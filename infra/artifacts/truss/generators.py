"""The Truss server's generators: one that fails is told from one that ended, and bytes are bytes.

Truss 0.18.35 ends a streamed answer neatly when its generator raises, so that no client can tell
half an answer from a whole one. Asked for JSON it gathers the chunks and decodes them as text, so
that bytes that are none are an error. Both are put right in the copy that goes into the image.
"""

from pathlib import Path

from infra.artifacts.workspace import ArtifactError

_SERVER = Path("server", "model_wrapper.py")

_CORRECTIONS = (
    (
        """\
            finally:
                await queue.put(SENTINEL)
""",
        """\
                await queue.put(_Failed(e))
            finally:
                await queue.put(SENTINEL)
""",
    ),
    (
        """\
                    if chunk == SENTINEL:
                        return
                    yield chunk

        return _buffered_response_generator()
""",
        """\
                    if isinstance(chunk, _Failed):
                        raise chunk.error  # The server breaks the answer off.
                    if chunk == SENTINEL:
                        return
                    yield chunk

        return _buffered_response_generator()
""",
    ),
    (
        """\
async def _gather_generator(
""",
        """\
class _Failed:
    def __init__(self, error: Exception) -> None:
        self.error = error


async def _gather_generator(
""",
    ),
    (
        """\
    return b"".join(chunks).decode()
""",
        """\
    gathered = b"".join(chunks)
    try:
        return gathered.decode()
    except UnicodeDecodeError:
        return starlette.responses.Response(
            gathered, media_type="application/octet-stream"
        )
""",
    ),
)


def settle_generators(context: Path) -> None:
    """Correct the server in an image context, if there is one.

    Raises:
        ArtifactError: it is another server than that of the version we know.
    """
    server = context / _SERVER
    if not server.is_file():
        return
    source = server.read_text()
    for was, becomes in _CORRECTIONS:
        if source.count(was) != 1:
            raise ArtifactError(f"{server}: the Truss server is not the one whose faults we know")
        source = source.replace(was, becomes)
    server.write_text(source)
