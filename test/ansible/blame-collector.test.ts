import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { type BlameEvidence, type LogEntry, parseBlameEvidence } from '../../src/drift/blame/blame-evidence.ts'

const COLLECTOR = fileURLToPath(new URL('../../ansible/agent/gitops_status_blame.py', import.meta.url))
const FIXTURES = fileURLToPath(new URL('../fixtures/blame/', import.meta.url))
const NIGHT = Date.parse('2026-11-23T00:15:40Z') / 1000
const MORNING = Date.parse('2026-03-14T09:00:00Z') / 1000

describe('the collector of blame', () => {
  for (const name of ['debian', 'debian-13']) {
    it(`reads sshd and sudo as ${name} logs them (seen live)`, (t) => {
      const host = aHost(t, name, NIGHT + 10)
      const { entries } = host.ask(['/etc/rsyslog.conf', '/etc/\u00e4 b'], NIGHT, NIGHT + 10)

      assert.deepEqual(
        entries.flatMap((entry) => (entry.kind === 'sudo' ? [[entry.user, entry.as, entry.program, entry.paths]] : [])),
        [
          ['alice', 'root', 'sh', [0]],
          ['alice', 'root', 'touch', [0]],
          // Whoever makes a directory of that name says so of himself only.
          ['alice', 'root', 'vi', []],
          ['alice', 'root', 'vi', [1]],
          ['alice', 'root', 'bash', []],
          // An ordinary user wrote this, with logger. Only the journal could tell.
          ['alice', 'root', 'vi', [0]],
          ['alice', 'root', 'sh', []],
        ],
      )
      assert.ok(entries.every(({ trusted }) => !trusted))
      const logins = entries.filter(({ kind }) => kind === 'ssh_accepted')
      const [first] = logins
      assert.equal(logins.length, 6)
      assert.deepEqual(first?.kind === 'ssh_accepted' && [first.user, first.from, first.port, first.key, first.pid], [
        'root',
        '127.0.0.1',
        40260,
        'SHA256:HwHBw2PD7plImLFH8WDUxq9qZ1z78EC0Qc86GjGBNH4',
        108,
      ])
      assert.ok(Math.abs((first?.at ?? 0) - NIGHT) < 1)
    })
  }

  it('reads the tasks of Ansible that may have written a file, and not those that only look (seen live)', (t) => {
    const { entries } = aHost(t, 'debian', NIGHT + 10).ask(
      ['/etc/rsyslog.d/x.conf', '/etc/rsyslog.conf'],
      NIGHT,
      NIGHT + 10,
    )

    const tasks = entries.flatMap((entry) => (entry.kind === 'ansible' ? [[entry.module, entry.paths]] : []))
    assert.deepEqual(tasks, [
      ['ansible.legacy.copy', [0]],
      ['lineinfile', [1]],
    ])
  })

  it('reads logins from wtmp (seen live)', (t) => {
    const { logins } = aHost(t, 'debian', NIGHT + 10).ask(['/etc/x'], NIGHT, NIGHT + 10)

    assert.deepEqual(
      logins.map(({ user, line, host, from, to }) => [user, line, host, from > NIGHT && (to ?? 0) > from]),
      [
        ['root', 'pts/0', '127.0.0.1', true],
        ['alice', 'pts/0', '127.0.0.1', true],
        ['bob', 'pts/0', '127.0.0.1', true],
      ],
    )
  })

  it('reads the wtmp of a machine with 64-bit times (made from the format)', (t) => {
    const host = aHost(t)
    host.write('var/log/wtmp', Buffer.concat([utmp64(7, 'tty1', 'root', MORNING), utmp64(8, 'tty1', '', MORNING + 60)]))

    assert.deepEqual(host.ask(['/etc/x'], MORNING, MORNING + 10).logins, [
      { user: 'root', line: 'tty1', host: '', from: MORNING, to: MORNING + 60 },
    ])
  })

  it('ends a login at a reboot that let nobody log out', (t) => {
    const host = aHost(t)
    host.write(
      'var/log/wtmp',
      Buffer.concat([utmp64(7, 'tty1', 'root', MORNING), utmp64(2, '~', 'reboot', MORNING + 60)]),
    )

    assert.equal(host.ask(['/etc/x'], MORNING, MORNING + 10).logins[0]?.to, MORNING + 60)
  })

  it('reads what RHEL logs, and of another host nothing (recorded)', (t) => {
    const { entries, sources } = aHost(t, 'rhel', MORNING + 600).ask(['/etc/rsyslog.conf'], MORNING + 30, MORNING + 600)

    assert.deepEqual(entries.map(shortly), [
      '1 ssh_accepted alice',
      '1 opened sshd alice',
      '60 sudo alice vim 0',
      '60 opened sudo root',
      '61 cron root run-parts ',
      '90 cron root fix 0',
      '100 unit_starts logrotate.service',
      '101 unit_ends logrotate.service',
      '110 ansible ansible.legacy.copy 0',
      '111 cloud_init',
      '120 closed sudo root',
      '240 su carol',
      '240 opened su root',
      '270 closed su root',
      '300 closed sshd alice',
    ])
    assert.deepEqual(
      sources.map(({ name, state }) => [name, state]),
      [
        ['wtmp', 'absent'],
        ['auth', 'read'],
        ['system', 'read'],
      ],
    )
  })

  it('sends a program by its name alone: a command line may hold a password', (t) => {
    const rhel = aHost(t, 'rhel', MORNING + 600)
    const debian = aHost(t, 'debian', NIGHT + 10)

    assert.doesNotMatch(rhel.answer(['/etc/rsyslog.conf'], MORNING, MORNING + 600), /hunter2|--password|\.ansible/)
    assert.doesNotMatch(debian.answer(['/etc/rsyslog.conf'], NIGHT, NIGHT + 10), /secret|echo|BECOME|checksum/)
  })

  it('finds the year of lines that have none, across a new year', (t) => {
    const newYear = Date.parse('2027-01-01T00:00:00Z') / 1000
    const host = aHost(t)
    host.write('etc/hostname', 'web-1\n')
    host.write(
      'var/log/auth.log',
      [
        'Mar  3 10:00:00 web-1 sshd[1]: Accepted publickey for old from 10.0.0.1 port 1 ssh2',
        'Dec 31 23:59:58 web-1 sshd[2]: Accepted publickey for late from 10.0.0.1 port 2 ssh2',
        'Jan  1 00:00:02 web-1 sshd[3]: Accepted publickey for new from 10.0.0.1 port 3 ssh2',
        '',
      ].join('\n'),
      newYear + 5,
    )
    const { entries } = host.ask(['/etc/x'], newYear - 60, newYear + 60)

    assert.deepEqual(
      entries.map((entry) => entry.kind === 'ssh_accepted' && [entry.user, entry.at - newYear]),
      [
        ['late', -2],
        ['new', 2],
      ],
    )
  })

  it('knows the hour that is told twice, and the one that never was', () => {
    const program = [
      'import sys; sys.path.insert(0, sys.argv[1]); import gitops_status_blame as b',
      'print(b.local_time(2026, 10, 25, 2, 30, 0), b.local_time(2026, 3, 29, 2, 30, 0), b.local_time(2026, 7, 1, 12, 0, 0))',
    ].join('\n')
    const said = execFileSync('python3', ['-B', '-c', program, dirname(COLLECTOR)], {
      env: { PATH: process.env.PATH, TZ: 'CET-1CEST,M3.5.0,M10.5.0/3' },
      encoding: 'utf8',
    })

    assert.equal(said, '(1792888200.0, 3601.0) (None, 0.0) (1782900000.0, 1.0)\n')
  })

  it('knows its own connection, also where sudo hands no variable on', () => {
    const program =
      'import sys; sys.path.insert(0, sys.argv[1]); from gitops_status_blame import *; print(own_connection())'
    // sudo is not there to be tried: what hands nothing on is env.
    const shell = 'env -i PATH="$PATH" python3 -B -c "$1" "$2"; :'
    const said = execFileSync('sh', ['-c', shell, 'sh', program, dirname(COLLECTOR)], {
      env: { PATH: process.env.PATH, SSH_CONNECTION: '192.0.2.7 51234 192.0.2.1 22' },
      encoding: 'utf8',
    })

    assert.equal(said, "{'from': '192.0.2.7', 'port': 51234}\n")
  })

  it('reads rotated logs, packed ones as well, and says how far back they reach', (t) => {
    const host = aHost(t)
    host.write('etc/hostname', 'web-1\n')
    const accepted = (at: number, user: string) =>
      `${new Date(at * 1000).toISOString().slice(0, 19)}+00:00 web-1 sshd[1]: Accepted publickey for ${user} from 10.0.0.1 port 1 ssh2\n`
    host.write('var/log/auth.log', accepted(MORNING, 'now'), MORNING)
    host.write('var/log/auth.log.1', accepted(MORNING - 600, 'before'), MORNING - 500)
    host.write('var/log/auth.log.2.gz', gzipSync(accepted(MORNING - 1_200, 'packed')), MORNING - 1_100)
    const reaches = (after: number) => {
      const { entries, sources } = host.ask(['/etc/x'], after, MORNING)
      const users = entries.map((entry) => entry.kind === 'ssh_accepted' && entry.user)
      return [users, sources.find(({ name }) => name === 'auth')?.state]
    }

    assert.deepEqual(reaches(MORNING - 1_000), [['packed', 'before', 'now'], 'read'])
    assert.deepEqual(reaches(MORNING - 2_000), [['packed', 'before', 'now'], 'partial'])
  })

  it('reads which package run owned a file, and who asked for it (recorded)', (t) => {
    const host = aHost(t)
    const time = (at: number) => new Date(at * 1000).toISOString().slice(0, 19).replace('T', ' ')
    const dpkg = [
      `${time(MORNING - 9_000)} startup archives unpack`,
      `${time(MORNING - 9_000)} upgrade rsyslog:amd64 8.1 8.2`,
      `${time(MORNING)} startup archives unpack`,
      `${time(MORNING + 1)} upgrade rsyslog:amd64 8.2 8.3`,
      `${time(MORNING + 2)} status half-configured rsyslog:amd64 8.2`,
      `${time(MORNING + 3)} conffile /etc/a b.conf install`,
    ].join('\n')
    const history = [
      `Start-Date: ${time(MORNING - 1).replace(' ', '  ')}`,
      'Commandline: apt-get upgrade -y',
      'Requested-By: alice (1001)',
      `End-Date: ${time(MORNING + 4).replace(' ', '  ')}`,
    ].join('\n')
    host.write('var/log/dpkg.log', `${dpkg}\n`, MORNING + 5)
    host.write('var/log/apt/history.log', `\n${history}\n`, MORNING + 5)
    host.write('var/lib/dpkg/info/rsyslog.list', '/.\n/etc\n/etc/rsyslog.conf\n')

    assert.deepEqual(
      host.ask(['/etc/other', '/etc/rsyslog.conf', '/etc/a b.conf'], MORNING - 60, MORNING + 60).packageRuns,
      [
        {
          tool: 'dpkg',
          from: MORNING,
          to: MORNING + 3,
          slack: 1,
          names: ['dpkg', 'rsyslog'],
          paths: [1, 2],
          user: 'alice',
          program: 'apt-get',
        },
      ],
    )
  })

  it("reads dnf's history without a trace beside it (recorded)", (t) => {
    const host = aHost(t)
    host.write('var/lib/dnf/history.sqlite', '')
    const file = join(host.root, 'var/lib/dnf/history.sqlite')
    const database = new DatabaseSync(file)
    database.exec(`
      CREATE TABLE trans (id INTEGER PRIMARY KEY, dt_begin INTEGER NOT NULL, dt_end INTEGER, rpmdb_version_begin TEXT,
        rpmdb_version_end TEXT, releasever TEXT NOT NULL, user_id INTEGER NOT NULL, cmdline TEXT, state INTEGER NOT NULL);
      CREATE TABLE trans_item (id INTEGER PRIMARY KEY, trans_id INTEGER, item_id INTEGER NOT NULL, repo_id INTEGER,
        action INTEGER NOT NULL, reason INTEGER NOT NULL, state INTEGER NOT NULL);
      CREATE TABLE rpm (item_id INTEGER NOT NULL, name TEXT NOT NULL, epoch INTEGER, version TEXT, release TEXT, arch TEXT);
      INSERT INTO trans VALUES (1, ${MORNING - 9_000}, ${MORNING - 8_990}, '', '', '9', 0, 'install old', 1),
        (2, ${MORNING + 1}, ${MORNING + 9}, '', '', '9', 4294967295, 'update --setopt=proxy_password=hunter2', 1);
      INSERT INTO trans_item VALUES (1, 2, 7, 1, 1, 1, 1);
      INSERT INTO rpm VALUES (7, 'rsyslog', 0, '8.2', '1.el9', 'x86_64');`)
    database.close()

    const runs = host.ask(['/etc/rsyslog.conf'], MORNING, MORNING + 60).packageRuns

    assert.deepEqual(
      runs.map(({ tool, from, to, user, program }) => ({ tool, from, to, user, program })),
      [{ tool: 'dnf', from: MORNING + 1, to: MORNING + 9, user: null, program: 'dnf' }],
    )
    assert.deepEqual(readdirSync(dirname(file)), ['history.sqlite'])
  })

  it('reads who wrote which file from audit records of the kernel (seen live)', (t) => {
    const at = 1_795_391_538
    const paths = ['rsyslog.conf', 'mode.conf', 'gone.conf', 'a b.conf', 'evil\nname', 'moved.conf'].map(
      (name) => `/srv/etc/${name}`,
    )
    const { audit, sources } = aHost(t, 'audit', at + 5).ask(paths, at + 0.155, at + 2.5)
    const acts = audit.events.map(({ file, act, auid, program }) => `${file} ${act} ${auid} ${program}`)

    assert.deepEqual(acts, [
      '0 write 1001 dash',
      '1 attr 1001 chmod',
      // sed moves a new file there: one name goes, and one comes.
      '1 delete 1002 sed',
      '1 create 1002 sed',
      '2 delete 1002 rm',
      '3 create 1001 dash',
      '0 write 1001 touch',
      '4 create 1001 python3.11',
      '0 link 1001 ln',
      '1 delete 1001 mv',
      '5 create 1001 mv',
      '0 write 1001 cp',
      // Nobody logged in for this one.
      '0 write null dash',
    ])
    assert.equal(audit.unbroken, true)
    assert.deepEqual(sources.at(-1), { name: 'audit', state: 'read', since: at + 0.152 })
  })

  it('calls an audit log broken that begins too late, or in which the rules changed', (t) => {
    const at = 1_795_391_538
    const host = aHost(t, 'audit', at + 5)

    assert.equal(host.ask(['/srv/etc/rsyslog.conf'], at - 60, at + 2).audit.unbroken, false)
    const isWhole = () => host.ask(['/srv/etc/rsyslog.conf'], at + 1, at + 2).audit.unbroken
    assert.equal(isWhole(), true)
    // After the window, but before we look: the rules that we see may be others.
    const change = `type=CONFIG_CHANGE msg=audit(${at + 9}.000:99): auid=0 ses=1 op=add_rule key="gitops" list=4 res=1`
    const log = 'var/log/audit/audit.log'
    host.write(log, `${readFileSync(join(host.root, log), 'utf8')}${change}\n`, at + 9)
    assert.equal(isWhole(), false)
  })

  it('calls an audit log broken in which the clock goes back', (t) => {
    const at = 1_795_391_538
    const host = aHost(t, 'audit', at + 5)
    const log = 'var/log/audit/audit.log'
    const text = readFileSync(join(host.root, log), 'utf8')
    const first = text.indexOf('type=SYSCALL msg=audit(1795391539.100:13)')
    const moved = text.slice(first).replaceAll('audit(1795391539.100:13)', `audit(${at - 4_000}.100:13)`)
    host.write(log, text.slice(0, first) + moved, at + 5)

    assert.equal(host.ask(['/srv/etc/gone.conf'], at + 0.155, at + 2.5).audit.unbroken, false)
  })

  it('tells a rule that sees everybody from one that leaves somebody out', () => {
    const rules = [
      '-w /etc -p wa -k a',
      '-a always,exit -F arch=b64 -S all -F dir=/etc -F perm=wa -F key=b',
      '-a always,exit -S all -F dir=/etc -F perm=wa -F key=c',
      '-a always,exit -S all -F path=/etc/x -F perm=wa -F auid>=1000 -F auid!=-1 -F key=d',
      '-a always,exit -S open,openat -F dir=/etc -F perm=w -F key=e',
    ]
    assert.deepEqual(rulesOf(rules), ['a plain', 'b', 'c plain', 'd', 'e'])
    assert.deepEqual(rulesOf(['-a never,exit -F dir=/etc/x', ...rules.slice(0, 1)]), ['a'])
  })

  it('follows no link, waits for no pipe, and unpacks nothing without end', (t) => {
    const host = aHost(t)
    host.write('elsewhere', readFileSync(join(FIXTURES, 'debian/var/log/auth.log')), NIGHT + 10)
    mkdirSync(join(host.root, 'var/log/audit'), { recursive: true })
    symlinkSync('../../elsewhere', join(host.root, 'var/log/auth.log'))
    execFileSync('mkfifo', [join(host.root, 'var/log/syslog'), join(host.root, 'var/log/audit/audit.log')])
    host.write('var/log/messages.1.gz', gzipSync(Buffer.alloc(100 << 20)), NIGHT + 10)
    host.write('var/log/wtmp', Buffer.alloc(384 * 3, 0xff))
    host.write('var/lib/dnf/history.sqlite', 'SQLite format 3\0 or not')

    const { entries, sources, audit } = host.ask(['/etc/rsyslog.conf'], NIGHT, NIGHT + 10)

    assert.deepEqual([entries, audit.events], [[], []])
    assert.deepEqual(
      sources.map(({ name, state }) => `${name} ${state}`),
      ['wtmp unreadable', 'auth unreadable', 'system unreadable', 'dnf unreadable', 'audit unreadable'],
    )
  })

  it('is read by the parser whatever stands in the logs', (t) => {
    const host = aHost(t)
    const junk = Buffer.concat(
      Array.from({ length: 400 }, (_, index) =>
        Buffer.from(`${JUNK[index % JUNK.length]}\0\xff\u2028${index}\n`, 'latin1'),
      ),
    )
    for (const name of ['auth.log', 'syslog', 'wtmp', 'dpkg.log', 'apt/history.log', 'audit/audit.log']) {
      host.write(`var/log/${name}`, junk, NIGHT + 10)
    }
    host.write('etc/hostname', 'web-1\n')

    assert.ok(host.ask(['/etc/x', '/etc/'], NIGHT - 9, NIGHT + 10))
  })
})

const JUNK = [
  'Nov 23 00:15:41 web-1 sshd[9999999999]: Accepted publickey for x from y port 99999 ssh2',
  'Nov 23 00:15:41 web-1 sshd[9999999999]: Disconnected from user x y port 99999',
  'Nov 23 00:15:41 web-1 sudo[9999999999]: x : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=vi',
  'type=LOGIN msg=audit(1795392941.001:1): pid= auid=99999999999 ses=x',
  'type=LOGIN msg=audit(1795392941.001:1): auid=7',
  'Nov 99 99:99:99 web-1 sshd[1]: Accepted',
  'Nov 23 00:15:41 web-1 sshd[99999999999999]: Accepted publickey for x from y port 99999 ssh2: A B',
  'Nov 23 00:15:41 web-1 sudo: a : TTY= ; USER=',
  'Nov 23 00:15:41 web-1 sudo: a : TTY= ; USER=x ; COMMAND=',
  'type=SYSCALL msg=audit(1795392941.001:1): arch=zz syscall=999999999999999999999 auid=-1 a1=xyz a2=',
  'type=PATH msg=audit(1795392941.001:1): item=0 name=ZZ nametype=CREATE inode=',
  '2026-13-45 99:99:99 conffile',
  '2026-11-23 00:15:41 upgrade ../../../etc/passwd x y',
  'Start-Date: never',
  '\x07\0\0\0',
]

function shortly(entry: LogEntry): string {
  const { at, kind } = entry
  const words = (() => {
    switch (entry.kind) {
      case 'sudo':
      case 'cron':
        return [entry.user, entry.program, entry.paths.join(',')]
      case 'opened':
      case 'closed':
        return [entry.service, entry.user]
      case 'ssh_accepted':
      case 'su':
        return [entry.user]
      case 'ansible':
        return [entry.module, entry.paths.join(',')]
      case 'unit_starts':
      case 'unit_ends':
        return [entry.unit]
      default:
        return []
    }
  })()
  return [at - MORNING, kind, ...words].join(' ')
}

function rulesOf(lines: readonly string[]): string[] {
  const program =
    'import json, sys; sys.path.insert(0, sys.argv[1]); import gitops_status_blame as b; print(json.dumps(b.audit_rules(json.load(sys.stdin))))'
  const said = execFileSync('python3', ['-B', '-c', program, dirname(COLLECTOR)], { input: JSON.stringify(lines) })
  const rules: { key: string; plain: boolean }[] = JSON.parse(String(said))
  return rules.map(({ key, plain }) => (plain ? `${key} plain` : key))
}

function utmp64(type: number, line: string, user: string, at: number): Buffer {
  const record = Buffer.alloc(400)
  record.writeInt16LE(type, 0)
  record.write(line, 8)
  record.write(user, 44)
  record.writeBigInt64LE(BigInt(at), 344)
  return record
}

function aHost(t: TestContext, fixture?: string, writtenAt?: number) {
  const root = mkdtempSync(join(tmpdir(), 'blame-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  if (fixture !== undefined) cpSync(join(FIXTURES, fixture), root, { recursive: true })
  if (writtenAt !== undefined) {
    for (const { name, parentPath } of readdirSync(root, { recursive: true, withFileTypes: true })) {
      utimesSync(join(parentPath, name), writtenAt, writtenAt)
    }
  }
  function answer(paths: readonly string[], after: number, before: number): string {
    const encoded = paths.map((path) => Buffer.from(path).toString('base64'))
    return execFileSync('python3', ['-I', '-B', COLLECTOR, root], {
      input: JSON.stringify({ format: 1, paths: encoded, after, before }),
      encoding: 'utf8',
      timeout: 60_000,
    })
  }
  return {
    root,
    answer,
    write(path: string, content: string | Buffer, at?: number) {
      const file = join(root, path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, content)
      if (at !== undefined) utimesSync(file, at, at)
    },
    ask(paths: readonly string[], after: number, before: number): BlameEvidence {
      const encoded = paths.map((path) => Buffer.from(path).toString('base64'))
      const evidence = parseBlameEvidence(answer(paths, after, before), encoded)
      assert.ok(evidence)
      return evidence
    },
  }
}
