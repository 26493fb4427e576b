"""Gathers what a host knows of who may have changed some of its files. Changes nothing, and names nobody.

src/drift/blame/blame-evidence.ts describes the answer, src/drift/blame/blame.ts judges it. Needs Python 3.6 and no
module of ours: it is carried to the host by what is connected to it anyway.

As a script: `gitops_status_blame.py < request.json` prints the answer as JSON.
"""

import base64
import calendar
import glob
import json
import os
import posixpath
import pwd
import re
import shutil
import stat
import struct
import subprocess
import sys
import time
import zlib

FORMAT = 1
# A look for the culprit must never be what slows a host down.
MAX_SECONDS = 10.0
MAX_PATHS = 200
MAX_FILE_BYTES = 8 << 20
MAX_AUDIT_BYTES = 16 << 20
MAX_JOURNAL_BYTES = 16 << 20
MAX_LINE = 8192
MAX_OF_A_KIND = 2000
# Somebody may have logged in long before they edited: this far before the window lines are read.
LOOKBACK = 86400.0
# A command line may hold a password: of a command nothing but its program's name leaves the host.
MAX_NAME = 64


class Deadline:
    def __init__(self, seconds):
        self.end = time.monotonic() + seconds

    def left(self):
        return max(0.0, self.end - time.monotonic())

    def passed(self):
        return self.left() == 0.0


def collect(request, root=b"/"):
    """The answer to one request. `root` is for tests: where the host's files lie."""
    use_zone_of(root)
    paths = [base64.b64decode(path) for path in request["paths"][:MAX_PATHS]]
    after, before = float(request["after"]), float(request["before"])
    deadline = Deadline(min(float(request.get("seconds", MAX_SECONDS)), MAX_SECONDS))
    host = Host(root, paths, after, before, deadline)
    files = [look(host, path) for path in paths]
    sessions = read_wtmp(host)
    entries = read_journal(host)
    if entries is None:
        entries = read_syslog(host)
    packages = read_dpkg(host) + read_dnf(host)
    audit = read_audit(host, files)
    uids = [file["uid"] for file in files if "uid" in file] + [event["auid"] for event in audit["events"]]
    return {
        "format": FORMAT,
        "clock": clock(),
        "uid": os.geteuid(),
        "connection": own_connection(),
        "users": {str(uid): user_name(uid) for uid in set(uids) if user_name(uid)},
        "files": [published(file) for file in files],
        "sources": host.sources,
        "sessions": sessions,
        "entries": entries,
        "packages": packages,
        "audit": audit,
    }


def use_zone_of(root):
    """Local times in logs are in this host's zone, and not in that of whoever looks."""
    os.environ.pop("TZ", None)
    if root != b"/":
        os.environ["TZ"] = "UTC0"
    time.tzset()


class Host:
    def __init__(self, root, paths, after, before, deadline):
        self.root = root
        self.paths = paths
        self.after = after
        self.before = before
        self.deadline = deadline
        self.sources = []
        # Of this host's own lines its name is the only sign in a log that many hosts write to.
        self.names = host_names(root)

    def path(self, name):
        return posixpath.join(self.root, name.lstrip(b"/"))

    def source(self, name, state, since=None):
        """state: read, partial (not all of the window), unreadable, absent."""
        self.sources.append({"name": name, "state": state, "since": since})


# ---------------------------------------------------------------- the files themselves


def look(host, path):
    try:
        found = os.lstat(host.path(path))
    except OSError as error:
        missing = isinstance(error, (FileNotFoundError, NotADirectoryError))
        file = {"kind": "missing" if missing else "unreadable"}
    else:
        file = {
            "kind": "there",
            "uid": found.st_uid,
            "mtime": str(found.st_mtime_ns),
            "ctime": str(found.st_ctime_ns),
            "inode": str(found.st_ino),
            "device": "%02x:%02x" % (os.major(found.st_dev), os.minor(found.st_dev)),
            "links": found.st_nlink,
            "regular": stat.S_ISREG(found.st_mode),
        }
    file["path"] = base64.b64encode(path).decode()
    file["directory"] = None
    try:
        above = os.lstat(host.path(posixpath.dirname(path)))
    except OSError:
        return file
    file["directory"] = {
        "mtime": str(above.st_mtime_ns),
        "inode": str(above.st_ino),
        "device": "%02x:%02x" % (os.major(above.st_dev), os.minor(above.st_dev)),
    }
    return file


def published(file):
    shown = {key: value for key, value in file.items() if key not in ("device", "directory")}
    if file["directory"]:
        shown["directory_mtime"] = file["directory"]["mtime"]
    return shown


def clock():
    boot_id = ""
    try:
        with open("/proc/sys/kernel/random/boot_id") as file:
            boot_id = file.read(64).strip()
    except OSError:
        pass
    boottime = getattr(time, "CLOCK_BOOTTIME", 7)
    return {
        "realtime": str(int(time.time() * 1e9)),
        "boottime": str(int(time.clock_gettime(boottime) * 1e9)),
        "boot_id": boot_id,
    }


def own_connection():
    """Where this very look comes from: its login is no suspect's."""
    words = os.environ.get("SSH_CONNECTION", "").split() or connection_above()
    if len(words) != 4 or not words[1].isdigit():
        return None
    return {"from": words[0], "port": int(words[1])}


def connection_above():
    """By what sudo was started with: it hands nothing of that on."""
    pid = os.getppid()
    for _ in range(8):
        try:
            with open("/proc/%d/stat" % pid, "rb") as file:
                name, _, rest = file.read(4096).partition(b"(")[2].rpartition(b")")
            # Whoever started sshd may have come by ssh, too.
            if name.startswith(b"sshd"):
                break
            with open("/proc/%d/environ" % pid, "rb") as file:
                variables = file.read(1 << 20).split(b"\0")
        except OSError:
            break
        found = [one for one in variables if one.startswith(b"SSH_CONNECTION=")]
        if found:
            return found[0].partition(b"=")[2].decode("ascii", "replace").split()
        pid = int(rest.split()[1])
    return []


def user_name(uid):
    try:
        return pwd.getpwuid(uid)[0]
    except (KeyError, OverflowError):
        return None


def host_names(root):
    try:
        with open(posixpath.join(root, b"etc/hostname"), "rb") as file:
            name = file.read(256).decode("ascii", "replace").strip()
    except OSError:
        name = ""
    names = {name, os.uname()[1]} - {""}
    return {part.lower() for name in names for part in (name, name.split(".")[0])}


# ---------------------------------------------------------------- files that are logs


def open_log(path):
    """A log as its owner root wrote it, never a link or a pipe that somebody put in its place."""
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode) or found.st_mode & stat.S_IWOTH:
        os.close(fd)
        raise OSError("not a log")
    return os.fdopen(fd, "rb"), found


def log_files(host, names):
    """The logs of these names with the rotated ones that may reach into the window, the newest first."""
    found = []
    for name in names:
        pattern = host.path(name)
        for path in glob.glob(glob.escape(pattern) + b"*"):
            if not re.match(br"([.-][0-9]{1,14})?(\.(gz|bz2|xz))?$", path[len(pattern):]):
                continue
            try:
                mtime = os.lstat(path).st_mtime
            except OSError:
                continue
            if mtime >= host.after - LOOKBACK:
                found.append((mtime, path))
    return [path for _, path in sorted(found, reverse=True)]


def tail_of(path, limit):
    """The last bytes of a log, when it was last written to, and whether something before them was left out."""
    with open_log(path)[0] as file:
        found = os.fstat(file.fileno())
        if re.search(br"\.(gz|bz2|xz)$", path):
            data, cut = unpacked(path, file, limit)
        else:
            start = max(0, found.st_size - limit)
            file.seek(start)
            data, cut = file.read(limit), start > 0
            if cut:
                data = data[data.find(b"\n") + 1:]
    return data, found.st_mtime, cut


def unpacked(path, file, limit):
    import bz2
    import gzip
    import lzma

    kind = path.rsplit(b".", 1)[1]
    kept, total = b"", 0
    try:
        if kind == b"gz":
            stream = gzip.GzipFile(fileobj=file, mode="rb")
        else:
            stream = bz2.BZ2File(file) if kind == b"bz2" else lzma.LZMAFile(file)
        while True:
            part = stream.read(1 << 20)
            if not part:
                break
            total += len(part)
            # Eight times as much is unpacked as is kept: a file of zeros would never come to its end.
            if total > 8 * limit:
                raise OSError("too large")
            kept = (kept + part)[-limit:]
    except (EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
        raise OSError("not a packed file: %s" % error)
    return (kept[kept.find(b"\n") + 1:] if total > limit else kept), total > limit


# ---------------------------------------------------------------- what log lines say


ACCEPTED = re.compile(
    r"Accepted (\S{1,32}) for (\S{1,256}) from (\S{1,64}) port ([0-9]{1,5})(?: ssh2)?"
    r"(?:: \S{1,32} (SHA256:[A-Za-z0-9+/]{43}))?"
)
DISCONNECTED = re.compile(
    r"(?:Disconnected from|Connection closed by|Connection reset by|Received disconnect from)"
    r"(?: user \S{1,256})? (\S{1,64}) port ([0-9]{1,5})\b"
)
OPENED = re.compile(r"pam_\w+\(([\w-]{1,32}):session\): session opened for user ([^\s(]{1,256})")
CLOSED = re.compile(r"pam_\w+\(([\w-]{1,32}):session\): session closed for user (\S{1,256})")
# What was refused has a sentence where the first field stands here.
SUDO = re.compile(r"\s*(\S(?:.{0,254}\S)?) : (?:(?:HOST|TTY|CHROOT|PWD|GROUP|TSID|USER)=)")
SUDO_AS = re.compile(r" ; USER=(\S{1,256}) ;")
SUDO_PWD = re.compile(r"(?: : | ; )PWD=(.*?) ; ")
SU = re.compile(r"\(to (\S{1,256})\) (\S{1,256}) on \S+")
CRON = re.compile(r"\((\S{1,256})\) CMD \(\s*(.*)\)$")
UNIT_STARTS = re.compile(r"Starting ([\w@:.\\-]{1,200}\.service)\b")
UNIT_ENDS = re.compile(
    r"(?:Finished ([\w@:.\\-]{1,200}\.service)\b"
    r"|([\w@:.\\-]{1,200}\.service): (?:Deactivated successfully|Succeeded|Failed with result|Main process exited))"
)
ANSIBLE = re.compile(r"(?:ansible-(\S{1,100}) )?Invoked with (.*)", re.S)
# Units whose start is no act on a file: a login's own manager, and the daemons that log people in.
QUIET_UNITS = re.compile(r"(user@|user-runtime-dir@|session-|ssh(d)?[.@]|systemd-)")

# They name a file and leave it as it is.
READING_MODULES = ("stat", "slurp", "find", "fetch", "setup", "ping", "gitops_status_inspect")

SSHD = ("sshd", "sshd-session", "sshd-auth")
SUDOS = ("sudo", "sudoedit")
SUS = ("su", "su-l", "runuser")
CRONS = ("cron", "crond", "anacron", "atd")


def entry_of(host, program, message):
    """What one line says, as far as it bears on who was at work; None for all others. `program` wrote it."""
    lower = program.lower()
    if lower in SSHD:
        match = ACCEPTED.match(message)
        if match:
            method, user, address, port, key = match.groups()
            if int(port) > 65535:
                return None
            return {"kind": "ssh_accepted", "user": user, "from": address, "port": int(port), "key": key}
        match = DISCONNECTED.match(message)
        if match and int(match.group(2)) <= 65535:
            return {"kind": "ssh_closed", "from": match.group(1), "port": int(match.group(2))}
    if lower in SUDOS:
        match = SUDO.match(message)
        if match and "COMMAND=" in message:
            command = message[message.index("COMMAND=") + 8:]
            target = SUDO_AS.search(message)
            where = SUDO_PWD.search(message)
            return {
                "kind": "sudo",
                "user": match.group(1)[:256],
                "as": target.group(1) if target else "root",
                "program": program_of(command),
                "paths": named_in(host, command, where.group(1) if where else ""),
            }
    if lower in SUS:
        match = SU.match(message)
        if match:
            return {"kind": "su", "user": match.group(2), "as": match.group(1)}
    if lower in CRONS:
        match = CRON.match(message)
        if match:
            user, command = match.groups()
            return {"kind": "cron", "user": user, "program": program_of(command), "paths": named_in(host, command, "")}
    if lower in SSHD + SUDOS + SUS + CRONS + ("login", "systemd-logind"):
        match = OPENED.match(message)
        if match:
            return {"kind": "opened", "service": match.group(1), "user": match.group(2)}
        match = CLOSED.match(message)
        if match:
            return {"kind": "closed", "service": match.group(1), "user": match.group(2)}
    if lower == "systemd":
        match = UNIT_STARTS.match(message)
        if match:
            return None if QUIET_UNITS.match(match.group(1)) else {"kind": "unit_starts", "unit": match.group(1)[:200]}
        match = UNIT_ENDS.match(message)
        if match:
            unit = match.group(1) or match.group(2)
            return None if QUIET_UNITS.match(unit) else {"kind": "unit_ends", "unit": unit[:200]}
    if lower == "cloud-init" and "running '" in message:
        return {"kind": "cloud_init"}
    if lower.startswith("ansible-") or lower.startswith("python") or lower == "platform-python":
        match = ANSIBLE.match(message)
        module = lower[len("ansible-"):] if lower.startswith("ansible-") else match and match.group(1)
        if match and module and module.split(".")[-1] not in READING_MODULES:
            return {"kind": "ansible", "module": module[:MAX_NAME], "paths": named_in(host, match.group(2), "")}
    return None


def program_of(command):
    word = command.strip().split(" ", 1)[0].strip("'\"")
    name = posixpath.basename(word) or word
    return re.sub(r"[^A-Za-z0-9._+-]", "?", name)[:MAX_NAME] or "?"


def named_in(host, command, directory):
    """The numbers of the paths that a command line names, whole or from where it was run."""
    numbers = []
    for number, path in enumerate(host.paths):
        text = path.decode("utf-8", "surrogateescape")
        above, name = posixpath.split(text)
        is_near = directory and posixpath.normpath(directory) == above
        if stands_in(command, text) or is_near and (stands_in(command, name) or stands_in(command, "./" + name)):
            numbers.append(number)
    return numbers


def stands_in(command, name):
    """A longer path that begins or ends with this one is another."""
    return name in command and re.search(r"(?<![\w.~/-])" + re.escape(name) + r"(?![\w.~/-])", command) is not None


# ---------------------------------------------------------------- the journal


# Which program a line claims as its own, by the file that the kernel says wrote it. A name alone anybody can take.
EXECUTABLES = {
    "sshd": SSHD, "sshd-session": SSHD, "sshd-auth": SSHD, "sudo": SUDOS, "su": SUS, "runuser": SUS,
    "cron": CRONS, "crond": CRONS, "atd": CRONS, "anacron": CRONS,
    "systemd": ("systemd",), "login": ("login",), "systemd-logind": ("systemd-logind",),
}
SYSTEM_DIRECTORIES = ("/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/", "/usr/lib/", "/lib/", "/usr/libexec/")
MATCHES = [
    "_COMM=sshd", "_COMM=sshd-session", "_COMM=sshd-auth", "_COMM=sudo", "_COMM=su",
    "_COMM=cron", "_COMM=crond", "_COMM=atd", "_COMM=anacron",
    "_COMM=login", "_COMM=systemd-logind", "_COMM=cloud-init", "_PID=1", "_COMM=python3", "_COMM=python",
    "_COMM=platform-python", "SYSLOG_IDENTIFIER=python3", "SYSLOG_IDENTIFIER=platform-python", "SYSLOG_IDENTIFIER=CRON",
]
FIELDS = "MESSAGE,_COMM,_EXE,_UID,_PID,SYSLOG_IDENTIFIER,_AUDIT_LOGINUID"


def read_journal(host):
    """Entries, the oldest first. None when there is no journal that reaches into the window."""
    program = shutil.which("journalctl")
    journals = [host.path(b"var/log/journal"), host.path(b"run/log/journal")]
    if program is None or not any(glob.glob(path + b"/*/*.journal") for path in journals):
        return None
    if os.geteuid() != 0 and not in_a_group_that_reads_logs():
        host.source("journal", "unreadable")
        return None
    base = [program, "-o", "json", "--no-pager", "-q"]
    if host.root != b"/":
        base.append("--root=" + os.fsdecode(host.root))
    first = [line for line in run_lines(host, base + ["--output-fields=_PID"], 65536, lines=1)[0]]
    since = journal_time(first[0]) if first else None
    if since is None:
        return None
    start = host.after - LOOKBACK
    span = ["--since=@%d" % start, "--until=@%d" % (host.before + 2)]
    arguments = ["-r", "--output-fields=" + FIELDS] + span + " + ".join(MATCHES).split(" ")
    lines, complete = run_lines(host, base + arguments, MAX_JOURNAL_BYTES)
    entries = []
    for line in lines:
        entry = journal_entry(host, line)
        if entry is not None and len(entries) < MAX_OF_A_KIND:
            entries.append(entry)
    cut = not complete or len(entries) >= MAX_OF_A_KIND
    if cut:
        # What was read last is the oldest.
        since = entries[-1]["at"] if entries else host.before
    host.source("journal", "read" if since <= host.after else "partial", since)
    return entries[::-1] if since <= host.after else None


def in_a_group_that_reads_logs():
    import grp

    for gid in os.getgroups():
        try:
            if grp.getgrgid(gid)[0] in ("adm", "systemd-journal", "wheel"):
                return True
        except KeyError:
            pass
    return False


def run_lines(host, arguments, limit, lines=None):
    """The output's lines, and whether they are all of it."""
    environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "SYSTEMD_COLORS": "0"}
    with open(os.devnull, "rb+") as null:
        process = subprocess.Popen(arguments, stdin=null, stdout=subprocess.PIPE, stderr=null, env=environment)
    import select

    data, whole = b"", False
    try:
        while len(data) < limit and not (lines and data.count(b"\n") >= lines):
            ready = select.select([process.stdout], [], [], host.deadline.left())[0]
            if not ready:
                break
            part = os.read(process.stdout.fileno(), 65536)
            if not part:
                whole = True
                break
            data += part
    finally:
        process.stdout.close()
        if not whole:
            process.kill()
        code = process.wait()
    found = data.split(b"\n")
    found = found if whole else found[:-1]
    return [line for line in found if line][:lines], whole and code == 0


def journal_time(line):
    try:
        return int(json.loads(line.decode("utf-8", "replace"))["__REALTIME_TIMESTAMP"]) / 1e6
    except (ValueError, KeyError, TypeError):
        return None


def journal_entry(host, line):
    try:
        fields = json.loads(line.decode("utf-8", "replace"))
        at = int(fields["__REALTIME_TIMESTAMP"]) / 1e6
        message = fields.get("MESSAGE")
        # Bytes that are no text come as numbers, a field that is there twice as a list.
        if isinstance(message, list):
            message = bytes(message).decode("utf-8", "surrogateescape")
        if not isinstance(message, str):
            return None
        comm, executable = str(fields.get("_COMM", "")), str(fields.get("_EXE", ""))
        claimed = str(fields.get("SYSLOG_IDENTIFIER", comm))
        pid = int(fields["_PID"]) if "_PID" in fields else None
        loginuid = int(fields["_AUDIT_LOGINUID"]) if "_AUDIT_LOGINUID" in fields else None
    except (ValueError, KeyError, TypeError, OverflowError):
        return None
    by = posixpath.basename(executable)
    # The line says sshd, and the kernel says logger.
    is_script = re.match(r"python|platform-python|cloud-init", by)
    if executable and not is_script and claimed.lower() not in EXECUTABLES.get(by, ()):
        return None
    # In other directories users may have a program of that name.
    trusted = by in EXECUTABLES and executable.startswith(SYSTEM_DIRECTORIES)
    entry = entry_of(host, claimed, message[:MAX_LINE])
    if entry is not None:
        entry.update(at=at, slack=0.0, pid=pid, trusted=trusted, loginuid=known_login(loginuid))
    return entry


def known_login(loginuid):
    return None if loginuid in (None, 4294967295, -1) else loginuid


# ---------------------------------------------------------------- log files as text


REST = r" (\S+) ([^\s:\[]{1,100})(?:\[([0-9]{1,10})\])?: (.*)$"
OLD_LINE = re.compile(r"([A-Z][a-z]{2}) ([ 0-9][0-9]) ([0-9]{2}):([0-9]{2}):([0-9]{2})" + REST)
NEW_LINE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,15}(?:Z|[+-][0-9]{2}:?[0-9]{2}))" + REST)
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
WORDS = re.compile(r"sshd|sudo|su\b|su\[|cron|CRON|systemd|login|ansible|Invoked with|cloud-init|atd", re.I)


def read_syslog(host):
    entries = []
    for name, files in (
        ("auth", [b"var/log/auth.log", b"var/log/secure"]),
        ("system", [b"var/log/syslog", b"var/log/messages", b"var/log/cron", b"var/log/cron.log"]),
    ):
        read, oldest, seen = False, None, False
        for path in log_files(host, files):
            seen = True
            if host.deadline.passed():
                break
            try:
                data, mtime, cut = tail_of(path, MAX_FILE_BYTES)
            except OSError:
                continue
            read = True
            found = timed_lines(host, data, mtime)
            if found:
                first = found[0][0]
                oldest = first if oldest is None else min(oldest, first)
            for at, slack, program, pid, message in found:
                if not host.after - LOOKBACK <= at <= host.before + max(2.0, slack) or len(entries) >= MAX_OF_A_KIND:
                    continue
                entry = entry_of(host, program, message)
                if entry is not None:
                    entry.update(at=at, slack=slack, pid=pid, trusted=False, loginuid=None)
                    entries.append(entry)
            if cut:
                break
        if not read:
            host.source(name, "unreadable" if seen else "absent")
        else:
            whole = oldest is not None and oldest <= host.after and len(entries) < MAX_OF_A_KIND
            host.source(name, "read" if whole else "partial", oldest)
    # One line may stand in two files.
    unique = {json.dumps(entry, sort_keys=True): entry for entry in entries}
    return sorted(unique.values(), key=lambda entry: entry["at"])


def timed_lines(host, data, mtime):
    """(at, slack, program, pid, message) of this host's lines, in the file's order."""
    found = []
    # Lines without a year were written before the file was last written to; backwards, a month that jumps up is the
    # year before.
    year, later = None, mtime + 86400
    for line in reversed(data.split(b"\n")):
        text = line[:MAX_LINE].decode("utf-8", "surrogateescape")
        match = NEW_LINE.match(text)
        if match:
            stamp, name, program, pid, message = match.groups()
            at, slack = rfc3339(stamp), 0.0
        else:
            match = OLD_LINE.match(text)
            if not match or match.group(1) not in MONTHS:
                continue
            month, day, hour, minute, second, name, program, pid, message = match.groups()
            year = time.localtime(mtime).tm_year if year is None else year
            parts = (MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second))
            at, slack = local_time(year, *parts)
            if at is not None and at > later + 86400:
                year -= 1
                at, slack = local_time(year, *parts)
            if at is not None:
                later = at
        if at is None or name.lower().split(".")[0] not in host.names and name.lower() not in host.names:
            continue
        if WORDS.search(text):
            found.append((at, slack, program, number_of(pid), message))
        elif not found or at < found[-1][0]:
            # How far back the file reaches counts, whatever the line says.
            found.append((at, slack, "", None, ""))
    return found[::-1]


def rfc3339(stamp):
    match = re.match(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d+)?(?:Z|([+-])(\d\d):?(\d\d))$", stamp)
    if not match:
        return None
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    try:
        at = calendar.timegm((year, month, day, hour, minute, second)) + float(match.group(7) or 0)
    except (ValueError, OverflowError):
        return None
    if match.group(8):
        offset = int(match.group(9)) * 3600 + int(match.group(10)) * 60
        at += -offset if match.group(8) == "+" else offset
    return at


def local_time(year, month, day, hour, minute, second):
    """When that was here, and how much later it may have been: an hour is told twice, and seconds are cut off."""
    found = set()
    for summer in (0, 1):
        try:
            at = time.mktime((year, month, day, hour, minute, second, 0, 0, summer))
        except (ValueError, OverflowError):
            continue
        if time.localtime(at)[:6] == (year, month, day, hour, minute, second):
            found.add(at)
    if not found:
        return None, 0.0
    return min(found), 1.0 + max(found) - min(found)


# ---------------------------------------------------------------- who was logged in


# struct utmp with the 32-bit times that most machines keep, and with those of 64 bits (arm64 and others).
UTMP = [struct.Struct("=hxxi32s4s32s256shhiii16s20x"), struct.Struct("=hxxi32s4s32s256shhqqq16s20x4x")]
BOOT, USER, DEAD, RUN_LEVEL = 2, 7, 8, 1


def read_wtmp(host):
    records, read, seen = [], False, False
    for path in log_files(host, [b"var/log/wtmp"]):
        seen = True
        try:
            with open_log(path)[0] as file:
                size = os.fstat(file.fileno()).st_size
                layout = utmp_layout(file.read(384 * 400), size)
                if layout is None:
                    continue
                keep = MAX_FILE_BYTES // layout.size * layout.size
                file.seek(max(0, size - keep))
                data = file.read(keep)
        except OSError:
            continue
        read = True
        records += [layout.unpack_from(data, at) for at in range(0, len(data) - layout.size + 1, layout.size)]
    if not read:
        host.source("wtmp", "unreadable" if seen else "absent")
        return []
    logins = sorted(
        (record[9] + record[10] / 1e6, record[0], text_of(record[2]), text_of(record[4]), text_of(record[5]), record[1])
        for record in records
    )
    host.source("wtmp", "read", logins[0][0] if logins else None)
    return sessions_of(host, logins)


def utmp_layout(head, size):
    for layout in UTMP:
        if size % layout.size or not head:
            continue
        whole = [layout.unpack_from(head, at) for at in range(0, min(len(head), size) - layout.size + 1, layout.size)]
        if whole and all(0 <= record[0] <= 9 and record[9] >= 0 and 0 <= record[10] < 1000000 for record in whole):
            return layout
    return UTMP[0] if size == 0 else None


def sessions_of(host, logins):
    sessions, open_on = [], {}
    for at, kind, line, user, address, pid in logins:
        if kind == USER:
            if line in open_on:
                open_on[line]["to"] = at
            open_on[line] = {"user": user, "line": line, "host": address, "pid": pid, "from": at, "to": None}
            sessions.append(open_on[line])
        elif kind == DEAD and line in open_on:
            open_on.pop(line)["to"] = at
        elif kind == BOOT or kind == RUN_LEVEL and user == "shutdown":
            # Whoever did not log out was gone by then.
            for session in open_on.values():
                session["to"] = at
            open_on = {}
    near = [one for one in sessions if one["from"] <= host.before and (one["to"] is None or one["to"] >= host.after)]
    return near[-MAX_OF_A_KIND:]


def text_of(value):
    return value.split(b"\0", 1)[0].decode("utf-8", "backslashreplace")


# ---------------------------------------------------------------- packages


VERBS = "startup|install|upgrade|remove|purge|configure|conffile|status|trigproc"
DPKG = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) (" + VERBS + r")\b ?(.*)$")


def read_dpkg(host):
    lines, seen, read = [], False, False
    for path in log_files(host, [b"var/log/dpkg.log"]):
        seen = True
        try:
            data = tail_of(path, MAX_FILE_BYTES)[0]
        except OSError:
            continue
        read = True
        for line in data.split(b"\n"):
            match = DPKG.match(line[:MAX_LINE].decode("utf-8", "surrogateescape"))
            if match:
                day, hour, verb, rest = match.groups()
                at, slack = local_time(*(int(part) for part in (day + "-" + hour.replace(":", "-")).split("-")))
                if at is not None and host.after - 3600 <= at <= host.before + slack:
                    lines.append((at, slack, verb, rest))
    if seen:
        host.source("dpkg", "read" if read else "unreadable")
    requests = apt_requests(host)
    runs = []
    for at, slack, verb, rest in sorted(lines, key=lambda line: line[0]):
        words = rest.split(" ")
        if verb == "startup" or not runs:
            runs.append({"from": at, "to": at, "slack": slack, "packages": {}, "conffiles": set()})
        run = runs[-1]
        run["to"] = at
        if verb in ("install", "upgrade", "configure", "remove", "purge"):
            run["packages"][words[0]] = verb
        elif verb == "conffile" and len(words) > 1 and words[-1] == "install":
            run["conffiles"].add(rest[: -len(" install")])
    found = []
    for run in runs:
        if not run["packages"] or run["to"] + run["slack"] < host.after:
            continue
        by = next((one for one in requests if one["from"] - 2 <= run["from"] <= one["to"] + 2), {})
        owned = {number: name for name in run["packages"] for number in owned_by_deb(host, name)}
        for number, path in enumerate(host.paths):
            if path.decode("utf-8", "surrogateescape") in run["conffiles"]:
                owned.setdefault(number, "dpkg")
        found.append({
            "tool": "dpkg", "from": run["from"], "to": run["to"], "slack": run["slack"],
            "names": sorted({name.split(":")[0] for name in owned.values()})[:20],
            "paths": sorted(owned), "user": by.get("user"), "program": by.get("program"),
        })
    return found[-MAX_OF_A_KIND:]


def owned_by_deb(host, package):
    name = os.fsencode(package)
    if not re.match(br"[a-z0-9][a-z0-9+.-]*(:[a-z0-9]+)?$", name):
        return []
    for form in (name, name.split(b":")[0]):
        try:
            with open_log(host.path(b"var/lib/dpkg/info/" + form + b".list"))[0] as file:
                files = set(file.read(MAX_FILE_BYTES).split(b"\n"))
        except OSError:
            continue
        return [number for number, path in enumerate(host.paths) if path in files]
    return []


def apt_requests(host):
    found, current = [], {}
    for path in reversed(log_files(host, [b"var/log/apt/history.log"])):
        try:
            data = tail_of(path, MAX_FILE_BYTES)[0]
        except OSError:
            continue
        for line in data.decode("utf-8", "surrogateescape").split("\n"):
            key, _, value = line.partition(": ")
            if key in ("Start-Date", "End-Date"):
                match = re.match(r"(\d{4})-(\d\d)-(\d\d)  ?(\d\d):(\d\d):(\d\d)$", value)
                at = local_time(*(int(part) for part in match.groups()))[0] if match else None
                if key == "Start-Date":
                    current = {"from": at}
                elif at is not None and current.get("from") is not None:
                    found.append(dict(current, to=at))
                    current = {}
            elif key == "Commandline":
                current["program"] = program_of(value)
            elif key == "Requested-By":
                current["user"] = value.split(" ")[0][:256]
    return found


def read_dnf(host):
    path = host.path(b"var/lib/dnf/history.sqlite")
    if not os.path.exists(path):
        return []
    try:
        import sqlite3
        from urllib.parse import quote

        os.close(os.open(path, os.O_RDONLY))
        # Immutable: SQLite writes nothing beside it and takes no lock. Of a transaction that ends just now nothing
        # may be seen yet.
        database = sqlite3.connect("file:%s?mode=ro&immutable=1" % quote(os.fsdecode(path)), uri=True)
        try:
            database.set_progress_handler(lambda: 1 if host.deadline.passed() else 0, 10000)
            rows = database.execute(
                "SELECT id, dt_begin, dt_end, user_id FROM trans WHERE dt_begin <= ?"
                " AND coalesce(dt_end, dt_begin) >= ? ORDER BY id DESC LIMIT 100", (host.before, host.after)).fetchall()
            names = {
                row[0]: {name for (name,) in database.execute(
                    "SELECT rpm.name FROM trans_item JOIN rpm ON rpm.item_id = trans_item.item_id WHERE trans_id = ?",
                    (row[0],))}
                for row in rows
            }
        finally:
            database.close()
    except Exception:  # SQLite is not there, or says whatever it says of a file that is none of its own
        host.source("dnf", "unreadable")
        return []
    host.source("dnf", "read")
    owners = rpm_owners(host) if rows else {}
    found = []
    for number, begin, end, user_id in rows:
        owned = {at: owner for at, owner in owners.items() if owner in names[number]}
        uid = int(user_id) if isinstance(user_id, int) else None
        found.append({
            "tool": "dnf", "from": float(begin), "to": float(end or begin), "slack": 1.0,
            "names": sorted(set(owned.values()))[:20], "paths": sorted(owned),
            "user": user_name(uid) if known_login(uid) is not None else None, "program": "dnf",
        })
    return found


def rpm_owners(host):
    program = shutil.which("rpm")
    if program is None:
        return {}
    owners = {}
    for number, path in enumerate(host.paths[:20]):
        arguments = [program, "-qf", "--qf", "%{NAME}\\n", "--", path]
        if host.root != b"/":
            arguments[1:1] = ["--root", os.fsdecode(host.root)]
        lines, whole = run_lines(host, arguments, 4096)
        if whole and len(lines) == 1:
            owners[number] = lines[0].decode("utf-8", "replace")[:256]
    return owners


# ---------------------------------------------------------------- the audit log


RECORD = re.compile(rb"(?:node=\S+ )?type=(\S+) msg=audit\((\d{1,12})\.(\d{3}):(\d{1,20})\): ?(.*)$")
FIELD = re.compile(r"(\w+)=(\"[^\"]*\"|\S*)")
SYSCALLS = {
    # arch: number: what it does to a path
    "c000003e": {2: "open", 257: "openat", 85: "write", 76: "write", 77: "write", 82: "move", 264: "move", 316: "move",
                 87: "delete", 263: "delete", 84: "delete", 86: "link", 265: "link",
                 88: "create", 266: "create", 133: "create", 259: "create",
                 90: "attr", 91: "attr", 268: "attr", 452: "attr", 92: "attr", 93: "attr", 94: "attr", 260: "attr",
                 188: "attr", 189: "attr", 190: "attr", 197: "attr", 198: "attr", 199: "attr"},
    "c00000b7": {56: "openat", 45: "write", 46: "write", 38: "move", 276: "move", 35: "delete", 37: "link",
                 36: "create", 33: "create",
                 52: "attr", 53: "attr", 452: "attr", 54: "attr", 55: "attr",
                 5: "attr", 6: "attr", 7: "attr", 14: "attr", 15: "attr", 16: "attr"},
}
O_ACCMODE, O_CREAT, O_TRUNC = 0o3, 0o100, 0o1000
# After one of these nobody can say that everything was written down.
BREAKS = (b"DAEMON_START", b"DAEMON_END", b"DAEMON_ABORT", b"DAEMON_ERR", b"CONFIG_CHANGE", b"DAEMON_CONFIG")


def read_audit(host, files):
    """Events on the paths by the audit log, and what tells whether an event may be missing."""
    answer = {"events": [], "since": None, "unbroken": False, "lost": None, "rules": [], "logins": []}
    logs = log_files(host, [b"var/log/audit/audit.log"])
    if not logs:
        directory = host.path(b"var/log/audit")
        if os.path.isdir(directory):
            host.source("audit", "unreadable" if not os.access(directory, os.R_OK) else "absent")
        return answer
    chunks, left, cut, unreadable = [], MAX_AUDIT_BYTES, False, False
    for path in logs:
        if left <= 0:
            cut = True
            break
        try:
            data, _, was_cut = tail_of(path, left)
        except OSError:
            unreadable = True
            break
        chunks.append(data)
        left -= len(data)
        cut = cut or was_cut
        if was_cut:
            break
    if unreadable and not chunks:
        host.source("audit", "unreadable")
        return answer
    events, breaks, since = audit_events(host, b"\n".join(reversed(chunks)), files)
    answer["events"], answer["since"], answer["logins"] = events[0][:MAX_OF_A_KIND], since, events[1][-MAX_OF_A_KIND:]
    answer["unbroken"] = (
        not breaks and since is not None and since <= host.after
        and len(events[0]) <= MAX_OF_A_KIND and not host.deadline.passed()
    )
    answer["lost"], answer["rules"] = audit_state(host)
    host.source("audit", "read" if answer["unbroken"] else "partial", since)
    return answer


def audit_events(host, data, files):
    names = [posixpath.basename(path) for path in host.paths]
    signs = set(names) | {name.hex().upper().encode() for name in names}
    signs |= {b"inode=" + file["inode"].encode() + b" " for file in files if "inode" in file}
    lines, wanted, logins, breaks, since, last = [], set(), [], False, None, 0.0
    for line in data.split(b"\n"):
        match = RECORD.match(line[:MAX_LINE])
        if not match:
            continue
        kind, seconds, millis, serial, rest = match.groups()
        at = int(seconds) + int(millis) / 1000
        since = at if since is None else min(since, at)
        # Records come in the order of what happened: where their time goes back, the clock was set, and what stands
        # outside of the window by its stamp may belong into it.
        breaks = breaks or last >= host.after and at < last - 1
        last = at
        # The rules are asked for now, so they must be those of then.
        breaks = breaks or kind in BREAKS and at >= host.after
        if at > host.before + 2:
            continue
        if kind == b"LOGIN" and at >= host.after - LOOKBACK:
            fields = fields_of(rest)
            if known_login(number_of(fields.get("auid"))) is not None:
                numbers = {"pid": fields.get("pid"), "auid": fields.get("auid"), "session": fields.get("ses")}
                login = dict({name: number_of(text) for name, text in numbers.items()}, at=at)
                if None not in login.values():
                    logins.append(login)
        if at < host.after:
            continue
        if kind in (b"SYSCALL", b"PATH", b"CWD", b"URINGOP"):
            key = (seconds, millis, serial)
            lines.append((key, at, kind, rest))
            if kind == b"PATH" and any(sign in rest for sign in signs):
                wanted.add(key)
    groups = {}
    for key, at, kind, rest in lines:
        if key in wanted:
            groups.setdefault(key, []).append((at, kind, fields_of(rest)))
    events = [event for group in groups.values() for event in events_of(host, group, files)]
    return (sorted(events, key=lambda event: event["at"]), logins), breaks, since


def events_of(host, group, files):
    call = next((fields for _, kind, fields in group if kind in (b"SYSCALL", b"URINGOP")), None)
    if call is None or call.get("success") == "no":
        return
    cwd = next((value_of(fields.get("cwd")) for _, kind, fields in group if kind == b"CWD"), None)
    items = [fields for _, kind, fields in group if kind == b"PATH"]
    parents = {(item.get("inode"), item.get("dev")) for item in items if item.get("nametype") == "PARENT"}
    for number, (path, file) in enumerate(zip(host.paths, files)):
        above = file["directory"]
        for item in items:
            name = value_of(item.get("name"))
            if item.get("nametype") == "PARENT":
                continue
            same_inode = "inode" in file and (item.get("inode"), item.get("dev")) == (file["inode"], file["device"])
            same_name = name is not None and cwd is not None and posixpath.normpath(posixpath.join(cwd, name)) == path
            # Relative to a directory that was opened before, the name says no more than its last part.
            in_directory = (
                above is not None and name is not None and posixpath.basename(name) == posixpath.basename(path)
                and (above["inode"], above["device"]) in parents
            )
            if not (same_inode or same_name or in_directory):
                continue
            act = act_of(call, item)
            # A file that moved here is told by the name that it got, and by the one that it lost.
            if act == "read" or item.get("nametype") == "DELETE" and same_inode and not (same_name or in_directory):
                continue
            yield {
                "at": group[0][0], "file": number, "act": act, "inode": item.get("inode", "")[:20],
                "auid": number_of(call.get("auid")), "session": number_of(call.get("ses")),
                "program": program_of((value_of(call.get("exe")) or b"?").decode("utf-8", "replace")),
                "key": (value_of(call.get("key")) or b"").decode("utf-8", "replace")[:256] or None,
            }


def act_of(call, item):
    kind = item.get("nametype")
    name = call.get("SYSCALL", "")
    act = SYSCALLS.get(call.get("arch", ""), {}).get(number_of(call.get("syscall")), "other")
    if act == "other" and name:
        act = {"openat": "openat", "open": "open"}.get(name, "other")
    if act in ("open", "openat"):
        flags = int(call.get("a1" if act == "open" else "a2", "3"), 16)
        if kind == "CREATE":
            return "create"
        return "write" if flags & O_ACCMODE or flags & O_TRUNC else "read"
    if act == "move" and kind in ("CREATE", "DELETE"):
        return "create" if kind == "CREATE" else "delete"
    if act in ("link", "write") and kind == "CREATE":
        return "create"
    return act


def fields_of(rest):
    return dict(FIELD.findall(rest.replace(b"\x1d", b" ").decode("utf-8", "surrogateescape")))


def value_of(text):
    """A field that holds text: quoted when harmless, else hexadecimal."""
    if text is None or text == "(null)":
        return None
    if text.startswith('"'):
        return text.strip('"').encode("utf-8", "surrogateescape")
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None


def number_of(text):
    """A number of at most 32 bits, as all ids are; None for what no kernel wrote."""
    number = int(text) if text is not None and re.match(r"[0-9]{1,10}$", text) else None
    return number if number is not None and number < 1 << 32 else None


def audit_state(host):
    """How many records the kernel lost, and its rules. Asks the kernel; changes nothing."""
    program = next((path for path in ("/usr/sbin/auditctl", "/sbin/auditctl") if os.access(path, os.X_OK)), None)
    if program is None or os.geteuid() != 0 or host.root != b"/":
        return None, []
    status, whole = run_lines(host, [program, "-s"], 65536)
    state = dict(line.decode("ascii", "replace").split(" ", 1) for line in status if b" " in line)
    lines, listed = run_lines(host, [program, "-l"], 1 << 20)
    if not whole or not listed or state.get("enabled") not in ("1", "2"):
        return None, []
    return number_of(state.get("lost")), audit_rules(line.decode("utf-8", "replace") for line in lines)


def audit_rules(lines):
    """Which writes each rule sees. `plain`: those of everybody. One that leaves somebody out proves nothing alone."""
    rules, never = [], False
    for line in lines:
        words = line.split()
        options = dict(zip(words[::2], words[1::2])) if len(words) % 2 == 0 else {}
        filters = [words[at + 1] for at in range(len(words) - 1) if words[at] == "-F"]
        never = never or any(word.startswith("never") or word.endswith("never") for word in words)
        pairs = dict(one.split("=", 1) for one in filters if re.match(r"(arch|dir|path|perm|key)=", one))
        path = options.get("-w") or pairs.get("dir") or pairs.get("path")
        key = options.get("-k") or pairs.get("key")
        if path and key:
            plain = "-w" in options or len(filters) == len(pairs) and "arch" not in pairs and not any(
                words[at] == "-S" and words[at + 1] != "all" for at in range(len(words) - 1))
            perm = options.get("-p") or pairs.get("perm", "")
            rules.append({"path": path[:4096], "perm": perm, "key": key[:256], "plain": plain})
    return [dict(rule, plain=rule["plain"] and not never) for rule in rules][:200]


def main():
    root = os.fsencode(sys.argv[1]) if len(sys.argv) > 1 else b"/"
    answer = collect(json.loads(sys.stdin.read()), root)
    sys.stdout.write(json.dumps(answer, ensure_ascii=True, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
