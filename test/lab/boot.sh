#!/bin/sh
# One lab server, seen from inside its namespaces. lab-server.ts runs this, never a person:
#
#   as-root NAME KEY           builds the server, then waits until standard input closes
#   as-user NAME KEY UID GID   the same for an ordinary user
#   new-host-key               makes a host key and prints its public half
#   start HOST PORT            starts sshd and returns when it listens
#   signal SIGNAL              to sshd and to the sshd of every session
#   reboot                     ends every process and forgets /run and /tmp
#
# The process that waits is process 1 of the server's PID namespace: with it the kernel
# ends every process of the server, and with the last of them its mounts are gone.
set -eu
umask 022

# Without PAM, sshd takes a root account for locked if its password field is "!".
ROOT_SHADOW='root:*:19000:0:99999:7:::'

# -n: without a record of it in /run, which is not ours yet, or not there for that.
mount() {
  command mount -n "$@"
}

keep_in_memory() {
  mount -t tmpfs -o "mode=$2" tmpfs "$1"
}

lay_over() {
  for directory in "$@"; do
    if [ ! -d "/$directory" ] || [ -L "/$directory" ]; then continue; fi
    mkdir -p "/run/$directory/upper" "/run/$directory/work"
    # One sees the upper directory, so it needs the mode of the one below.
    chmod --reference="/$directory" "/run/$directory/upper"
    mount -t overlay -o "lowerdir=/$directory,upperdir=/run/$directory/upper,workdir=/run/$directory/work" \
      overlay "/$directory"
  done
}

# An empty /run and /dev also keep systemctl and a started rsyslogd away from the
# machine's own systemd, D-Bus and /dev/log.
hide_machine() {
  keep_in_memory /tmp 1777
  hide_devices
  [ ! -d /home ] || keep_in_memory /home 0755
  keep_in_memory /root 0700
  keep_in_memory /run 0755
  mkdir /run/sshd
}

hide_devices() {
  mkdir /tmp/dev
  keep_in_memory /tmp/dev 0755
  for device in null zero full random urandom tty; do
    : >"/tmp/dev/$device"
    mount --bind "/dev/$device" "/tmp/dev/$device"
  done
  mkdir /tmp/dev/pts /tmp/dev/shm
  mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts /tmp/dev/pts
  ln -s pts/ptmx /tmp/dev/ptmx
  ln -s /proc/self/fd /tmp/dev/fd
  ln -s fd/0 /tmp/dev/stdin
  ln -s fd/1 /tmp/dev/stdout
  ln -s fd/2 /tmp/dev/stderr
  mount --move /tmp/dev /dev
  rmdir /tmp/dev
}

# What was set up for the people of this machine must not reach the server: its host
# keys, start-up files, banners, and who may log in.
settle_etc() {
  rm -rf /etc/ssh/ssh_host_* /etc/ssh/sshrc /etc/hosts.allow /etc/hosts.deny /etc/profile.d /etc/motd
  mkdir /etc/profile.d
  printf '%s\n' "PS1='\\u@\\h:\\w\\$ '" >/etc/bash.bashrc
  { echo 'root:x:0:0:root:/root:/bin/bash'; grep -v '^root:' /etc/passwd; } >/run/passwd
  { echo "$ROOT_SHADOW"; grep -sv '^root:' /etc/shadow || :; } >/run/shadow
  cat /run/passwd >/etc/passwd
  cat /run/shadow >/etc/shadow
  chmod 0640 /etc/shadow
  rm /run/passwd /run/shadow
  printf '%s\n' "$1" >/etc/hostname
  hostname "$1"
}

# No two servers share a boot id, and a server has another one after a reboot.
new_boot_id() {
  [ ! -e /run/boot_id ] || umount /proc/sys/kernel/random/boot_id
  cat /proc/sys/kernel/random/uuid >/run/boot_id
  mount --bind /run/boot_id /proc/sys/kernel/random/boot_id
}

as_root() {
  mount -t proc proc /proc
  # Only while the overlays are laid: they hold on to what nobody can see later.
  keep_in_memory /run 0700
  lay_over etc usr var opt srv
  umount -l /run
  hide_machine
  mount --bind /proc/sys /proc/sys
  mount -o remount,bind,ro /proc/sys
  new_boot_id
  mount -o remount,bind,ro /sys
  # Before anything is written: should a line above get lost, this machine is still safe.
  mount -o remount,bind,ro /
  settle_etc "$1"
  printf '%s\n' "$2" >/run/sshd/authorized_keys
  ready
  wait_for_the_end
}

# An ordinary user's sshd can let in that user only, and dies where it is root without
# setgroups. So it runs as the user, where the user is *called* root, and each session
# goes on from there to where the user *is* root:
#   as-user (root, for the mounts) > outside (the user: sshd) > inside (root: the server)
as_user() {
  hide_machine
  printf '%s\n' "$2" >/run/sshd/authorized_keys
  cat >/run/sshd/session <<'SESSION'
#!/bin/sh
# shellcheck disable=SC2016
exec nsenter --target "$(cat /run/sshd/inside)" --user --mount --pid --uts --ipc --preserve-credentials -- /bin/sh -c '
  cd /root
  export SHELL=/bin/bash
  [ -n "${SSH_ORIGINAL_COMMAND-}" ] || exec /bin/bash -l
  command=$SSH_ORIGINAL_COMMAND
  unset SSH_ORIGINAL_COMMAND
  exec /bin/bash -c "$command"'
SESSION
  chmod 0755 /run/sshd/session
  cp /etc/passwd /run/sshd/real-passwd
  { echo "root:x:$3:$4:root:/root:/bin/sh"; grep -v '^root:' /etc/passwd; } >/run/sshd/passwd
  mount --bind /run/sshd/passwd /etc/passwd
  # The user may not read this machine's, and systemd would answer instead: root is locked.
  printf '%s\n' "$ROOT_SHADOW" >/run/sshd/shadow
  mount --bind /run/sshd/shadow /etc/shadow
  # Some machines lock the flags of their root file system. Then the user's own files
  # outside /home stay in reach, as they are for the user anyway.
  mount -o remount,bind,ro / 2>/dev/null || :
  trap - EXIT
  exec unshare --map-user="$3" --map-group="$4" --mount --pid --fork --kill-child --mount-proc \
    sh -c "$LAB_SCRIPT" boot.sh outside "$1"
}

outside() {
  unshare --user --map-root-user --mount --pid --uts --ipc --fork --kill-child \
    sh -c "$LAB_SCRIPT" boot.sh inside "$1" </dev/null &
  wait_for_the_end
}

# Files that the user may not read are missing from this /etc; everything in it belongs
# to the only user there is in here, root.
inside() {
  read -r pid _ </proc/self/stat
  printf '%s\n' "$pid" >/run/sshd/inside
  mount -t proc proc /proc
  mkdir /tmp/etc
  keep_in_memory /tmp/etc 0755
  cp -dR --preserve=mode,timestamps,links /etc/. /tmp/etc 2>/dev/null || :
  cp /run/sshd/real-passwd /tmp/etc/passwd
  mount --move /tmp/etc /etc
  rmdir /tmp/etc
  keep_in_memory /run 0755
  new_boot_id
  settle_etc "$1"
  ready
  exec env --ignore-signal=CHLD sleep infinity >/dev/null
}

ready() {
  trap - EXIT
  echo ready
}

# Where SIGCHLD is ignored, the kernel clears away the dead whom process 1 inherits. The
# shell cannot pass that on: dash insists on catching it.
wait_for_the_end() {
  trap - EXIT
  cd /root
  exec env --ignore-signal=CHLD cat >/dev/null
}

new_host_key() {
  rm -f /run/sshd/host_key /run/sshd/host_key.pub
  ssh-keygen -q -t ed25519 -N '' -C '' -f /run/sshd/host_key
  cat /run/sshd/host_key.pub
}

start() {
  cat >/run/sshd/config <<CONFIG
ListenAddress $1:$2
HostKey /run/sshd/host_key
PidFile /run/sshd/pid
AuthorizedKeysFile /run/sshd/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PermitUserRC no
PrintMotd no
PrintLastLog no
X11Forwarding no
UseDNS no
MaxStartups 500
MaxSessions 500
AcceptEnv LANG LC_*
LogLevel VERBOSE
Subsystem sftp $(sftp_server)
$([ ! -e /run/sshd/session ] || echo ForceCommand /run/sshd/session)
CONFIG
  rm -f /run/sshd/pid
  # sshd starts itself again for each connection and insists on its whole path for that.
  "$(command -v sshd)" -D -f /run/sshd/config -E /run/sshd/log </dev/null >/dev/null 2>&1 &
  until [ -s /run/sshd/pid ]; do
    kill -0 $! 2>/dev/null || { cat /run/sshd/log >&2; exit 1; }
    sleep 0.01
  done
}

sftp_server() {
  for path in /usr/lib/openssh/sftp-server /usr/libexec/openssh/sftp-server /usr/lib/ssh/sftp-server; do
    [ ! -x "$path" ] || { echo "$path"; return; }
  done
  echo internal-sftp
}

each_sshd() {
  for process in /proc/[0-9]*; do
    { read -r name <"$process/comm"; } 2>/dev/null || continue
    case $name in sshd | sshd-*) echo "${process#/proc/}" ;; esac
  done
}

signal() {
  for pid in $(each_sshd); do
    kill -s "$1" "$pid" 2>/dev/null || :
  done
  [ "$1" = KILL ] || return 0
  while [ -n "$(each_sshd)" ]; do sleep 0.01; done
}

# "-1" spares process 1 and the shell that says it.
reboot() {
  kill -s KILL -- -1 2>/dev/null || :
  find /tmp -mindepth 1 -delete
  find /run -mindepth 1 -maxdepth 1 ! -name sshd ! -name boot_id -exec rm -rf {} +
  new_boot_id
}

stage=$1
shift
case $stage in
as-root | as-user | inside) trap 'echo failed' EXIT ;;
esac
case $stage in
as-root) as_root "$@" ;;
as-user) as_user "$@" ;;
outside) outside "$@" ;;
inside) inside "$@" ;;
new-host-key) new_host_key ;;
start) start "$@" ;;
signal) signal "$@" ;;
reboot) reboot ;;
*) echo "boot.sh: unknown stage $stage" >&2; exit 64 ;;
esac
