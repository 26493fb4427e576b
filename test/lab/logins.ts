import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { LabServer } from './lab-server.ts'

/**
 * Accounts that may become root by su (alice, bob), a second sshd on the next port that logs by way of PAM, and what
 * writes its log down. Needs `canChown`.
 */
export async function keepLog(server: LabServer, logger: 'journald' | 'rsyslog' = 'journald') {
  await server.writeFile(
    '/etc/lab-rsyslog.conf',
    'module(load="imuxsock")\nauth,authpriv.* action(type="omfile" file="/var/log/auth.log" template="RSYSLOG_FileFormat")\n',
  )
  const started = await server.run(`
    set -e
    useradd -m -s /bin/bash alice; useradd -m -s /bin/bash bob
    sed -i '1i auth sufficient pam_permit.so' /etc/pam.d/su
    chmod 0755 /run/sshd; chmod 0644 /run/sshd/authorized_keys
    touch /run/utmp; : >/var/log/wtmp; rm -rf /var/log/journal /var/log/auth.log
    echo "127.0.0.1 $(hostname)" >>/etc/hosts
    ${
      logger === 'journald'
        ? `mkdir -p /run/log/journal
           $(command -v /usr/lib/systemd/systemd-journald || echo /lib/systemd/systemd-journald) </dev/null >/dev/null 2>&1 &
           until [ -S /run/systemd/journal/dev-log ]; do sleep 0.02; done
           ln -sf /run/systemd/journal/dev-log /dev/log`
        : `rsyslogd -n -f /etc/lab-rsyslog.conf -i /run/lab-rsyslog.pid </dev/null >/dev/null 2>&1 &
           until [ -S /dev/log ]; do sleep 0.02; done`
    }
    sed 's/^ListenAddress.*/ListenAddress ${server.host}:${server.port + 1}/; s/UsePAM no/UsePAM yes/; /^PidFile/d' \\
      /run/sshd/config >/run/sshd/config-pam
    echo PidFile /run/sshd/pid-pam >>/run/sshd/config-pam
    $(command -v sshd) -f /run/sshd/config-pam
    until [ -s /run/sshd/pid-pam ]; do sleep 0.02; done`)
  assert.deepEqual(started, { code: 0, stdout: '', stderr: '' })
}

/** Runs a command in a login by the lab's key, and returns when sshd has written down its end. */
export async function logIn(server: LabServer, user: string, command: string) {
  const options = [`Port=${server.port + 1}`, 'StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null']
  const args = ['-tt', '-F', server.sshConfig, ...options.flatMap((option) => ['-o', option]), '-l', user]
  const child = spawn('ssh', [...args, server.name, command], { stdio: 'ignore' })
  const [code] = await once(child, 'close')
  assert.equal(code, 0)
  // The client is gone a little before sshd has said so. By the name that a line bears: of whoever had ended by the time
  // journald read it, it does not know the program.
  const { code: waited } = await server.run(
    `until said() { journalctl -q -t sshd -t sshd-session 2>/dev/null; cat /var/log/auth.log 2>/dev/null; }
       [ "$(said | grep -c 'session opened for user')" = "$(said | grep -c 'session closed for user')" ]; do sleep 0.02; done`,
  )
  assert.equal(waited, 0)
}
