"""An authority that makes certificates, and a proxy that ends https as an operator's does."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import subprocess
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

CONFIG = """
[ca]
default_ca = authority
[authority]
database = index.txt
new_certs_dir = .
rand_serial = yes
unique_subject = no
default_md = sha256
private_key = ca.key
certificate = ca.pem
policy = names
[names]
commonName = supplied
[authority_extensions]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
"""

EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


class Authority:
    """A certificate authority; clients trust it by SSL_CERT_FILE.

    Args:
        folder: An empty folder.
        name: Its name.
    """

    def __init__(self, folder: Path, name: str = "Test authority") -> None:
        self._folder = folder
        self.file = folder / "ca.pem"
        (folder / "index.txt").touch()
        (folder / "ca.cnf").write_text(CONFIG)
        subject = ("-subj", f"/CN={name}", "-days", "30")
        extensions = ("-config", "ca.cnf", "-extensions", "authority_extensions")
        self._openssl("req", "-x509", *EC, *subject, *extensions, "-keyout", "ca.key", "-out", "ca.pem")

    def certify(self, name: str = "localhost", *, age: float = 30, days: float = 60) -> ssl.SSLContext:
        """A server's context with a new certificate.

        Args:
            name: The host that it is for.
            age: Days for which it has been valid.
            days: Days for which it is valid from now on; negative: it has expired.
        """
        now = datetime.now(UTC)
        begins, ends = (f"{now + timedelta(days=n):%Y%m%d%H%M%SZ}" for n in (-age, days))
        (self._folder / "names").write_text(f"subjectAltName = DNS:{name}\n")
        self._openssl("req", *EC, "-subj", f"/CN={name}", "-keyout", "server.key", "-out", "request.pem")
        times = ("-startdate", begins, "-enddate", ends)
        files = ("-extfile", "names", "-in", "request.pem", "-out", "server.pem")
        self._openssl("ca", "-batch", "-notext", "-config", "ca.cnf", *times, *files)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._folder / "server.pem", self._folder / "server.key")
        return context

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self._folder, check=True, capture_output=True)


class Proxy:
    """Ends https on a port of localhost, and leads to another port.

    Attributes:
        context: The certificate; another one counts from the next connection on.
        target: The port that it leads to. Where nothing listens there, it answers 502 as real ones do.
        url: Its address.
    """

    def __init__(self, context: ssl.SSLContext, target: int) -> None:
        self.context = context
        self.target = target
        self.url = ""

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[Proxy]:
        """Serve until the block ends."""
        # TLS begins in the handler, so that a test can change the certificate while the port stays the same.
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"https://localhost:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await writer.start_tls(self.context)
            await self._forward(reader, writer)
        except (OSError, ssl.SSLError):  # the client does not trust the certificate, or has gone
            pass
        finally:
            writer.close()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            return
        try:
            copies = {
                asyncio.create_task(_copy(reader, inner_writer)),
                asyncio.create_task(_copy(inner_reader, writer)),
            }
            _, others = await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
            for other in others:
                other.cancel()
            await asyncio.gather(*copies, return_exceptions=True)
        finally:
            inner_writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, ssl.SSLError):
        while data := await reader.read(2**16):
            writer.write(data)
            await writer.drain()
