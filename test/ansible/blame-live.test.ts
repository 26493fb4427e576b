import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { type BlameQuestion, judgeBlame, modifiedBy } from '../../src/drift/blame/blame.ts'
import { parseBlameEvidence } from '../../src/drift/blame/blame-evidence.ts'
import { type LabServer, startLabServer } from '../lab/lab-server.ts'

const COLLECTOR = readFileSync(new URL('../../ansible/agent/gitops_status_blame.py', import.meta.url), 'utf8')

describe('blame on a real server', () => {
  it('tells who it was by the journal, su, SSH keys and packages, whatever users write into the log', async (t) => {
    await using server = await startLabServer({ name: 'web-1' })
    if (!server.canChown) return t.skip('needs root on this machine, for accounts on the server')
    await prepare(server)

    let clean = await seconds(server)
    await ssh(server, 'bob', FORGE)
    await ssh(server, 'alice', "su -c 'echo x >>/etc/rsyslog.conf'")
    assert.equal(await blame(server, clean), 'alice (su, medium)')

    clean = await seconds(server)
    await ssh(server, 'root', 'echo x >>/etc/rsyslog.conf; sleep 0.1')
    await ssh(server, 'bob', FORGE)
    const key = await server.run('ssh-keygen -lf /run/sshd/authorized_keys')
    const fingerprint = key.stdout.split(' ')[1] ?? ''
    assert.equal(await blame(server, clean), `root by key ${fingerprint.slice(0, 19)}… (ssh, medium)`)
    assert.equal(await blame(server, clean, { people: new Map([[fingerprint, 'Carol']]) }), 'Carol (ssh, medium)')

    // As a cron job or a daemon would, without a word in any log.
    clean = await seconds(server)
    await server.run('echo x >>/etc/rsyslog.conf')
    assert.equal(await blame(server, clean), null)

    clean = await seconds(server)
    await server.run(PACKAGE)
    assert.equal(await blame(server, clean, {}, '/etc/lab-package.conf'), 'dpkg (dpkg lab-package, medium)')
  })

  it('names nobody that only the text of a log names, where there is no journal', async (t) => {
    await using server = await startLabServer({ name: 'web-1' })
    if (!server.canChown) return t.skip('needs root on this machine, for accounts on the server')
    await prepare(server, 'rsyslog')

    const clean = await seconds(server)
    await ssh(server, 'bob', FORGE)
    await server.run('echo x >>/etc/rsyslog.conf')
    await server.run('until grep -q FORGED /var/log/auth.log; do sleep 0.02; done')

    assert.equal(await blame(server, clean), 'alice (sudo, low)')
  })
})

const FORGE = [
  'logger -t sudo -p authpriv.notice "   alice : TTY=pts/9 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/vi /etc/rsyslog.conf"',
  `logger -t sshd -p auth.info "Accepted publickey for root from 10.9.9.9 port 5 ssh2: ED25519 SHA256:${'F'.repeat(43)}"`,
  'logger -t sudo -p authpriv.notice FORGED',
].join('; ')

const PACKAGE = `
  mkdir -p /tmp/package/DEBIAN /tmp/package/etc
  printf 'Package: lab-package\\nVersion: 1\\nArchitecture: all\\nMaintainer: lab\\nDescription: lab\\n' >/tmp/package/DEBIAN/control
  echo x >/tmp/package/etc/lab-package.conf
  dpkg-deb -b /tmp/package /tmp/package.deb && dpkg -i /tmp/package.deb`

/** Accounts that may become root, an sshd with PAM, and what writes its log down. */
async function prepare(server: LabServer, logger: 'journald' | 'rsyslog' = 'journald') {
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

async function ssh(server: LabServer, user: string, command: string) {
  const options = [`Port=${server.port + 1}`, 'StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null']
  const args = ['-tt', '-F', server.sshConfig, ...options.flatMap((option) => ['-o', option]), '-l', user]
  const child = spawn('ssh', [...args, server.name, command], { stdio: 'ignore' })
  const [code] = await once(child, 'close')
  assert.equal(code, 0)
  // The client is gone a little before sshd has said so.
  const { code: waited } = await server.run(
    `until said() { journalctl -q _COMM=sshd 2>/dev/null; cat /var/log/auth.log 2>/dev/null; }
       [ "$(said | grep -c 'session opened for user')" = "$(said | grep -c 'session closed for user')" ]; do sleep 0.02; done`,
  )
  assert.equal(waited, 0)
}

async function seconds(server: LabServer): Promise<number> {
  return Number((await server.run('date +%s.%N')).stdout)
}

async function blame(
  server: LabServer,
  after: number,
  question: Partial<BlameQuestion> = {},
  path = '/etc/rsyslog.conf',
): Promise<string | null> {
  await server.run('[ ! -e /run/log/journal ] || journalctl --sync')
  const before = await seconds(server)
  const encoded = Buffer.from(path).toString('base64')
  const request = JSON.stringify({ format: 1, paths: [encoded], after, before })
  const { stdout, stderr } = await server.run('python3 -I -c "$1"', { args: [COLLECTOR], input: request })
  const evidence = parseBlameEvidence(stdout, [encoded])
  assert.ok(evidence, stderr)
  const window = { after, before, clockHeld: true, linksAtStart: 1 }
  const found = judgeBlame(evidence, {
    file: 0,
    change: 'modified',
    window,
    people: new Map(),
    ownChecks: [],
    deploys: [],
    live: null,
    ...question,
  })
  return found && modifiedBy(found)
}
