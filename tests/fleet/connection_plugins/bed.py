"""Ansible's way into a bed of tests/beds/systemd.sh: no network, no key, no service in between."""

import os
import subprocess

from ansible.errors import AnsibleError
from ansible.plugins.connection import ConnectionBase

DOCUMENTATION = """
name: bed
short_description: run in a booted systemd of tests/beds/systemd.sh
description: Enters the namespaces of a container on this machine.
options:
  remote_addr:
    description: The name of the bed.
    default: inventory_hostname
    vars: [{name: inventory_hostname}, {name: ansible_host}]
"""

BED = os.environ["INSTALLSERVICE_BED"]


class Connection(ConnectionBase):
    transport = "bed"
    has_pipelining = True

    def _connect(self):
        self._connected = True
        return self

    def _inside(self, command, data=None):
        words = [BED, "run", self._play_context.remote_addr] + command
        done = subprocess.run(words, input=data, capture_output=True, check=False, cwd="/")
        return done.returncode, done.stdout, done.stderr

    def exec_command(self, cmd, in_data=None, sudoable=True):
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        return self._inside(["/bin/sh", "-c", cmd], in_data)

    def put_file(self, in_path, out_path):
        with open(in_path, "rb") as file:
            code, _, error = self._inside(["/bin/sh", "-c", 'cat > "$0"', out_path], file.read())
        if code:
            raise AnsibleError("writing %s: %s" % (out_path, error.decode()))

    def fetch_file(self, in_path, out_path):
        code, data, error = self._inside(["cat", in_path])
        if code:
            raise AnsibleError("reading %s: %s" % (in_path, error.decode()))
        with open(out_path, "wb") as file:
            file.write(data)

    def close(self):
        self._connected = False
