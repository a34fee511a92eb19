"""A name server on loopback that answers as hostile ones do, and the system's way to ask it."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.resolver
import dns.rrset

Records = list[tuple[str, str, str]]
"""Name, type and content of each record of an answer, as a recursive resolver gives them."""

Answers = Callable[[str, str, int], Records | dns.rcode.Rcode | None]
"""From name, type and the number of the query for both; `None`: no answer comes."""


@dataclass
class NameServer:
    """Answers over UDP, with a time to live of zero."""

    answers: Answers
    asked: list[tuple[str, str]] = field(default_factory=list)

    def answer(self, wire: bytes) -> bytes | None:
        """Return the answer to one query."""
        query = dns.message.from_wire(wire)
        (question,) = query.question
        asked = question.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(question.rdtype)
        self.asked.append(asked)
        records = self.answers(*asked, self.asked.count(asked))
        if records is None:
            return None
        response = dns.message.make_response(query, recursion_available=True)
        if isinstance(records, dns.rcode.Rcode):
            response.set_rcode(records)
        else:
            response.answer = [
                dns.rrset.from_text(f"{name}.", 0, "IN", kind, content)
                for name, kind, content in records
            ]
        return response.to_wire()


@contextmanager
def asked_by_this_machine(answers: Answers) -> Iterator[NameServer]:
    """Make `socket.getaddrinfo` of this process ask a name server with these answers."""
    server = NameServer(answers)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))

        def serve() -> None:
            while True:
                wire, client = listening.recvfrom(4_096)
                if not wire:
                    return
                if (answer := server.answer(wire)) is not None:
                    listening.sendto(answer, client)

        thread = Thread(target=serve)
        thread.start()
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers = ["127.0.0.1"]
        resolver.port = listening.getsockname()[1]
        resolver.lifetime = resolver.timeout = 1
        dns.resolver.override_system_resolver(resolver)
        try:
            yield server
        finally:
            dns.resolver.restore_system_resolver()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ending:
                ending.sendto(b"", listening.getsockname())
            thread.join(10)
