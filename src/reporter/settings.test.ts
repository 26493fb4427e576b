import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { WrongSettings } from '../wrong-settings.ts'
import { readSettings } from './settings.ts'

const read = (args: readonly string[] = [], env: Record<string, string> = {}, terminal = false) =>
  readSettings(args, env, terminal)

function problemsOf(args: readonly string[], env: Record<string, string> = {}): readonly string[] {
  try {
    read(args, env)
  } catch (error) {
    if (error instanceof WrongSettings) return error.problems
    throw error
  }
  return []
}

describe('readSettings', () => {
  let directory: string
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'settings-test-'))
  })
  after(() => rmSync(directory, { recursive: true, force: true }))

  function file(name: string, content: string): string {
    writeFileSync(join(directory, name), content)
    return join(directory, name)
  }

  it('needs nothing: a check of this repository', () => {
    const { playbook, inventory, timeoutMs, output, onlyHost, repo, serverUrl } = read()
    assert.deepEqual([playbook, inventory], ['ansible/playbooks/drift-check.yml', 'ansible/inventory/hosts.yml'])
    assert.deepEqual([timeoutMs, output, onlyHost, repo, serverUrl], [600_000, 'text', null, null, null])
  })

  it('reports differences only when asked, with fingerprints by a key of their own or by that for the servers', () => {
    assert.deepEqual([read().diff, read().diffKey], [false, null])
    assert.equal(read(['--diff']).diff, true)
    assert.equal(read([], { GITOPS_STATUS_DIFF: '1' }).diff, true)
    assert.equal(read([], { SSH_PRIVATE_KEY: 'ssh' }).diffKey, 'ssh')
    const key = 'k'.repeat(32)
    assert.equal(read([], { SSH_PRIVATE_KEY: 'ssh', GITOPS_STATUS_DIFF_KEY: key }).diffKey, key)
    const problems = problemsOf([], { GITOPS_STATUS_DIFF: 'yes', GITOPS_STATUS_DIFF_KEY: 'short' })
    assert.deepEqual(problems, [
      'GITOPS_STATUS_DIFF must be 0 or 1, not "yes"',
      'GITOPS_STATUS_DIFF_KEY must have 32 characters or more, as of: openssl rand -hex 32',
    ])
  })

  it('takes an empty variable for one that is not set', () => {
    const env = {
      REPO_NAME: '',
      SERVER_NAME: '',
      GITOPS_STATUS_SERVER_URL: '',
      GITOPS_STATUS_TIMEOUT: '',
      NO_COLOR: '',
    }
    const { repo, onlyHost, serverUrl, timeoutMs, color } = readSettings([], env, true)
    assert.deepEqual([repo, onlyHost, serverUrl, timeoutMs, color], [null, null, null, 600_000, true])
  })

  it('prefers a flag to the environment', () => {
    assert.equal(read(['--timeout', '5'], { GITOPS_STATUS_TIMEOUT: '7' }).timeoutMs, 5_000)
    assert.equal(read([], { GITOPS_STATUS_TIMEOUT: '7' }).timeoutMs, 7_000)
    assert.equal(read(['--interval=60'], { GITOPS_STATUS_INTERVAL: '7' }).intervalSeconds, 60)
  })

  it('reads each secret also from a file', () => {
    const env = { SSH_PRIVATE_KEY_FILE: file('key', 'KEY\n'), GITOPS_STATUS_TOKEN_FILE: file('token', 'tok\n') }
    const { privateKey, token } = read([], env)
    assert.deepEqual([privateKey, token], ['KEY\n', 'tok'])
  })

  it('leaves what follows -- to Ansible', () => {
    assert.deepEqual(read(['--quiet', '--', '--tags', 'x', '--quiet']).ansibleArgs, ['--tags', 'x', '--quiet'])
  })

  it("makes the server's address one that a path can be put after", () => {
    for (const url of ['http://host:8080', 'http://host:8080/', ' http://host:8080//\n']) {
      assert.equal(read([], { GITOPS_STATUS_SERVER_URL: url }).serverUrl, 'http://host:8080')
    }
    assert.equal(read([], { GITOPS_STATUS_SERVER_URL: 'https://host/gitops/' }).serverUrl, 'https://host/gitops')
  })

  it('has colours on a terminal only, and not against NO_COLOR, --no-color or a dumb one', () => {
    assert.equal(read([], {}, true).color, true)
    assert.equal(read([], {}, false).color, false)
    assert.equal(read([], { NO_COLOR: '1' }, true).color, false)
    assert.equal(read([], { TERM: 'dumb' }, true).color, false)
    assert.equal(read(['--no-color'], {}, true).color, false)
  })

  it('names all problems together', () => {
    const problems = problemsOf(
      ['--colr', '--timeout', 'soon', '--output=xml', '--quiet=yes', '--playbook', 'x', 'extra'],
      {
        REPO_NAME: 'a b',
        SERVER_NAME: 'web*',
        GITOPS_STATUS_SERVER_URL: 'ftp://host',
        GITOPS_STATUS_INTERVAL: '0',
        GITOPS_STATUS_TOKEN: 'a b',
        SSH_PRIVATE_KEY: 'x',
        SSH_PRIVATE_KEY_FILE: '/no/such/key',
        SSH_KNOWN_HOSTS: 'x',
        SSH_KNOWN_HOSTS_FILE: 'y',
      },
    )
    for (const [index, words] of [
      /unknown flag --colr; did you mean --no-color\?|unknown flag --colr/,
      /--timeout must be a whole number/,
      /--output must be text or json, not "xml"/,
      /--quiet takes no value/,
      /unexpected argument "extra"/,
      /REPO_NAME must be/,
      /SERVER_NAME must be one host/,
      /GITOPS_STATUS_SERVER_URL must begin with/,
      /GITOPS_STATUS_INTERVAL must be a whole number/,
      /GITOPS_STATUS_TOKEN must be printable/,
      /SSH_PRIVATE_KEY and SSH_PRIVATE_KEY_FILE are both set/,
      /SSH_PRIVATE_KEY_FILE cannot be read/,
      /SSH_KNOWN_HOSTS and SSH_KNOWN_HOSTS_FILE are both set/,
    ].entries()) {
      assert(
        problems.some((problem) => words.test(problem)),
        `${index}: ${words} in ${problems.join('\n')}`,
      )
    }
    assert.equal(problems.length, 13)
  })

  it('checks fully unless it is told otherwise, and then keeps its state where the user keeps such things', () => {
    const fast = (args: readonly string[], env: Record<string, string> = {}) => read(args, env).fast
    const HOME = '/home/ci'
    assert.equal(fast([], { HOME }), null)
    assert.equal(fast(['--full-every', '60', '--state-dir', '/state'], { GITOPS_STATUS_FAST: '0' }), null)
    const usual = {
      stateDirectory: '/home/ci/.local/state/gitops-status',
      key: null,
      fullEveryMs: 900_000,
      blame: true,
    }
    assert.deepEqual(fast(['--fast'], { HOME }), usual)
    assert.deepEqual(fast([], { HOME, GITOPS_STATUS_FAST: '1', XDG_STATE_HOME: 'relative' }), usual)
    assert.equal(fast(['--fast'], { HOME, XDG_STATE_HOME: '/xdg' })?.stateDirectory, '/xdg/gitops-status')
    const env = {
      GITOPS_STATUS_STATE_DIR: '/from-env',
      GITOPS_STATUS_FULL_EVERY: '120',
      GITOPS_STATUS_BASELINE_KEY_FILE: file('baseline-key', 'thirty-two letters, and no fewer!\n'),
    }
    const set = {
      stateDirectory: '/from-env',
      key: 'thirty-two letters, and no fewer!',
      fullEveryMs: 120_000,
      blame: true,
    }
    assert.deepEqual(fast(['--fast'], env), set)
    assert.equal(fast(['--fast', '--no-blame'], env)?.blame, false)
    assert.equal(fast(['--fast'], { ...env, GITOPS_STATUS_BLAME: '0' })?.blame, false)
    const flags = ['--fast', '--state-dir', 'here', '--full-every=7']
    assert.deepEqual(fast(flags, env), { ...set, stateDirectory: 'here', fullEveryMs: 7_000 })
  })

  it('names what is wrong about a fast check', () => {
    assert.deepEqual(problemsOf(['--fast', '--full-every', '0'], { GITOPS_STATUS_BASELINE_KEY: 'short' }), [
      'GITOPS_STATUS_BASELINE_KEY must have at least 32 characters',
      '--fast needs --state-dir, or HOME',
      '--full-every must be a whole number of seconds from 1 to 604800, not "0"',
    ])
    assert.deepEqual(problemsOf([], { GITOPS_STATUS_FAST: 'yes' }), ['GITOPS_STATUS_FAST must be 1 or 0, not "yes"'])
  })

  it('takes the least coverage in percent', () => {
    assert.equal(read().minCoverage, null)
    assert.equal(read(['--min-coverage', '100'], { GITOPS_STATUS_MIN_COVERAGE: '80' }).minCoverage, 100)
    assert.equal(read([], { GITOPS_STATUS_MIN_COVERAGE: '80' }).minCoverage, 80)
    for (const wrong of ['0', '101', '80%', '0.8', '']) {
      assert.deepEqual(problemsOf([`--min-coverage=${wrong}`]), [
        `--min-coverage must be a whole number of percent from 1 to 100, not ${JSON.stringify(wrong)}`,
      ])
    }
  })

  it('pushes nowhere unless it is told where', () => {
    assert.equal(read().pushgateway, null)
    assert.equal(read(['--pushgateway-job', 'x'], { GITOPS_STATUS_PUSHGATEWAY_URL: '' }).pushgateway, null)
  })

  it('takes the names in a Pushgateway from flags before the environment before the defaults', () => {
    const env = {
      GITOPS_STATUS_PUSHGATEWAY_URL: 'http://gateway:9091/',
      GITOPS_STATUS_PUSHGATEWAY_JOB: 'gitops sync',
      GITOPS_STATUS_PUSHGATEWAY_SYNCED: '1',
      GITOPS_STATUS_PUSHGATEWAY_AUTH_FILE: file('auth', 'ci:hunter2\n'),
    }
    assert.deepEqual(read(['--pushgateway-synced=0', '--pushgateway-metric', 'in_sync'], env).pushgateway, {
      url: 'http://gateway:9091',
      auth: 'ci:hunter2',
      job: 'gitops sync',
      metric: 'in_sync',
      syncedValue: 0,
    })
    assert.deepEqual(read(['--pushgateway', 'https://gateway/push'], {}).pushgateway, {
      url: 'https://gateway/push',
      auth: null,
      job: 'gitops_sync_check',
      metric: 'gitops_sync_status',
      syncedValue: 0,
    })
  })

  it('names everything that no Pushgateway would take, and shows no password', () => {
    const problems = problemsOf(
      ['--pushgateway', 'http://ci:hunter2@gateway', '--pushgateway-job', 'a\nb', '--pushgateway-synced', 'yes'],
      { GITOPS_STATUS_PUSHGATEWAY_METRIC: 'gitops-sync', GITOPS_STATUS_PUSHGATEWAY_AUTH: 'hunter2' },
    )
    assert.deepEqual(problems, [
      '--pushgateway must not hold a password; use GITOPS_STATUS_PUSHGATEWAY_AUTH',
      '--pushgateway-job must be 1 to 253 characters of one line, not "a b"',
      'GITOPS_STATUS_PUSHGATEWAY_METRIC must be the name of a metric, not "gitops-sync"',
      '--pushgateway-synced must be 0 or 1, not "yes"',
      'GITOPS_STATUS_PUSHGATEWAY_AUTH must be user:password',
    ])
    const metric = 'push_time_seconds'
    assert.deepEqual(problemsOf(['--pushgateway', 'http://x', '--pushgateway-metric', metric]), [
      `--pushgateway-metric must be a name that nothing else has, not "${metric}"`,
    ])
  })

  it('never shows a secret that is wrong', () => {
    const problems = problemsOf([], { GITOPS_STATUS_TOKEN: 'hunter2 hunter2' })
    assert(problems.length === 1 && !problems.join().includes('hunter2'))
  })

  it('takes no time that a timer or the server would not', () => {
    for (const [name, most] of [
      ['timeout', 604_800],
      ['interval', 2_678_400],
    ] as const) {
      assert.deepEqual(problemsOf([`--${name}`, String(most)]), [])
      for (const wrong of [String(most + 1), '0', '-1', '1.5', '1e3', '', 'x']) {
        assert.equal(problemsOf([`--${name}=${wrong}`]).length, 1, `--${name}=${wrong}`)
      }
    }
  })

  const WRONG_URLS = [
    'host:8080',
    'http://',
    'http://user:pw@host',
    'http://host/?a=b',
    'http://host/#x',
    'file:///etc',
  ]
  for (const url of WRONG_URLS) {
    it(`refuses ${url} as the server's address`, () => {
      assert.equal(problemsOf([], { GITOPS_STATUS_SERVER_URL: url }).length, 1)
    })
  }

  for (const name of ['all:!web', '@hosts', '-i', '../x', 'a,b', 'web[0]', '~web.*', 'web*', 'a b', 'x'.repeat(254)]) {
    it(`refuses ${name.slice(0, 20)} as SERVER_NAME, which is one host and no pattern`, () => {
      assert.equal(problemsOf([], { SERVER_NAME: name }).length, 1)
    })
  }

  it('refuses what the server would refuse as REPO_NAME', () => {
    for (const name of ['-a', 'a b', 'a\nb', 'ä', '$(touch x)', 'x'.repeat(254)]) {
      assert.equal(problemsOf([], { REPO_NAME: name }).length, 1, name)
    }
    for (const name of ['rsyslog', 'owner/name', 'a', '_a', 'git@host:x']) {
      assert.equal(read([], { REPO_NAME: name }).repo, name)
    }
  })

  it('guesses what a mistyped flag was meant to be', () => {
    assert.match(problemsOf(['--plabook', 'x']).join(), /--plabook; did you mean --playbook\?/)
    assert.match(problemsOf(['--inventroy=x']).join(), /did you mean --inventory\?/)
    assert.doesNotMatch(problemsOf(['--frobnicate']).join(), /did you mean/)
  })

  it('asks for the value that a flag needs', () => {
    assert.deepEqual(problemsOf(['--timeout']), ['--timeout needs a value'])
  })
})
