"""A certificate for `localhost` and 127.0.0.1, made once with openssl."""

import atexit
import functools
import pathlib
import shutil
import subprocess
import tempfile


@functools.cache
def folder():
    """The folder with tls.crt and tls.key, which goes away with the process."""
    made = pathlib.Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, made)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        + ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
        + ["-keyout", made / "tls.key", "-out", made / "tls.crt"],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    return made


def tls_arguments():
    """The arguments of `calc serve`."""
    return ["--tls-cert", str(folder() / "tls.crt"), "--tls-key", str(folder() / "tls.key")]
