#!/bin/sh
# Stands where Ansible expects ssh, and runs the command on this machine instead.
set -eu
PATH=$(dirname "$0")/as-if-ssh:$PATH
for command; do :; done
exec sh -c "$command"
