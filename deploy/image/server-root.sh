#!/bin/sh
# Gathers in DIR what an image of Node and nothing else needs: DIR/root goes to /, DIR/state to /var/lib.
set -eu
root=$1/root
state=$1/state/gitops-status

mkdir -p "$root/usr/local/bin" "$root/etc" "$root/tmp" "$state"
chmod 1777 "$root/tmp"
chmod 0700 "$state"

node=$(readlink -f "$(command -v node)")
cp "$node" "$root/usr/local/bin/node"
# The libraries, and the loader that the kernel starts it by, each under the name by which it is asked for.
ldd "$node" | grep -o '/[^ ]*' | while read -r library; do
  mkdir -p "$root$(dirname "$library")"
  cp -L "$library" "$root$library"
done

# Who "10001" is, for what looks it up; and that names of hosts are asked of DNS, too.
echo 'gitops-status:x:10001:10001::/var/lib/gitops-status:/nonexistent' >"$root/etc/passwd"
echo 'gitops-status:x:10001:' >"$root/etc/group"
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
