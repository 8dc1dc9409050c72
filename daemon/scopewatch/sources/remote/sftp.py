"""sftp:// by paramiko, to servers alone whose key is known, as `ssh` wants it."""

from typing import Final

import paramiko
from fsspec.implementations.sftp import SFTPFileSystem

from scopewatch.core.errors import ConfigError, complaint

_CONNECT_S: Final = 10
# A server that says nothing for so long is gone.
_ANSWER_S: Final = 60.0
_ALIVE_S: Final = 15


class KnownServer(SFTPFileSystem):  # type: ignore[misc] # fsspec has no types
    """Files of a server whose key is in `~/.ssh/known_hosts`, or the system's.

    fsspec takes any key: whoever lies between would choose the frames, and learn the password.
    """

    def _connect(self) -> None:
        self.client = paramiko.SSHClient()
        self.client.load_system_host_keys()
        self.client.set_missing_host_key_policy(paramiko.RejectPolicy())
        try:
            self.client.connect(self.host, **{"timeout": _CONNECT_S, **self.ssh_kwargs})
        except paramiko.SSHException as error:
            self.client.close()
            if "not found in known_hosts" not in str(error):
                raise
            raise ConfigError(
                complaint(
                    "the key of the server is not in known_hosts",
                    where=f"sftp://{self.host}",
                    do="sign in there once by ssh as the user that runs scopewatch, and compare the"
                    " key that it shows",
                )
            ) from error
        transport = self.client.get_transport()
        transport.set_keepalive(_ALIVE_S)
        self.ftp = self.client.open_sftp()
        self.ftp.get_channel().settimeout(_ANSWER_S)
