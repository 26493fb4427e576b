#!/bin/sh
# Makes the keys, tells the reporter by /keys, and is an sshd from then on.
set -eu
keys=/keys
reporter=10001

rm -f "$keys/known_hosts"
ssh-keygen -A >/dev/null
[ -s "$keys/id_ed25519" ] || ssh-keygen -q -t ed25519 -N '' -C gitops-status-lab -f "$keys/id_ed25519"
install -d -m 0700 "$HOME/.ssh"
install -m 0600 "$keys/id_ed25519.pub" "$HOME/.ssh/authorized_keys"
chown "$reporter:$reporter" "$keys/id_ed25519"

mkdir -p /run/sshd
rsyslogd || echo 'rsyslogd does not start; it can be checked all the same' >&2
# Last: that it is there says that the server is.
echo "rsyslog-lab $(cut -d ' ' -f 1,2 /etc/ssh/ssh_host_ed25519_key.pub)" >"$keys/known_hosts.new"
mv "$keys/known_hosts.new" "$keys/known_hosts"
exec /usr/sbin/sshd -D -e
