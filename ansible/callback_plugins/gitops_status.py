"""Writes down what a run of Ansible in check mode saw, and prints it for people.

src/drift/evidence.ts describes the record. The plugin loads with each run and is silent in all but drift checks: runs
in which every play is in check mode.

As a script it needs no Ansible: `gitops_status.py < evidence.json` prints the status of each host as JSON.
"""

from __future__ import annotations

import base64
import datetime
import functools
import hashlib
import json
import os
import posixpath
import re
import shlex
import subprocess
import sys
import time
import unicodedata
from urllib.parse import quote

DOCUMENTATION = """
name: gitops_status
type: aggregate
short_description: Record how the hosts differ from Git
description:
  - In a drift check, a run in which every play is in check mode, writes the differences, and all that stood in the
    way of finding them, to the file that GITOPS_STATUS_RESULT_FILE names, and prints DRIFTED_FILES and SYNC_STATUS.
  - Where GITOPS_STATUS_DIFF is 1, the file also gets what Ansible shows of the content of files that differ.
  - Appends gitops-status-sentinel.yml to a playbook that does not end with it.
  - Of a deployment, writes down what was deployed to which host, if GITOPS_STATUS_STATE_DIR names a directory.
author: gitops-status
"""

RESULT_FILE = "GITOPS_STATUS_RESULT_FILE"
RUN_ID = "GITOPS_STATUS_RUN_ID"
STATE_DIRECTORY = "GITOPS_STATUS_STATE_DIR"
DIFF = "GITOPS_STATUS_DIFF"
HERE = os.path.dirname(os.path.abspath(__file__))
SENTINEL = os.environ.get("GITOPS_STATUS_SENTINEL", os.path.join(HERE, "../playbooks/gitops-status-sentinel.yml"))
LIBRARY = os.environ.get("GITOPS_STATUS_LIBRARY", os.path.join(HERE, "../library"))
SENTINEL_PLAY = "gitops-status sentinel"
INSPECT = "gitops_status_inspect"
# What the sentinel play reads, set for each host as that play starts.
PATHS_VARIABLE = "gitops_status_paths"
KINDS_VARIABLE = "gitops_status_kinds"
BECOME_VARIABLE = "gitops_status_become"
# What a task says about the way to its host.
WAY = ("connection", "remote_user", "port", "become", "become_method", "become_user", "become_flags", "become_exe")

MAX_MESSAGE = 300
# In characters, of both sides together. Ansible shows no file of more than 104,448 bytes; a report takes 65,536 characters
# of a difference, and of all of a host 262,144.
MAX_TEXTS_OF_HOST = 4 * 1024 * 1024
MAX_TEXTS = 64 * 1024 * 1024
# Shorter values from a vault are found in every other word.
MIN_VAULTED = 4

# Change nothing on the host and compare nothing with it; that a fact or a host was added to the run is no drift.
CONTROL = frozenset("""
    add_host group_by import_playbook import_role import_tasks include include_role include_tasks include_vars meta
    set_fact set_stats gather_facts setup validate_argument_spec
""".split())
# Look, wait or act, but compare nothing with what Git says. If they call something changed, it is drift all the same.
NOT_COMPARING = CONTROL | frozenset("""
    assert async_status debug expect fail fetch find getent mount_facts package_facts pause ping reboot script
    service_facts slurp stat tempfile uri wait_for wait_for_connection win_ping win_reboot win_stat
    gitops_status_inspect
    command shell raw win_command win_shell gitops_status_inspect
""".split())
COMMANDS = frozenset("command shell raw script expect win_command win_shell".split())
# A skip of theirs that no `when` explains leaves nothing unchecked.
HARMLESS_SKIP = NOT_COMPARING - COMMANDS - frozenset(["fetch", "reboot", "uri", "tempfile", "win_reboot"])
# Have nothing that a failed_when could hide: they fail by an exception, which it does not see.
CANNOT_HIDE = CONTROL | frozenset(["debug", "pause"])
# These take a file's name from `src` when `dest` is a directory.
INTO_DIRECTORY = frozenset(["copy", "template"])
# The `after` of their diffs is the whole file as it should be.
WHOLE_TEXT = INTO_DIRECTORY | frozenset(["lineinfile", "blockinfile", "replace", "ini_file"])
# Their diffs hold all that they would change. Of others, such as yum_repository, a mode may be missing from it.
COMPLETE_DIFFS = INTO_DIRECTORY | frozenset(["file", "lineinfile", "blockinfile", "replace"])
# What they compare is all in the bytes, the owner and the mode of the one path that they name.
ONE_PATH = WHOLE_TEXT | frozenset(["file", "authorized_key", "ansible.posix.authorized_key"])
# Of a file's content they say a part: another part may change without being drift.
PART_OF_CONTENT = ONE_PATH - INTO_DIRECTORY - frozenset(["file"])
# With one of these set, more of a path is compared than a look at it shows.
UNSEEN_ATTRIBUTES = """
    attributes attr seuser serole setype selevel modification_time access_time
""".split()
METADATA = frozenset("""
    path mode owner group uid gid attributes attr_flags secontext mtime atime
""".split())
PASSWORDS = re.compile(r"pass(?!word(authentication|prompts))", re.IGNORECASE)
# How connections are shared and compressed is the business of whoever connects.
SHARING = re.compile(r"control(master|path|persist)\b", re.IGNORECASE)
# Variables of Ansible's that say how a host is reached, whatever else a connection plugin may read.
REACHING = re.compile(r"ansible_(ssh_.*|connection|host|port|user|(ssh_)?private_key_file|become.*|sudo_.*|shell_type)$")
SUDO_FLAGS = "-H -S -n"  # what Ansible gives to sudo when nobody says otherwise
UNSHOWN = ("src_binary", "src_larger", "dst_binary", "dst_larger")
CHANGE_RANK = {"metadata": 0, "extra": 1, "modified": 2, "missing": 3}


# ---------------------------------------------------------------- evidence, without Ansible


def sync_status(host):
    """UNKNOWN unless the host was checked to the end, something was compared, and nothing failed on the way."""
    if not host["sentinel"] or host["verified"] < 1 or host["failures"]:
        return "UNKNOWN"
    return "OUT_OF_SYNC" if host["drift"] else "SYNCED"


def why_unknown(host):
    for failure in sorted(host["failures"], key=lambda failure: failure["ignored"]):
        return '%s in task "%s": %s' % (failure["kind"], failure["task"], failure["message"])
    if not host["sentinel"]:
        return "the run did not get to the end of the check on this host"
    return "nothing was compared on this host"


def escape(raw):
    """Bytes as one harmless word of a line: what is not plain text becomes \\xNN, a backslash doubles."""
    text = raw.decode("utf-8", "surrogateescape")
    return "".join(_escape_character(character) for character in text)


def _escape_character(character):
    if character == "\\":
        return "\\\\"
    if character == "," or unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp"):
        return "".join("\\x%02x" % byte for byte in character.encode("utf-8", "surrogateescape"))
    return character


def printable(text):
    """One line for a person, whatever a server or a playbook put into it."""
    raw = str(text).encode("utf-8", "surrogateescape" if _is_bytes(text) else "backslashreplace")
    characters = raw.decode("utf-8", "surrogateescape")
    return "".join(
        character if character in ",\\" else _escape_character(character) for character in characters
    )


def _is_bytes(text):
    try:
        str(text).encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True


def lines_for_people(hosts):
    if not hosts:
        yield "DRIFTED_FILES="
        yield "SYNC_STATUS=UNKNOWN"
        yield "SYNC_STATUS_REASON=the run had no host"
    several = len(hosts) > 1
    for name in sorted(hosts):
        host = hosts[name]
        prefix = "%s " % escape(os.fsencode(name)).replace(" ", "\\x20") if several else ""
        status = sync_status(host)
        names = [
            os.fsencode(entry["task"]) if entry["path_base64"] is None else base64.b64decode(entry["path_base64"])
            for entry in host["drift"]
        ]
        yield "%sDRIFTED_FILES=%s" % (prefix, ",".join(escape(raw) for raw in names))
        yield "%sSYNC_STATUS=%s" % (prefix, status)
        if status == "UNKNOWN":
            yield "%sSYNC_STATUS_REASON=%s" % (prefix, printable(why_unknown(host)))


def write_result(path, evidence):
    """Readers see the whole record or none."""
    temporary = "%s.%d.tmp" % (path, os.getpid())
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            json.dump(evidence, file, indent=1, sort_keys=True)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        os.rename(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


# ---------------------------------------------------------------- reading one result


def short_name(action):
    """The name in the lists above: `ansible.builtin.copy` is `copy`, but `x.y.debug` is not `debug`."""
    action = str(action)
    namespace, _, name = action.rpartition(".")
    if namespace in ("", "ansible.builtin", "ansible.legacy", "ansible.windows"):
        return name
    if name.endswith(("_info", "_facts")) or name in WHOLE_TEXT:
        return name
    return action


def only_looks(action):
    return action in NOT_COMPARING or action.endswith(("_info", "_facts"))


def diffs_of(data):
    diff = data.get("diff")
    entries = diff if isinstance(diff, (list, tuple)) else [diff]
    return [entry for entry in entries if isinstance(entry, dict) and entry]


def has_sides(diff):
    return "before" in diff and "after" in diff


def side(value):
    """The default callback may have turned a mapping into JSON text already."""
    if isinstance(value, dict):
        return value
    return "" if value is None else value


def differs(diff, action):
    if diff.get("prepared"):
        return True
    if any(key in diff for key in UNSHOWN):
        return True
    if not has_sides(diff):
        return bool(diff.get("before") or diff.get("after"))
    before, after = side(diff["before"]), side(diff["after"])
    # Copy and template put text into a diff only if they would write; equal text is a link in the file's place.
    if action in INTO_DIRECTORY and not isinstance(before, dict):
        return True
    return before != after


def only_metadata(diff):
    before, after = diff.get("before"), diff.get("after")
    return isinstance(before, dict) and isinstance(after, dict) and set(before) | set(after) <= METADATA


def change_of(action, data, args):
    """What would be done to the path, as far as the result tells."""
    differing = [diff for diff in diffs_of(data) if differs(diff, action)]
    if action == "file":
        if args.get("state") == "absent":
            return "extra"
        if any(isinstance(d.get("before"), dict) and d["before"].get("state") == "absent" for d in differing):
            return "missing"
    if differing:
        return "metadata" if all(only_metadata(diff) for diff in differing) else "modified"
    # Without a diff: of copy and template only a result about the file's attributes holds a checksum.
    return "metadata" if action in INTO_DIRECTORY and "checksum" in data else "modified"


def args_of(data):
    invocation = data.get("invocation")
    if not isinstance(invocation, dict):
        return {}
    args = invocation.get("module_args")
    return args if isinstance(args, dict) else invocation


def octal_mode(value):
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return "%04o" % value
    if isinstance(value, str) and re.fullmatch(r"(0o)?[0-7]{3,5}", value):
        return "%04o" % int(value.replace("0o", ""), 8)
    return None


def expected_of(action, data, args):
    expected = {}
    for diff in diffs_of(data):
        after = diff.get("after")
        if isinstance(after, dict):
            mode = octal_mode(after.get("mode"))
            if mode:
                expected["mode"] = mode
        elif action in WHOLE_TEXT and isinstance(after, str) and differs(diff, action):
            # Bytes that Ansible could not carry as text it may have replaced.
            if not ("src_binary" in diff or "src_larger" in diff or "\ufffd" in after):
                expected["sha256"] = hashlib.sha256(after.encode("utf-8", "surrogateescape")).hexdigest()
    mode = octal_mode(args.get("mode"))
    if mode:
        expected["mode"] = mode
    for key in ("owner", "group"):
        if isinstance(args.get(key), (str, int)) and not isinstance(args[key], bool):
            expected[key] = printable(args[key])
    return expected


def texts_of(action, data):
    """What Ansible shows of the content on both sides, and why there is no more of it."""
    texts, left_out = [], None
    for diff in diffs_of(data):
        if any(key in diff for key in ("src_larger", "dst_larger")):
            left_out = "too_large"
        elif any(key in diff for key in ("src_binary", "dst_binary")):
            left_out = "binary"
        elif has_sides(diff) and differs(diff, action):
            server, git = side(diff["before"]), side(diff["after"])
            if isinstance(server, str) and isinstance(git, str) and server != git:
                texts.append({"server": server, "git": git})
    return ([], left_out) if left_out else (texts, None)


def whole_path(value):
    if not isinstance(value, str) or not value.startswith("/"):
        return None
    # An ending slash says that it is a directory, which the caller has looked at.
    return re.sub(r"/(\./)+|/{2,}", "/", re.sub(r"/{2,}", "/", value)).rstrip("/") or "/"


def path_of(action, data, args):
    """The path and, where it may turn out to be a directory, the name that would then be appended."""
    if action in INTO_DIRECTORY:
        for diff in diffs_of(data):
            # The path as it was resolved on the host. Missing when there was no such file.
            if whole_path(diff.get("before_header")) and not isinstance(diff.get("before"), dict):
                return whole_path(diff["before_header"]), None
        if "checksum" in data and whole_path(data.get("path") or data.get("dest")):
            return whole_path(data.get("path") or data.get("dest")), None
        dest = args.get("dest")
        path = whole_path(dest)
        source = args.get("src")
        name = posixpath.basename(source) if isinstance(source, str) else ""
        if path and name and dest.endswith("/"):
            return posixpath.join(path, name), None
        return path, name or None
    for source in (data, args):
        for key in ("path", "dest", "destfile", "keyfile"):
            if whole_path(source.get(key)):
                return whole_path(source[key]), None
    return None, None


def given(args, *keys):
    """The first of these arguments that somebody has set."""
    return next((args[key] for key in keys if args.get(key) not in (None, "")), None)


def is_true(value):
    return str(value).strip().lower() in ("true", "yes", "on", "1", "y", "t", "1.0")


def compared_by(action, args):
    """What of a path the task holds against Git. Whether it is there, and of which kind, always counts."""
    compares = [key for key in ("mode", "owner", "group") if given(args, key) is not None]
    if action in INTO_DIRECTORY or (action == "file" and args.get("state") == "link"):
        return ["content", *compares]
    return ["part_of_content", *compares] if action in PART_OF_CONTENT else compares


def named_by(action, data, args):
    """What a result that compared something was about: its path as path_of has it, or why it has none.

    `args` are those of the task. The result's own are of the module that was run last, and may name a link's target.
    """
    named = {"path": None, "name": None, "why": None, "sha1": None, "compares": [], "follows": False}
    if action not in ONE_PATH:
        return dict(named, why="no_path")
    path, name = path_of(action, data, args_of(data))
    state = args.get("state")
    if is_true(args.get("recurse")) or is_true(args.get("remote_src")) or state == "hard":
        return dict(named, why="more_than_bytes")
    if given(args, *UNSEEN_ATTRIBUTES) is not None or only_creates(action, args):
        return dict(named, why="more_than_bytes")
    if action == "copy" and copies_directory(data, args, path, name):
        return dict(named, why="directory_copy")
    if action in INTO_DIRECTORY:
        follows = is_true(args.get("follow"))
    else:
        follows = action != "file" or (state not in ("absent", "link") and is_true(given(args, "follow") or "true"))
        # A module that follows a link may tell where it leads; what the task names is the link.
        path, name = whole_path(given(args, "path", "dest", "destfile", "name")) or path, None
    sha1 = data.get("checksum") if action in INTO_DIRECTORY else None
    return dict(
        named,
        path=path,
        name=name,
        why=None if path else "no_path",
        sha1=sha1 if isinstance(sha1, str) and re.fullmatch("[0-9a-f]{40}", sha1) else None,
        compares=compared_by(action, args),
        follows=follows,
    )


def only_creates(action, args):
    """Content that differs is no drift then."""
    return action in INTO_DIRECTORY and args.get("force") is not None and not is_true(args["force"])


def copies_directory(data, args, path, name):
    source, dest = args.get("src"), whole_path(args.get("dest"))
    if not isinstance(source, str):
        return False
    if source.endswith("/") or "checksum" not in data and isinstance(data.get("src"), str):
        return True
    # Of a directory with one file in it the result is that of the file.
    return dest is not None and name is None and path not in (dest, posixpath.join(dest, posixpath.basename(source)))


def looked_through(data, args):
    """Which directories `find` listed, and which names it looked for: [(path, recurse)], [path]."""
    patterns = words_of(given(args, "patterns", "pattern"))
    recurse = is_true(args.get("recurse"))
    plain = patterns and not recurse and not is_true(args.get("use_regex"))
    plain = plain and not any(set("*?[") & set(pattern) for pattern in patterns)
    listed, looked_for = [], []
    for directory in words_of(given(args, "paths", "path", "name")):
        directory = whole_path(directory)
        if directory and plain:
            looked_for += [posixpath.join(directory, pattern) for pattern in patterns]
        elif directory:
            listed.append((directory, recurse))
    return listed, looked_for


def words_of(value):
    value = value.split(",") if isinstance(value, str) else value
    return [one.strip() for one in value if isinstance(one, str)] if isinstance(value, (list, tuple)) else []


def is_expression(conditions):
    """Whether a failed_when says what a failure is. A bare false says only that nothing may be one."""
    conditions = conditions if isinstance(conditions, (list, tuple)) else [conditions]
    return any(isinstance(one, str) and one.strip().lower() not in ("false", "no", "off", "0") for one in conditions)


def hidden_failure(action, data, overridden_changed, failed_when):
    """Why a result that a failed_when let through may be a failure all the same: in doubt it is one."""
    if action in CANNOT_HIDE:
        return None
    message = data.get("msg")
    message = message if isinstance(message, str) else ""
    if "censored" in data:
        return "failed_when decides about a result that no_log hides"
    if data.get("failed") is True or data.get("exception") or "module_stderr" in data or "module_stdout" in data:
        return message or "failed_when lets a failed module pass"
    if data.get("rc") not in (None, 0, "0"):
        # Of a command only its author knows which return codes are fine, and a command proves nothing either way.
        if action in COMMANDS and is_expression(failed_when):
            return None
        return message or "return code %s" % data["rc"]
    if action in COMMANDS:
        return None if "rc" in data else message or "no return code"
    if data.get("evaluated_to") is not None or action == "fail":
        return message or "assertion failed"
    compared = any(has_sides(diff) or diff.get("prepared") for diff in diffs_of(data))
    if compared and not (message and action in INTO_DIRECTORY | {"file"}):
        return None
    if message and not re.match(r"(OK\b|All assertions passed|All paths examined|Not all paths examined)", message):
        return message
    told = set(data) - {"changed", "msg", "diff", "invocation", "failed_when_result", "warnings", "deprecations"}
    if told or (data.get("changed") is True and not overridden_changed):
        return None
    return "failed_when lets a result pass that shows no success"


def skipped_by_choice(action, data, has_condition):
    """A `when` that was false, or a loop over nothing."""
    if "censored" in data:
        # The reason is hidden, but these modules know check mode and never skip by themselves.
        return has_condition and action in WHOLE_TEXT | {"file"}
    return any(key in data for key in ("skip_reason", "skipped_reason", "false_condition"))


def sound_facts(entries):
    """What the inspection module said, less what it could not have said: its output comes from the host."""
    facts = {}
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and isinstance(entry.get("path_base64"), str):
            facts[entry["path_base64"]] = {
                key: value
                for key, value in entry.items()
                if key in FACT_TYPES
                and isinstance(value, FACT_TYPES[key])
                and isinstance(value, bool) == (FACT_TYPES[key] is bool)  # which is an int, too
            }
    return facts


FACT_TYPES = {
    "exists": bool,
    "type": str,
    "mode": str,
    "owner": str,
    "group": str,
    "sha256": str,
    "mtime": int,
    "ctime": int,
}


def first_line(data, fallback):
    if "censored" in data:
        return "%s (its output is hidden by no_log)" % fallback
    # Not what a program printed, which may be the content of a file.
    message = data.get("msg")
    if isinstance(message, (list, tuple)):
        message = " ".join(str(part) for part in message)
    # ssh frames its warning of a changed host key in @.
    lines = [line for line in str(message or "").splitlines() if line.strip(" @")]
    return printable(lines[0].strip())[:MAX_MESSAGE] if lines else fallback


# ---------------------------------------------------------------- one host


class Host:
    def __init__(self):
        self.sentinel = False
        self.verified = 0
        self.failures = []
        self.unchecked = []
        self.drift = []
        self.named = []
        self.listed = {}
        self.looked_for = {}
        # How the results that compared something reached the host; several when they did it in different ways.
        self.reached = []
        self.has_own_way = False
        self.facts = {}
        # Of what a task would follow, if it were a link.
        self.kinds = {}
        self.texts_size = 0
        # Where values in the texts may come from.
        self.sources = {}

    def candidates(self):
        paths = set()
        for entry in self.drift:
            if entry["path"]:
                paths.add(entry["path"])
                if entry["name"]:
                    paths.add(posixpath.join(entry["path"], entry["name"]))
        return sorted(path for path in map(encoded, paths) if path)

    def followed(self):
        """Paths of which it matters whether a link stands there."""
        paths = (entry["path"] for entry in self.named if entry["path"] and entry["follows"])
        return sorted(path for path in set(map(encoded, paths)) if path)

    def deployed(self):
        """Paths that a run left as Git says."""
        paths = (self.resolved(entry, ()) for entry in self.named + self.drift if entry["path"])
        return sorted(path for path in set(map(encoded, paths)) if path)

    def wants_become(self):
        return any(entry["become"] for entry in self.drift)

    def evidence(self):
        return {
            "sentinel": self.sentinel,
            "verified": self.verified,
            "failures": [dict(failure, ignored=failure["ignored"] or self.sentinel) for failure in self.failures],
            "unchecked": self.unchecked,
            "drift": self.merged_drift(),
            "named": [self.name_of(entry) for entry in self.named],
            "listed": [
                {"path_base64": path, "recurse": recurse} for path, recurse in sorted(self.listed.items()) if path
            ],
            "looked_for": sorted(path for path in self.looked_for if path),
            "access": {"why": "nothing of it was compared"},
        }

    def name_of(self, entry):
        path = self.resolved(entry, ())
        path_base64 = encoded(path) if path else None
        why = None if path_base64 else entry["why"] or "no_path"
        if path_base64 and entry["follows"] and self.may_be_link(path_base64):
            # What the task compares lies where the link leads.
            path_base64, why = None, "more_than_bytes"
        sha1, compares = (entry["sha1"], entry["compares"]) if path_base64 else (None, [])
        return {"task": entry["task"], "path_base64": path_base64, "why": why, "sha1": sha1, "compares": compares}

    def may_be_link(self, path_base64):
        facts = self.facts.get(path_base64) or self.kinds.get(path_base64, {})
        return facts.get("exists") is not False and facts.get("type", "link") == "link"

    def merged_drift(self):
        removed = {entry["path"] for entry in self.drift if entry["change"] == "extra"}
        merged, pathless = {}, []
        for entry in self.drift:
            path = self.resolved(entry, removed)
            path_base64 = encoded(path) if path else None
            described = self.described(entry, path_base64)
            if path_base64 is None:
                pathless.append(described)
            elif path_base64 in merged:
                merged[path_base64] = self.combined(merged[path_base64], described)
            else:
                merged[path_base64] = described
        return sorted(merged.values(), key=lambda entry: base64.b64decode(entry["path_base64"])) + pathless

    def resolved(self, entry, removed):
        path = entry["path"]
        is_directory = path is not None and self.facts.get(encoded(path), {}).get("type") == "directory"
        if is_directory and entry["name"] and path not in removed:
            return posixpath.join(path, entry["name"])
        return path

    def described(self, entry, path_base64):
        facts = self.facts.get(path_base64, {})
        change = entry["change"]
        if change != "extra" and facts.get("exists") is False:
            change = "missing"
        elif change == "missing" and facts.get("exists"):
            change = "modified"
        elif change in ("metadata", "modified") and facts:
            change = self.told_apart(change, entry, facts)
        # Who changes a mode does not touch the time of the content.
        modified_at = rfc3339(facts.get("ctime" if change == "metadata" else "mtime"))
        actual = {key: facts[key] for key in ("sha256", "mode", "owner", "group") if key in facts}
        if facts.get("type") not in (None, "file"):
            actual["type"] = facts["type"]
        described = {
            "task": entry["task"],
            "path_base64": path_base64,
            "change": change,
            "expected": dict(entry["expected"]),
            "actual": actual,
            "modified_at": modified_at,
        }
        if entry.get("texts"):
            described["texts"] = entry["texts"]
        if entry.get("text_left_out"):
            described["text_left_out"] = entry["text_left_out"]
        return described

    @staticmethod
    def told_apart(change, entry, facts):
        if entry["wants_file"] and facts.get("type") not in (None, "file"):
            return "modified"
        expected, actual = entry["expected"].get("sha256"), facts.get("sha256")
        if expected and actual:
            return "metadata" if expected == actual else "modified"
        return change

    @staticmethod
    def combined(first, second):
        other, winner = sorted((first, second), key=lambda entry: CHANGE_RANK[entry["change"]])
        expected = {**other["expected"], **winner["expected"]}
        if len({entry["expected"].get("sha256", expected.get("sha256")) for entry in (first, second)}) > 1:
            # Each task would change the file as it is now: none of them says what it would be after both.
            del expected["sha256"]
        both = dict(winner, expected=expected)
        texts = first.get("texts", []) + [text for text in second.get("texts", []) if text not in first.get("texts", [])]
        left_out = first.get("text_left_out") or second.get("text_left_out")
        for key, value in (("texts", texts), ("text_left_out", left_out)):
            if value:
                both[key] = value
        return both


def now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat()


def git_state(directory):
    """The root of the repository that the directory is in, and its commit; None unless all is committed."""

    def git(*words):
        done = subprocess.run(["git", "-C", directory, *words], capture_output=True, timeout=30, check=True)
        return os.fsdecode(done.stdout)

    try:
        root = os.path.realpath(git("rev-parse", "--show-toplevel").rstrip("\n"))
        commit = git("rev-parse", "HEAD").strip()
        return root, None if git("status", "--porcelain", "--untracked-files=all") else commit
    except (OSError, subprocess.SubprocessError):
        return os.path.realpath(os.getcwd()), None


def rfc3339(seconds):
    """None for a time that has no four-digit year: anybody may set a file's time to anything."""
    if seconds is None or not 0 <= seconds < 253402300800:
        return None
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def encoded(path):
    try:
        return base64.b64encode(path.encode("utf-8", "surrogateescape")).decode("ascii")
    except UnicodeEncodeError:
        return None


if __name__ == "__main__":
    json.dump({name: sync_status(host) for name, host in json.load(sys.stdin)["hosts"].items()}, sys.stdout)
    print()
    sys.exit()


# ---------------------------------------------------------------- following a run of Ansible

from ansible import constants as C
from ansible import context
from ansible.playbook import Playbook
from ansible.playbook.handler import Handler
from ansible.plugins.callback import CallbackBase
from ansible.plugins.loader import module_loader
from ansible.release import __version__ as ansible_version
from ansible.template import Templar

try:
    # Until 2.18. Later versions mark values in another way, which nobody has tried with this: texts then stay here as
    # soon as a run can decrypt anything.
    from ansible.parsing.yaml.objects import AnsibleBaseYAMLObject, AnsibleVaultEncryptedUnicode
    if not hasattr(AnsibleBaseYAMLObject, "ansible_pos"):
        AnsibleVaultEncryptedUnicode = None
except ImportError:
    AnsibleVaultEncryptedUnicode = None

VAULT_HEADER = b"$ANSIBLE_VAULT;"


class Result:
    """One result, alike for every version of Ansible."""

    def __init__(self, task_result):
        self.data = getattr(task_result, "result", None) or task_result._result
        self.task = getattr(task_result, "task", None) or task_result._task
        self.fields = getattr(task_result, "task_fields", None) or task_result._task_fields or {}
        self.host_name = (getattr(task_result, "host", None) or task_result._host).get_name()
        self.action = short_name(self.field("action"))
        self.no_log = "censored" in self.data
        self.is_handler = isinstance(self.task, Handler)
        delegate = self.field("delegate_to")
        # Says nothing about the host that the result belongs to.
        self.is_elsewhere = bool(delegate) and delegate != self.host_name

    def field(self, name):
        return self.fields[name] if name in self.fields else getattr(self.task, name, None)

    @property
    def is_loop(self):
        return self.field("loop") is not None or bool(self.field("loop_with"))

    @property
    def task_name(self):
        name = self.task.get_name()
        written = getattr(self.task, "_ds", None)
        if self.no_log and isinstance(written, dict) and isinstance(written.get("name"), str):
            # A variable in the name may be the very thing that no_log hides.
            name = written["name"]
        return printable(name)


def is_within(value, text):
    """Whether any line of a value is in a text, in one of the forms that src/reporter/file-difference.ts looks for."""
    forms = [line.strip() for line in value.split("\n")]
    raw = value.encode("utf-8", "surrogateescape")
    forms += [json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], quote(raw, safe="")]
    forms.append(base64.b64encode(raw).decode("ascii").rstrip("="))
    return any(len(form) >= MIN_VAULTED and form in text for form in forms)


class Vaults:
    """Which values came from a vault.

    Known is a value that is encrypted by itself, and one from a file that is. What a template, a filter or a lookup
    made of one is not: it is found in a text as far as it holds the value as it was.
    """

    def __init__(self, loader):
        self.loader = loader
        self.is_encrypted = functools.lru_cache(maxsize=None)(self._is_encrypted)

    def are_there(self):
        """Whether the run can decrypt anything; in doubt it can."""
        vault = getattr(self.loader, "_vault", None)
        return vault is None or bool(getattr(vault, "secrets", True))

    @staticmethod
    def can_be_told():
        return AnsibleVaultEncryptedUnicode is not None

    @staticmethod
    def _is_encrypted(path):
        try:
            with open(path, "rb") as file:
                return file.read(len(VAULT_HEADER)) == VAULT_HEADER
        except OSError:
            return False

    def is_source(self, result):
        """Whether what a task writes lies in the repository encrypted as a whole; in doubt it does."""
        args = result.field("args")
        source = args.get("src") if isinstance(args, dict) else None
        if result.action not in INTO_DIRECTORY or not isinstance(source, str) or args.get("remote_src"):
            return False
        folder = "templates" if result.action == "template" else "files"
        try:
            found = self.loader.path_dwim_relative_stack(result.task.get_search_path(), folder, source)
        except Exception:  # noqa: BLE001
            return True
        return self.is_encrypted(found)

    def values_in(self, variables):
        found, waiting, seen = set(), [variables], set()
        while waiting:
            value = waiting.pop()
            if isinstance(value, (dict, list, tuple)):
                if id(value) in seen:
                    continue
                seen.add(id(value))
                waiting.extend(value.values() if isinstance(value, dict) else value)
            elif isinstance(value, AnsibleVaultEncryptedUnicode) or self.is_from_file(value):
                text = str(value)
                if len(text.strip()) >= MIN_VAULTED:
                    found.add(text)
        return found

    def is_from_file(self, value):
        if not isinstance(value, str):
            return False
        position = getattr(value, "ansible_pos", None)
        return bool(position and isinstance(position[0], str) and self.is_encrypted(position[0]))


def goes_on_after_failure(task):
    """Whether a rescue section takes over."""
    child, parent = task, getattr(task, "_parent", None)
    while parent is not None:
        if getattr(parent, "rescue", None) and any(
            getattr(member, "_uuid", None) == getattr(child, "_uuid", None) for member in parent.block
        ):
            return True
        child, parent = parent, getattr(parent, "_parent", None)
    return False


def watched(method):
    """Ansible would print a warning and go on, and what the result had to say would be missing from the record."""

    @functools.wraps(method)
    def guarded(self, *args, **kwargs):
        try:
            return method(self, *args, **kwargs)
        except Exception as error:  # noqa: BLE001
            broken = "%s: %s: %s" % (method.__name__, type(error).__name__, error)
            # What one host answered must not cost the others their verdict.
            host = getattr(args[0], "_host", None) or getattr(args[0], "host", None) if args else None
            self.broken[host.get_name() if host else None] = broken
            self._display.warning("gitops_status: this check cannot be trusted: %s" % printable(broken))

    return guarded


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "gitops_status"
    CALLBACK_NEEDS_ENABLED = False
    CALLBACK_NEEDS_WHITELIST = False

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.hosts = {}
        self.check_mode = True
        self.plays = 0
        self.in_sentinel = False
        # Why the record of a host cannot be trusted; of no host: none of it can.
        self.broken = {}
        # Hosts that the inventory itself reaches without a connection.
        self.local_hosts = set()
        # Plays whose hosts: names nobody, not even without --limit.
        self.unmatched_plays = []
        self.has_written = False
        # Tasks whose items have told of a failure already.
        self.told_by_items = set()
        # Hosts that did not get to the end of one of several playbooks.
        self.cut_short = set()
        # Every play but the sentinel, in order.
        self.played = []
        self.playbook = ""
        self.started_at = now()
        # Whether a task has variables of its own that say how a host is reached.
        self.own_ways = {}
        self.wants_texts = os.environ.get(DIFF) == "1"
        self.texts_size = 0
        self.vaults = None

    def host(self, name):
        return self.hosts.setdefault(name, Host())

    # -- the run

    @watched
    def v2_playbook_on_start(self, playbook):
        self.playbook = os.path.realpath(playbook._file_name)
        self.started_at = now()
        for name, host in self.hosts.items():
            if not host.sentinel:
                self.cut_short.add(name)
            host.sentinel = False
        if self.has_written:
            # Of two playbooks in one run the first one's record would look like the whole.
            os.unlink(os.environ[RESULT_FILE])
            self.has_written = False
        if os.path.isdir(LIBRARY):
            module_loader.add_directory(os.path.realpath(LIBRARY))
        plays = playbook.get_plays()
        # A template is false to nobody yet: what it comes to is known when the play starts.
        if plays and all(play.check_mode for play in plays) and not self.is_sentinel(plays[-1]):
            manager = plays[-1].get_variable_manager()
            sentinel = Playbook.load(os.path.realpath(SENTINEL), variable_manager=manager, loader=playbook.get_loader())
            for play in sentinel.get_plays():
                play._included_path = os.path.dirname(os.path.realpath(SENTINEL))
                playbook._entries.append(play)

    @watched
    def v2_playbook_on_play_start(self, play):
        self.in_sentinel = self.is_sentinel(play)
        if self.in_sentinel:
            self.hand_over(play)
            return
        self.plays += 1
        self.played.append(play)
        self.check_mode = self.check_mode and play.check_mode is True
        for host in self.hosts.values():
            host.sentinel = False
        manager = play.get_variable_manager()
        inventory = manager._inventory
        for host in inventory.get_hosts(play.hosts, ignore_restrictions=True):
            name = host.get_name()
            if name not in self.hosts and manager.get_vars(host=host).get("ansible_connection") == "local":
                self.local_hosts.add(name)
            self.host(name)
        if not inventory.get_hosts(play.hosts, ignore_limits=True, ignore_restrictions=True):
            self.unmatched_plays.append(printable(play.get_name()))

    @staticmethod
    def is_sentinel(play):
        if play.name != SENTINEL_PLAY:
            return False
        written_in = re.sub(r":\d+(:\d+)?$", "", str(play.get_path() or ""))
        return os.path.realpath(written_in) == os.path.realpath(SENTINEL)

    def hand_over(self, play):
        manager = play.get_variable_manager()
        for name, host in self.hosts.items():
            manager.set_host_variable(name, PATHS_VARIABLE, host.candidates())
            manager.set_host_variable(name, KINDS_VARIABLE, host.followed())
            if host.wants_become():
                manager.set_host_variable(name, BECOME_VARIABLE, True)

    @watched
    def v2_playbook_on_stats(self, stats):
        path = os.environ.get(RESULT_FILE)
        if self.plays and not self.check_mode and os.environ.get(STATE_DIRECTORY):
            self.record_deploy(stats)
        if not self.plays or not (self.check_mode or path):
            return
        evidence = self.evidence()
        # Whoever asked for a result is told that this was no check; a deploy is not interrupted with it.
        for line in lines_for_people(evidence["hosts"]) if self.check_mode else ():
            self._display.display(line)
        if path:
            try:
                write_result(path, evidence)
                self.has_written = True
            except OSError as error:
                self._display.warning("gitops_status: no result could be written: %s" % printable(error))

    def record_deploy(self, stats):
        """What src/drift/baseline/deploys.ts reads. Without it a cause stays unknown; a deploy never fails for it."""
        try:
            root, commit = git_state(os.path.dirname(os.path.abspath(self.playbook)))
            state = os.path.abspath(os.environ[STATE_DIRECTORY])
            directory = os.path.join(state, "deploys")
            for path in (state, directory):
                os.makedirs(path, mode=0o700, exist_ok=True)
            for name in stats.processed:
                if name in self.hosts and not stats.failures.get(name) and not stats.dark.get(name):
                    words = [os.fsencode(word) for word in (root, name, self.playbook)]
                    record = {
                        "format": 1,
                        "commit": None if selection() else commit,
                        "started_at": self.started_at,
                        "finished_at": now(),
                        "paths": self.hosts[name].deployed(),
                    }
                    file = hashlib.sha256(b"\0".join(words[:2])).hexdigest()[:32]
                    file += "-%s.json" % hashlib.sha256(words[2]).hexdigest()[:16]
                    write_result(os.path.join(directory, file), record)
        except Exception as error:  # noqa: BLE001
            self._display.warning("gitops_status: the deploy was not recorded: %s" % printable(error))

    def evidence(self):
        for name in self.cut_short:
            self.host(name).sentinel = False
        hosts = {printable(name): self.evidence_of(name) for name in self.hosts}
        return {
            "format": 1,
            "run_id": os.environ.get(RUN_ID, ""),
            "ansible_version": ansible_version,
            "check_mode": self.check_mode,
            "selection": selection(),
            "hosts": hosts,
        }

    def evidence_of(self, name):
        broken = [self.broken[key] for key in (None, name) if key in self.broken]
        try:
            evidence = self.hosts[name].evidence()
            if self.check_mode and self.hosts[name].reached:
                evidence["access"] = self.access_of(name)
            if self.wants_texts:
                self.add_vaulted(name, evidence)
        except Exception as error:  # noqa: BLE001
            evidence = Host().evidence()
            broken.append("%s: %s" % (type(error).__name__, error))
        evidence["failures"] += [
            {"task": "gitops_status", "kind": "failed", "ignored": True, "message": printable(reason)[:MAX_MESSAGE]}
            for reason in broken
        ]
        evidence["unchecked"] += [{"task": play, "reason": "no_host_matched"} for play in self.unmatched_plays]
        # A host that failed is among them too, and will be told of by its failure.
        evidence["unchecked"] += [
            {"task": printable(play.get_name()), "reason": "ended_early"}
            for play in self.played
            if name in getattr(play, "_removed_hosts", ()) and not evidence["failures"]
        ]
        return evidence

    # -- how a host is reached, for whoever looks at it without Ansible

    def access_of(self, name):
        try:
            ways = self.ways_to(name)
        except NoAccess as why:
            return {"why": printable(why)[:MAX_MESSAGE]}
        except Exception as error:  # noqa: BLE001
            # Its message may hold what a variable holds.
            return {"why": "how it is reached cannot be told: %s" % type(error).__name__}
        first = ways[0]
        become = {way.pop("become") for way in ways}
        if any(way != first for way in ways):
            return {"why": "its tasks reach it in different ways"}
        if len(become) > 1 and "root" not in become:
            return {"why": "its tasks become different users"}
        return dict(first, become="root" if "root" in become else become.pop())

    def ways_to(self, name):
        host = self.hosts[name]
        if host.has_own_way:
            raise NoAccess("a task has variables of its own about how it is reached")
        if given(context.CLIARGS, "ask_pass", "connection_password_file"):
            raise NoAccess("it is reached with a password")
        variables = {}
        ways = []
        for index, *fields in host.reached:
            if index not in variables:
                play = self.played[index]
                manager = play.get_variable_manager()
                variables[index] = Variables(manager, play, manager._inventory.get_host(name))
            ways.append(way_of(variables[index], dict(zip(WAY, fields))))
        return ways

    # -- results

    @watched
    def v2_runner_on_ok(self, result):
        result = Result(result)
        if not result.is_loop:
            self.take(result)

    @watched
    def v2_runner_item_on_ok(self, result):
        self.take(Result(result))

    @watched
    def v2_runner_on_skipped(self, result):
        result = Result(result)
        if not (result.is_loop and result.data.get("results")):
            self.take_skip(result)

    @watched
    def v2_runner_item_on_skipped(self, result):
        self.take_skip(Result(result))

    @watched
    def v2_runner_on_failed(self, result, ignore_errors=False):
        self.take_failure(Result(result), "failed", bool(ignore_errors))

    @watched
    def v2_runner_item_on_failed(self, result):
        result = Result(result)
        unreachable = bool(result.data.get("unreachable"))
        ignored = result.field("ignore_unreachable" if unreachable else "ignore_errors")
        self.take_failure(result, "unreachable" if unreachable else "failed", bool(ignored), is_item=True)

    @watched
    def v2_runner_on_unreachable(self, result):
        result = Result(result)
        self.take_failure(result, "unreachable", bool(result.field("ignore_unreachable")))

    def take_failure(self, result, kind, ignored, is_item=False):
        key = (result.host_name, result.task._uuid)
        if is_item:
            self.told_by_items.add(key)
        elif result.is_loop and key in self.told_by_items:
            return
        self.add_failure(result, kind, ignored or goes_on_after_failure(result.task), first_line(result.data, kind))

    def add_failure(self, result, kind, ignored, message):
        self.host(result.host_name).failures.append(
            {"task": result.task_name, "kind": kind, "ignored": ignored, "message": printable(message)[:MAX_MESSAGE]}
        )

    def take_skip(self, result):
        if self.in_sentinel or result.is_handler:
            return
        if "ansible_check_mode" in str(result.field("when") or ""):
            # Chosen, but for check mode only: a deploy would do it.
            self.add_unchecked(result, "skipped_in_check_mode")
            return
        if skipped_by_choice(result.action, result.data, bool(result.field("when"))):
            return
        if result.action in HARMLESS_SKIP or result.action.endswith(("_info", "_facts")):
            return
        self.add_unchecked(result, "skipped_in_check_mode")

    def add_unchecked(self, result, reason):
        self.host(result.host_name).unchecked.append({"task": result.task_name, "reason": reason})

    def take(self, result):
        host = self.host(result.host_name)
        if self.in_sentinel:
            self.take_sentinel(host, result)
            return
        action, data = result.action, result.data
        self.refuse_redirection(action, data)
        if result.field("connection") == "local" and result.host_name not in self.local_hosts:
            result.is_elsewhere = True
        overridden_changed = bool(result.field("changed_when"))
        overridden = overridden_changed or bool(result.field("failed_when"))
        if result.field("failed_when"):
            reason = hidden_failure(action, data, overridden_changed, result.field("failed_when"))
            if reason:
                self.add_failure(result, "failed", True, first_line({"msg": reason}, reason))
                return
        if result.is_handler or action in CONTROL:
            return

        diffs = [] if result.no_log else diffs_of(data)
        is_different = any(differs(diff, action) for diff in diffs)
        if data.get("changed") or is_different:
            host.drift.append(self.drift_of(result))
            if self.wants_texts:
                self.keep_texts(host, result, host.drift[-1])
        if action == "find" and not result.no_log and not result.is_elsewhere:
            listed, looked_for = looked_through(data, result.field("args") or {})
            for path, recurse in listed:
                host.listed[encoded(path)] = host.listed.get(encoded(path), False) or recurse
            host.looked_for.update((encoded(path), True) for path in looked_for)
        # What was found on another server says nothing about this one, unless it differs.
        if only_looks(action) or result.is_elsewhere:
            return
        is_proven = is_different or (action in COMPLETE_DIFFS and any(has_sides(diff) for diff in diffs))
        if overridden and not is_proven:
            self.add_unchecked(result, "verdict_overridden")
        else:
            host.verified += 1
            host.named.append(self.named_of(result))
            self.take_way(host, result)

    def keep_texts(self, host, result, entry):
        """Only what Ansible itself shows: nothing of a task with no_log or `diff: false`."""
        if result.no_log or result.field("diff") is False or result.is_elsewhere or not entry["path"]:
            return
        texts, entry["text_left_out"] = texts_of(result.action, result.data)
        size = sum(len(text["server"]) + len(text["git"]) for text in texts)
        if not texts:
            return
        if self.vaults is None:
            self.vaults = Vaults(result.task.get_loader())
        vaults = self.vaults
        if vaults.are_there() and (not vaults.can_be_told() or vaults.is_source(result)):
            entry["text_left_out"] = "vault"
        elif host.texts_size + size > MAX_TEXTS_OF_HOST or self.texts_size + size > MAX_TEXTS:
            entry["text_left_out"] = "too_large"
        else:
            host.texts_size += size
            self.texts_size += size
            entry["texts"] = texts
            role = getattr(result.task, "_role", None)
            host.sources[(self.played[-1]._uuid, role and role._uuid)] = (self.played[-1], result.task)
            host.sources[result.task._uuid] = (None, result.task.get_vars())

    def add_vaulted(self, name, evidence):
        """Names what of the texts came from a vault, for what redacts them."""
        with_texts = [entry for entry in evidence["drift"] if entry.get("texts")]
        if not with_texts or not self.vaults.are_there():
            return
        try:
            values = self.vaulted_of(name)
        except Exception as error:  # noqa: BLE001
            # A verdict does not need the texts.
            self._display.warning("gitops_status: no differences of %s: %s" % (printable(name), printable(error)))
            for entry in with_texts:
                del entry["texts"]
                entry["text_left_out"] = "vault"
            return
        for entry in with_texts:
            sides = [text[key] for text in entry["texts"] for key in ("server", "git")]
            here = sorted(value for value in values if any(is_within(value, text) for text in sides))
            if here:
                entry["vaulted"] = here

    def vaulted_of(self, name):
        values = set(self.vaulted_of_all())
        for play, source in self.hosts[name].sources.values():
            values |= self.vaults.values_in(source if play is None else self.variables(play, name, source))
        return values

    def variables(self, play, name, task=None):
        manager = play.get_variable_manager()
        host = manager._inventory.get_host(name)
        return manager.get_vars(play=play, host=host, task=task, include_hostvars=False)

    @functools.lru_cache(maxsize=None)
    def vaulted_of_all(self):
        """A template may name the variables of any host."""
        values = set()
        for name in self.hosts:
            values |= self.vaults.values_in(self.variables(self.played[-1], name))
        return frozenset(values)

    def refuse_redirection(self, action, data):
        """A run that gives one of its hosts another address or connection no longer looks at that host."""
        added = data.get("add_host") if action == "add_host" else None
        name = added.get("host_name") if isinstance(added, dict) else None
        if name in self.hosts and any(str(key).startswith("ansible_") for key in added.get("host_vars") or ()):
            self.broken[name] = "add_host changed how the run reaches this host"

    @staticmethod
    def take_sentinel(host, result):
        if result.action == INSPECT:
            host.facts = sound_facts(result.data.get("facts"))
            host.kinds = sound_facts(result.data.get("kinds"))
            host.sentinel = True

    @staticmethod
    def named_of(result):
        if result.no_log:
            named = {"path": None, "name": None, "why": "no_log", "sha1": None, "compares": [], "follows": False}
        else:
            named = named_by(result.action, result.data, result.field("args") or {})
        return dict(named, task=result.task_name)

    def take_way(self, host, result):
        way = (len(self.played) - 1, *(str(result.field(key) or "") for key in WAY))
        if way not in host.reached:
            host.reached.append(way)
        if result.task._uuid not in self.own_ways:
            variables = result.task.get_vars() if hasattr(result.task, "get_vars") else {}
            self.own_ways[result.task._uuid] = any(REACHING.match(str(key)) for key in variables)
        if self.own_ways[result.task._uuid]:
            host.has_own_way = True

    @staticmethod
    def drift_of(result):
        action, data = result.action, result.data
        path, name, expected, change = None, None, {}, "modified"
        args = args_of(data)
        if not result.no_log:
            change = change_of(action, data, args)
            if change != "extra":
                expected = expected_of(action, data, args)
            if not result.is_elsewhere:
                path, name = path_of(action, data, args)
        return {
            "task": result.task_name,
            "path": path,
            "name": name,
            "change": change,
            "expected": expected,
            "wants_file": action in WHOLE_TEXT and not args.get("follow"),
            "become": bool(result.field("become")),
        }


class NoAccess(Exception):
    """Why a host can be looked at by Ansible only. Names variables, never what they hold."""


class Variables:
    """The variables of one host in one play, each resolved when it is asked for."""

    def __init__(self, manager, play, host):
        self.variables = manager.get_vars(play=play, host=host)
        self.templar = Templar(loader=manager._loader, variables=self.variables)

    def __contains__(self, name):
        return self.variables.get(name) is not None

    def get(self, name):
        if name not in self:
            return None
        try:
            return self.templar.template(self.variables[name])
        except Exception:  # noqa: BLE001
            raise NoAccess("its variable %s cannot be resolved" % name) from None

    def resolved(self, names):
        return {name: self.get(name) for name in names if name in self}


def way_of(variables, task):
    """One way to a host, as Ansible's own plugins read it from settings, variables, arguments and keywords."""
    connection = short_name(variables.get("ansible_connection") or task["connection"] or "ssh")
    if connection not in ("ssh", "smart"):
        raise NoAccess("its connection is %s" % connection)
    if variables.get("ansible_shell_type") not in (None, "sh"):
        raise NoAccess("its shell is %s" % variables.get("ansible_shell_type"))
    names = C.config.get_plugin_vars("connection", "ssh")
    if any(name in variables for name in names if PASSWORDS.search(name) and not name.endswith("prompt")):
        raise NoAccess("it is reached with a password")
    # A check replaces these two by its own: what counts of them is what the settings say.
    readable = [name for name in names if name not in ("ansible_ssh_args", "ansible_ssh_extra_args")]
    keys = {"remote_user": task["remote_user"] or None, "port": task["port"] or None}
    keys = {key: value for key, value in keys.items() if value}
    ssh = C.config.get_plugin_options("connection", "ssh", keys=keys, variables=variables.resolved(readable))
    if ssh.get("pkcs11_provider"):
        raise NoAccess("it is reached with a smart card")
    return {
        "host": str(ssh["host"]),
        "port": int(ssh["port"]) if ssh.get("port") else None,
        "user": text_or_none(ssh.get("remote_user")),
        "keyFile": os.path.abspath(os.path.expanduser(ssh["private_key_file"])) if ssh.get("private_key_file") else None,
        "sshArgs": ssh_words(ssh),
        "python": python_of(variables),
        "become": become_of(variables, task, ssh.get("remote_user")),
    }


def text_or_none(value):
    return str(value) if value not in (None, "") else None


def ssh_words(ssh):
    words = []
    for key in ("ssh_args", "ssh_common_args", "ssh_extra_args"):
        try:
            words += shlex.split(str(ssh.get(key) or ""))
        except ValueError:
            raise NoAccess("its %s cannot be split into words" % key) from None
    kept, skipped = [], False
    for word, following in zip(words, words[1:] + [""]):
        shares = word.startswith(("-C", "-S", "-M")) or SHARING.match(word[2:] if word.startswith("-o") else "")
        if skipped:
            skipped = False
        elif (word == "-o" and SHARING.match(following)) or word == "-S":
            skipped = True
        elif not shares:
            kept.append(word)
    if any(PASSWORDS.search(word) for word in kept):
        raise NoAccess("its arguments for ssh speak of a password")
    return kept


def python_of(variables):
    chosen = C.config.get_config_value(
        "INTERPRETER_PYTHON", variables=variables.resolved(["ansible_python_interpreter"])
    )
    if str(chosen).startswith("auto"):
        facts = variables.get("ansible_facts") or {}
        chosen = facts.get("discovered_interpreter_python")
    chosen = str(chosen or "")
    return chosen if re.fullmatch(r"/[^\s]+", chosen) else None


def become_of(variables, task, user):
    wanted = variables.get("ansible_become") if "ansible_become" in variables else task["become"]
    if not is_true(wanted):
        return None
    method = short_name(variables.get("ansible_become_method") or task["become_method"] or "sudo")
    if method != "sudo":
        raise NoAccess("it becomes another user by %s" % method)
    names = C.config.get_plugin_vars("become", "sudo")
    if any(name in variables for name in names if PASSWORDS.search(name)):
        raise NoAccess("it becomes another user with a password")
    if given(context.CLIARGS, "become_ask_pass", "become_password_file"):
        raise NoAccess("it becomes another user with a password")
    keys = {key: task[key] for key in ("become_user", "become_flags", "become_exe") if task[key]}
    sudo = C.config.get_plugin_options("become", "sudo", keys=keys, variables=variables.resolved(names))
    if sudo.get("become_pass"):
        raise NoAccess("it becomes another user with a password")
    if sudo.get("become_exe") not in (None, "sudo") or sudo.get("become_flags") not in (None, "", SUDO_FLAGS):
        raise NoAccess("its sudo is not called as usual")
    becomes = str(sudo.get("become_user") or "root")
    return None if becomes == user else becomes


def selection():
    """Why only part of the playbook ran, also where the settings say so and not the command line."""
    chosen = []
    tags = [tag for tag in context.CLIARGS.get("tags") or () if tag != "all"]
    for tag in sorted(tags):
        chosen.append("--tags %s" % tag)
    for tag in sorted(context.CLIARGS.get("skip_tags") or ()):
        chosen.append("--skip-tags %s" % tag)
    if context.CLIARGS.get("start_at_task"):
        chosen.append("--start-at-task %s" % context.CLIARGS["start_at_task"])
    if context.CLIARGS.get("step"):
        chosen.append("--step")
    return [printable(words) for words in chosen]
