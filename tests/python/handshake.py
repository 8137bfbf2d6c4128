"""Does a TLS handshake in one version, and prints the version and the server's certificate, or the error.

    python tests/python/handshake.py HOST:PORT TLSv1_1|TLSv1_2|TLSv1_3
"""

import socket
import ssl
import sys


def main():
    host, port = sys.argv[1].rsplit(":", 1)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    # OpenSSL itself would not offer TLS 1.1 otherwise.
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = getattr(ssl.TLSVersion, sys.argv[2])
    context.set_alpn_protocols(["h2"])
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        try:
            with context.wrap_socket(connection) as tls:
                print(tls.version())
                print(ssl.DER_cert_to_PEM_cert(tls.getpeercert(binary_form=True)), end="")
        except (ssl.SSLEOFError, ConnectionResetError):
            # The C core sends no alert.
            print("the server closes the connection")
        except ssl.SSLError as error:
            print(error.reason)


if __name__ == "__main__":
    main()
