#!/usr/bin/python
"""How the given paths look on this host, links not followed. Changes nothing."""

DOCUMENTATION = r"""
---
module: gitops_status_inspect
short_description: Tell how paths look, without following links
description:
  - Returns type, hash, mode, owner, group and times of each path. Takes and returns paths as Base64, since a file's
    name may hold bytes that are no text.
options:
  paths:
    description: Whole paths, each one's raw bytes in Base64.
    type: list
    elements: str
    required: true
  kinds:
    description: Paths of the same form of which only the type is told.
    type: list
    elements: str
    default: []
author: gitops-status
"""

EXAMPLES = r"""
- name: Look at /etc/hosts
  gitops_status_inspect:
    paths: [L2V0Yy9ob3N0cw==]
"""

RETURN = r"""
facts:
  description: One entry per path, in the order given.
  type: list
  elements: dict
  returned: always
"""

import base64
import grp
import hashlib
import os
import pwd
import stat

from ansible.module_utils.basic import AnsibleModule

TYPES = (
    (stat.S_ISREG, "file"),
    (stat.S_ISDIR, "directory"),
    (stat.S_ISLNK, "link"),
    (stat.S_ISFIFO, "fifo"),
    (stat.S_ISSOCK, "socket"),
    (stat.S_ISCHR, "character device"),
    (stat.S_ISBLK, "block device"),
)


def name_of(lookup, number):
    try:
        return lookup(number)[0]
    except KeyError:
        return str(number)


def sha256_of(path):
    # The file may have been replaced since it was looked at: by a link, or by a pipe that nobody writes to.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        digest = hashlib.sha256()
        while True:
            chunk = os.read(descriptor, 1 << 20)
            if not chunk:
                return digest.hexdigest()
            digest.update(chunk)
    finally:
        os.close(descriptor)


def kind_of(path_base64):
    try:
        mode = os.lstat(base64.b64decode(path_base64)).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return {"path_base64": path_base64, "exists": False}
    except OSError as error:
        return {"path_base64": path_base64, "error": error.strerror}
    return {"path_base64": path_base64, "type": next((name for matches, name in TYPES if matches(mode)), "unknown")}


def inspect(path_base64):
    path = base64.b64decode(path_base64)
    facts = {"path_base64": path_base64}
    try:
        status = os.lstat(path)
    except OSError as error:
        # Only these two say that nothing is there; a directory that may not be entered says nothing.
        if isinstance(error, (FileNotFoundError, NotADirectoryError)):
            facts["exists"] = False
        else:
            facts["error"] = error.strerror
        return facts

    facts["exists"] = True
    facts["type"] = next((name for matches, name in TYPES if matches(status.st_mode)), "unknown")
    facts["mode"] = "%04o" % stat.S_IMODE(status.st_mode)
    facts["owner"] = name_of(pwd.getpwuid, status.st_uid)
    facts["group"] = name_of(grp.getgrgid, status.st_gid)
    facts["mtime"] = int(status.st_mtime // 1)
    facts["ctime"] = int(status.st_ctime // 1)
    if facts["type"] == "file":
        try:
            sha256 = sha256_of(path)
        except OSError as error:
            facts["error"] = error.strerror
        else:
            if sha256 is not None:
                facts["sha256"] = sha256
    return facts


def main():
    module = AnsibleModule(
        argument_spec=dict(
            paths=dict(type="list", elements="str", required=True),
            kinds=dict(type="list", elements="str", default=[]),
        ),
        supports_check_mode=True,
    )
    paths = module.params["paths"]
    kinds = [path for path in module.params["kinds"] if path not in set(paths)]
    module.exit_json(changed=False, facts=[inspect(path) for path in paths], kinds=[kind_of(path) for path in kinds])


if __name__ == "__main__":
    main()
