"""Looks at files of this host for gitops-status, and changes nothing.

Comes over an ssh connection and is run by the Python that is here (3.6 or newer): nothing of it is written anywhere.
The first line on standard input is a nonce; each further one is a request, a JSON object with `id`, `kind` and
`lease_seconds`. An answer on standard output is a line `gitops-status:NONCE:ID:LENGTH:SHA256` and then LENGTH bytes of
JSON: what start-up files of a shell print before, after or in the middle of it is never taken for a part of it.
Once asked to `watch` it goes on answering that request by itself: when something was changed, and as a sign of life.

It ends at the end of standard input, also in the middle of a request, and when its lease runs out without a request.
"""

import binascii
import errno
import grp
import hashlib
import json
import os
import pwd
import select
import signal
import stat
import struct
import sys
import time

ATTEMPTS = 3
CHUNK_BYTES = 1 << 20
# Files that the kernel makes up say that they are empty.
MORE_THAN_SAID_BYTES = 1 << 20
MAX_ENTRIES = 20000
MAX_NAME_BYTES = 1 << 20
MAX_DEPTH = 64
MAX_REQUEST_BYTES = 1 << 26
FIRST_LEASE_SECONDS = 600
# Blame ends by itself when its time is over; for the step that it is just at.
GRACE_SECONDS = 3
CLOCK_BOOTTIME = 7
POLLRDHUP = 0x2000
ALIVE_SECONDS = 2.0
# Rings no more often than this; and after something that nobody asked about, in a busy directory, is deaf so long.
RING_SECONDS = 0.01
DEAF_SECONDS = 0.1
MAX_WATCHES = 20000


class Unsettled(Exception):
    """It changed while it was looked at."""


class TooMany(Exception):
    pass


class HungUp(Exception):
    """Nobody waits for an answer any more."""


class TimeIsUp(BaseException):
    """No handler on the way takes it for its own."""


def main():
    # A parent may have had them ignored. The alarm ends us wherever we are, even while nobody reads our answer.
    for number in (signal.SIGHUP, signal.SIGPIPE, signal.SIGALRM):
        signal.signal(number, signal.SIG_DFL)
    signal.alarm(FIRST_LEASE_SECONDS)
    os.chdir("/")
    lines = lines_of(0, bell.until_asked)
    nonce = next(lines, b"").decode("ascii")
    bell.nonce = nonce
    answer(nonce, 0, {"ready": 1})
    for line in lines:
        request = json.loads(line.decode("ascii"))
        signal.alarm(request["lease_seconds"])
        try:
            result = KINDS[request["kind"]](request)
        except HungUp:
            return
        except Exception as error:
            result = {"error": "%s: %s" % (type(error).__name__, error)}
        answer(nonce, request["id"], result)


def lines_of(descriptor, until_asked):
    pending = bytearray()
    while True:
        end = pending.find(b"\n")
        if end >= 0:
            line = bytes(pending[:end])
            del pending[: end + 1]
            yield line
            continue
        until_asked()
        chunk = os.read(descriptor, 1 << 16)
        if not chunk or len(pending) > MAX_REQUEST_BYTES:
            return
        pending += chunk


def answer(nonce, number, result):
    payload = json.dumps(result, separators=(",", ":")).encode("ascii")
    head = "gitops-status:%s:%d:%d:%s\n" % (nonce, number, len(payload), hashlib.sha256(payload).hexdigest())
    sys.stdout.buffer.write(head.encode("ascii") + payload + b"\n")
    sys.stdout.buffer.flush()


def stop_if_hung_up():
    poll = select.poll()
    poll.register(0, POLLRDHUP)
    if poll.poll(0):
        raise HungUp()
    bell.show_life()


def look(request):
    clock = {
        "realtime": str(nanoseconds(time.CLOCK_REALTIME)),
        "boottime": str(nanoseconds(CLOCK_BOOTTIME)),
        "boot_id": boot_id(),
    }
    names = {}
    paths = []
    for path64 in request["paths"]:
        stop_if_hung_up()
        facts = facts_of(binascii.a2b_base64(path64), names)
        facts["path"] = path64
        paths.append(facts)
    listings = []
    for wanted in request["listings"]:
        stop_if_hung_up()
        listing = listing_of(binascii.a2b_base64(wanted["path"]), wanted["recurse"])
        listing["path"] = wanted["path"]
        listings.append(listing)
    return {"clock": clock, "paths": paths, "listings": listings}


def blame(request):
    """What src/drift/blame/ wants to know. The program for it comes with the question: few hosts are ever asked."""
    program = {"__name__": "gitops_status_blame"}
    exec(compile(request["program"], "gitops_status_blame", "exec"), program)
    leave_when_hung_up()
    signal.signal(signal.SIGALRM, time_is_up)
    signal.alarm(request["seconds"] + GRACE_SECONDS)
    try:
        found = program["collect"](request)
    except TimeIsUp:
        raise TooMany("the time is up")
    finally:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(request["lease_seconds"])
    if len(json.dumps(found)) > request["max_bytes"]:
        raise TooMany("too many findings")
    return found


def leave_when_hung_up():
    """Whoever waits for another program, or searches a log, does not look whether anybody still waits for the answer."""
    import threading

    poll = select.poll()
    poll.register(0, POLLRDHUP)

    def wait():
        poll.poll()
        os._exit(0)

    if threading.active_count() == 1:
        threading.Thread(target=wait, daemon=True).start()


def time_is_up(number, frame):
    raise TimeIsUp()


# ---------------------------------------------------------------- the bell

IN_MODIFY, IN_ATTRIB, IN_CLOSE_WRITE = 0x2, 0x4, 0x8
IN_MOVED_FROM, IN_MOVED_TO, IN_CREATE, IN_DELETE, IN_DELETE_SELF, IN_MOVE_SELF = 0x40, 0x80, 0x100, 0x200, 0x400, 0x800
IN_Q_OVERFLOW, IN_IGNORED = 0x4000, 0x8000
IN_DONT_FOLLOW, IN_MASK_ADD, IN_ONLYDIR = 0x2000000, 0x20000000, 0x1000000
OF_ITSELF = IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF
# Whoever has the same file under another name is seen, too; in a busy directory only what is asked about wakes us.
OF_A_FILE = OF_ITSELF | IN_MODIFY | IN_CLOSE_WRITE | IN_DONT_FOLLOW | IN_MASK_ADD
OF_A_DIRECTORY = OF_ITSELF | IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_ONLYDIR | IN_MASK_ADD
EVENT = struct.Struct("iIII")


class Bell:
    """Rings when something may have been changed. What was, if anything, is for a look to find out."""

    def __init__(self):
        self.nonce = ""
        self.number = None
        self.why = None
        self.inotify = None
        self.said_at = 0.0
        self.is_ringing = False
        self.deaf_until = 0.0
        self.paths = []
        self.listings = []
        # By watch: the names in a directory that count, or None for all of them.
        self.names_by_watch = {}

    def watch(self, request):
        self.number = request["id"]
        paths = [binascii.a2b_base64(path64) for path64 in request["paths"]]
        listings = [(binascii.a2b_base64(one["path"]), one["recurse"]) for one in request["listings"]]
        # What a look calls unreadable can ring no bell.
        self.paths = [plain(path) for path in paths if path.startswith(b"/")]
        self.listings = [(plain(path), recurse) for path, recurse in listings if path.startswith(b"/")]
        self.said_at = time.monotonic()
        self.why = None
        try:
            if self.inotify is None:
                self.inotify = Inotify()
        except Exception as error:  # no ctypes, no inotify, or too many instances
            self.why = "%s: %s" % (type(error).__name__, error)
        self.arm()
        return self.state(False)

    def arm(self):
        """Watches everything that is asked about, and each directory on the way to it: any may be replaced."""
        if self.inotify is None:
            return
        names = {}

        def add(path, mask, name):
            number = self.inotify.add(path, mask)
            if number is None or names.get(number, "") is None:
                return
            if name is None:
                names[number] = None
            else:
                names.setdefault(number, set()).add(name)

        try:
            for path in self.paths:
                self.add_way(path, add)
                add(path, OF_A_FILE, b"")
            for path, recurse in self.listings:
                self.add_way(path, add)
                for directory in directories_in(path) if recurse else [path]:
                    add(directory, OF_A_DIRECTORY, None)
            self.why = None
        except OSError as error:
            self.why = error.strerror
        except TooMany:
            self.why = "too many directories"
        for number in set(self.names_by_watch) - set(names):
            self.inotify.remove(number)
        self.names_by_watch = names

    def add_way(self, path, add):
        end = path.rfind(b"/")
        name = path[end + 1 :]
        while name:
            add(path[:end] or b"/", OF_A_DIRECTORY, name)
            path = path[:end]
            end = path.rfind(b"/")
            name = path[end + 1 :]

    def until_asked(self):
        """Returns when there is a question, or nobody is there any more."""
        if self.number is None:
            return
        while True:
            now = time.monotonic()
            wake_at = self.said_at + (RING_SECONDS if self.is_ringing else ALIVE_SECONDS)
            poll = select.poll()
            poll.register(0, select.POLLIN)
            if now < self.deaf_until:
                wake_at = min(wake_at, self.deaf_until)
            elif self.inotify is not None:
                poll.register(self.inotify.descriptor, select.POLLIN)
            ready = [descriptor for descriptor, _ in poll.poll(max(0.0, wake_at - now) * 1000.0)]
            if self.inotify is not None and self.inotify.descriptor in ready:
                self.listen()
            if 0 in ready:
                return
            if self.is_ringing and time.monotonic() >= self.said_at + RING_SECONDS:
                self.is_ringing = False
                self.say(True)
            self.show_life()

    def listen(self):
        must_arm = False
        is_ours = False
        for number, mask, name in self.inotify.read():
            if mask & IN_Q_OVERFLOW:
                is_ours = must_arm = True
                continue
            names = self.names_by_watch.get(number, ())
            if names is not None and name not in names and (name or mask & IN_IGNORED):
                continue
            is_ours = True
            must_arm = must_arm or not mask & (IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB)
        if must_arm:
            self.arm()
        self.is_ringing = self.is_ringing or is_ours
        if not is_ours:
            self.deaf_until = time.monotonic() + DEAF_SECONDS

    def show_life(self):
        if self.number is not None and time.monotonic() >= self.said_at + ALIVE_SECONDS:
            self.say(False)

    def say(self, is_changed):
        self.said_at = time.monotonic()
        answer(self.nonce, self.number, self.state(is_changed))

    def state(self, is_changed):
        return {"changed": is_changed, "why": self.why}


class Inotify:
    def __init__(self):
        # Not every Python has it, and a look needs neither.
        import ctypes

        self.ctypes = ctypes
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.descriptor = self.libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self.descriptor < 0:
            raise self.error()
        self.watches = set()

    def error(self):
        number = self.ctypes.get_errno()
        return OSError(number, os.strerror(number))

    def add(self, path, mask):
        number = self.libc.inotify_add_watch(self.descriptor, path, self.ctypes.c_uint32(mask))
        if number < 0:
            error = self.error()
            # What is not there appears in a directory that is; what may not be read a look cannot read either.
            if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.ELOOP):
                return None
            raise error
        self.watches.add(number)
        if len(self.watches) > MAX_WATCHES:
            raise TooMany()
        return number

    def remove(self, number):
        self.watches.discard(number)
        self.libc.inotify_rm_watch(self.descriptor, number)

    def read(self):
        try:
            data = os.read(self.descriptor, 1 << 16)
        except BlockingIOError:
            return []
        events = []
        at = 0
        while at + EVENT.size <= len(data):
            number, mask, _, length = EVENT.unpack_from(data, at)
            at += EVENT.size
            events.append((number, mask, data[at : at + length].rstrip(b"\0")))
            at += length
        return events


def directories_in(top):
    found = [top]
    for directory in found:
        if len(found) > MAX_WATCHES:
            raise TooMany()
        try:
            with os.scandir(directory) as entries:
                found.extend(entry.path for entry in entries if entry.is_dir(follow_symlinks=False))
        except OSError:
            continue
    return found


bell = Bell()

# What can be asked for.
KINDS = {"look": look, "watch": bell.watch, "blame": blame}


def nanoseconds(clock):
    if hasattr(time, "clock_gettime_ns"):
        return time.clock_gettime_ns(clock)
    return int(time.clock_gettime(clock) * 1000000000)


def boot_id():
    with open("/proc/sys/kernel/random/boot_id") as file:
        return file.read().strip()


def facts_of(path, names):
    return settled(path, lambda handle: facts_by(handle, path, names))


def settled(path, look):
    for _ in range(ATTEMPTS):
        try:
            # With O_PATH nothing is opened: it only holds on to what the path leads to at this moment, be it a link,
            # a pipe or a device.
            handle = os.open(plain(path), os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            return absent(error)
        try:
            return look(handle)
        except Unsettled:
            continue
        except TooMany:
            return unreadable("too many entries")
        except OSError as error:
            return unreadable(error.strerror)
        finally:
            os.close(handle)
    return unreadable("it is being written")


def plain(path):
    # A slash at the end would follow a link.
    if not path.startswith(b"/"):
        raise OSError(errno.EINVAL, "not an absolute path")
    return path.rstrip(b"/") or b"/"


def absent(error):
    # Only these two say that nothing is there; a directory that may not be entered says nothing.
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return {"kind": "missing"}
    return unreadable(error.strerror)


def unreadable(reason):
    return {"kind": "unreadable", "reason": reason or "unknown error"}


def facts_by(handle, path, names):
    before = os.fstat(handle)
    facts = {
        "mode": "%04o" % stat.S_IMODE(before.st_mode),
        "owner": name_of(pwd.getpwuid, before.st_uid, names),
        "group": name_of(grp.getgrgid, before.st_gid, names),
        "uid": before.st_uid,
        "gid": before.st_gid,
        "mtime": str(before.st_mtime_ns),
        "ctime": str(before.st_ctime_ns),
        "inode": str(before.st_ino),
        "device": str(before.st_dev),
    }
    if not stat.S_ISREG(before.st_mode):
        facts["kind"] = kind_of(before.st_mode)
        is_link = stat.S_ISLNK(before.st_mode)
        facts["target"] = base64_of(os.readlink(b"", dir_fd=handle)) if is_link else None
        return facts

    sha256, sha1 = digests_of(handle, before.st_size)
    facts.update(kind="file", size=str(before.st_size), links=before.st_nlink, sha256=sha256, sha1=sha1)
    try:
        there_now = os.lstat(plain(path))
    except OSError:
        raise Unsettled()
    if identity(os.fstat(handle)) != identity(before) or identity(there_now) != identity(before):
        raise Unsettled()
    return facts


def kind_of(mode):
    if stat.S_ISDIR(mode):
        return "directory"
    if stat.S_ISLNK(mode):
        return "link"
    if stat.S_ISFIFO(mode):
        return "fifo"
    if stat.S_ISSOCK(mode):
        return "socket"
    return "device"


def identity(status):
    return (
        status.st_dev,
        status.st_ino,
        status.st_mode,
        status.st_nlink,
        status.st_uid,
        status.st_gid,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )


def digests_of(handle, size):
    """Of the file that `handle` holds on to, in one pass. Its path may lead elsewhere by now."""
    try:
        reader = os.open(b"/proc/self/fd/%d" % handle, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.EAGAIN:  # somebody holds a lease on it
            raise Unsettled()
        raise
    try:
        sha256, sha1 = hashlib.sha256(), weak_sha1()
        left = size + MORE_THAN_SAID_BYTES
        while True:
            chunk = os.read(reader, CHUNK_BYTES)
            if not chunk:
                return sha256.hexdigest(), sha1.hexdigest()
            left -= len(chunk)
            if left < 0:
                raise Unsettled()
            sha256.update(chunk)
            sha1.update(chunk)
            stop_if_hung_up()
    finally:
        os.close(reader)


def weak_sha1():
    # Ansible's own checksums are SHA-1. A host in FIPS mode wants to hear that nothing is secured by it.
    try:
        return hashlib.sha1(usedforsecurity=False)
    except TypeError:  # older than Python 3.9
        return hashlib.sha1()


def name_of(lookup, number, names):
    # A directory service may be asked for each.
    key = (lookup, number)
    if key not in names:
        try:
            name = lookup(number)[0]
        except KeyError:
            name = ""
        names[key] = name if name.isprintable() and 0 < len(name) <= 256 else str(number)
    return names[key]


def base64_of(data):
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def listing_of(path, recurse):
    return settled(path, lambda handle: entries_by(handle, recurse))


def entries_by(handle, recurse):
    mode = os.fstat(handle).st_mode
    if stat.S_ISLNK(mode):
        return unreadable("it is a link")
    if not stat.S_ISDIR(mode):
        return {"kind": "missing"}
    found = Entries()
    collect(handle, b"", recurse, found, 0)
    return {"kind": "entries", "entries": sorted(found.entries)}


class Entries:
    def __init__(self):
        self.entries = []
        self.name_bytes = 0

    def add(self, letter, name):
        self.name_bytes += len(name)
        if len(self.entries) >= MAX_ENTRIES or self.name_bytes > MAX_NAME_BYTES:
            raise TooMany()
        self.entries.append(letter + base64_of(name))


def collect(handle, prefix, recurse, found, depth):
    """Adds the entries of the directory that `handle` holds on to. A link among them is an entry, never a way."""
    if depth > MAX_DEPTH:
        raise TooMany()
    stop_if_hung_up()
    before = identity(os.fstat(handle))
    directories = []
    with os.scandir(b"/proc/self/fd/%d" % handle) as entries:
        for entry in entries:
            letter = letter_of(entry)
            found.add(letter, prefix + entry.name)
            if recurse and letter == "d":
                directories.append(entry.name)
    if identity(os.fstat(handle)) != before:
        raise Unsettled()
    for name in directories:
        try:
            child = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=handle)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
                raise Unsettled()
            raise
        try:
            collect(child, prefix + name + b"/", recurse, found, depth + 1)
        finally:
            os.close(child)


def letter_of(entry):
    if entry.is_symlink():
        return "l"
    if entry.is_dir(follow_symlinks=False):
        return "d"
    if entry.is_file(follow_symlinks=False):
        return "f"
    try:
        mode = entry.stat(follow_symlinks=False).st_mode
    except FileNotFoundError:
        raise Unsettled()
    if stat.S_ISFIFO(mode):
        return "p"
    return "s" if stat.S_ISSOCK(mode) else "o"


if __name__ == "__main__":
    main()
