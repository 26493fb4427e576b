import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type GoodConfig, helpText, loadConfig, SETTINGS } from './config.ts'
import { WrongSettings } from './wrong-settings.ts'

const FILES: Record<string, string> = {
  '/etc/gitops.json': '{"port": 7000, "host": "10.0.0.1"}',
  '/etc/wrong.json': '{"prot": 1, "log-level": "loud"}',
  '/etc/list.json': '[]',
  '/run/secret': 'sqlite:/secret/place.db\n',
}

function load(argv: string, env: Record<string, string> = {}): GoodConfig {
  const loaded = loadConfig({
    argv: argv.split(' ').filter((word) => word !== ''),
    env,
    readFile: (path) => FILES[path] ?? assert.fail(`no such file ${path}`),
  })
  assert.ok('config' in loaded)
  return loaded
}

function problemsOf(argv: string, env?: Record<string, string>): readonly string[] {
  try {
    load(argv, env)
  } catch (error) {
    assert.ok(error instanceof WrongSettings)
    return error.problems
  }
  assert.fail('was accepted')
}

describe('settings', () => {
  it('have defaults that work', () => {
    assert.deepEqual(load('').config, {
      port: 8080,
      host: '127.0.0.1',
      databaseUrl: 'sqlite:./gitops-status.db',
      logLevel: 'info',
      logFormat: 'auto',
      shutdownWaitMs: 1_000,
      retentionMs: 365 * 86_400_000,
      auth: 'auto',
      anonymous: 'read',
      tokensFile: '',
    })
  })

  it('take a flag before the environment before the file before the default', () => {
    const env = { GITOPS_STATUS_CONFIG: '/etc/gitops.json', GITOPS_STATUS_PORT: '7001' }
    assert.equal(load('--port 7002', env).config.port, 7002)
    assert.equal(load('--port=7002', env).config.port, 7002)
    assert.equal(load('', env).config.port, 7001)
    assert.equal(load('', env).config.host, '10.0.0.1')
    assert.equal(load('--config /etc/gitops.json').config.port, 7000)
  })

  it('take what may be secret from a file', () => {
    assert.equal(load('', { DATABASE_URL_FILE: '/run/secret' }).config.databaseUrl, 'sqlite:/secret/place.db')
  })

  it('are all named when several are wrong', () => {
    const problems = problemsOf('--port 99999 --log-level loud --prot 1', { DATABASE_URL: 'mysql://x' })
    assert.equal(problems.length, 4)
    assert.match(problems.join('\n'), /--prot: is not an option: did you mean --port\?/)
  })

  it('take the URL of a PostgreSQL database, and never show its password', () => {
    for (const scheme of ['postgres', 'postgresql']) {
      const url = `${scheme}://user:hunter2@db:5432/x?sslpassword=hunter3&password=hunter4`
      const { config, described } = load('--print-config', { DATABASE_URL: url })
      assert.equal(config.databaseUrl, url)
      assert.match(described.join('\n'), /:\/\/user:\*\*\*@db:5432\/x/)
      assert.ok(!/hunter/.test(described.join('\n')))
    }
    const [problem = ''] = problemsOf('', { DATABASE_URL: 'postgres://user:hunter2@db:nonsense/x?password=hunter4' })
    assert.match(problem, /^DATABASE_URL: must be sqlite: and the path of a file, or postgres:/)
    assert.ok(!problem.includes('hunter'))
  })

  it('are refused in a file that has others, or none', () => {
    assert.match(problemsOf('--config /etc/wrong.json').join('\n'), /"prot" is not a setting: did you mean port\?/)
    assert.match(problemsOf('--config /etc/list.json').join('\n'), /must be an object/)
  })

  it('come with a warning for a variable that looks like one, but not for the reporter’s', () => {
    assert.deepEqual(load('', { GITOPS_STATUS_PROT: '1' }).warnings, [
      'GITOPS_STATUS_PROT is not a setting: did you mean GITOPS_STATUS_PORT?',
    ])
    const ofTheReporter = { GITOPS_STATUS_SERVER_URL: 'x', GITOPS_STATUS_TOKEN: 'x', GITOPS_STATUS_TOKEN_FILE: 'x' }
    assert.deepEqual(load('', ofTheReporter).warnings, [])
  })

  it('are printed with where they came from', () => {
    const { described, action } = load('--print-config --port 1', { GITOPS_STATUS_HOST: '::1' })
    assert.equal(action, 'print-config')
    assert.match(described.join('\n'), /^port +1 +--port$/m)
    assert.match(described.join('\n'), /^host +::1 +GITOPS_STATUS_HOST$/m)
    assert.match(described.join('\n'), /^log-level +info +default$/m)
  })

  it('come with the file that a backup goes into', () => {
    const { action, backupTo, config } = load('--database-url sqlite:./a.db --backup /backups/a.db')
    assert.deepEqual([action, backupTo, config.databaseUrl], ['backup', '/backups/a.db', 'sqlite:./a.db'])
    assert.equal(load('--backup=/backups/a.db').backupTo, '/backups/a.db')
    assert.deepEqual(problemsOf('--backup'), ['--backup: needs the name of a file that is not there yet'])
  })

  it('do not keep anyone from the help', () => {
    const loaded = loadConfig({ argv: ['--help', '--port', 'x'], env: {}, readFile: () => '' })
    assert.equal(loaded.action, 'help')
  })

  it('are all in the help, with their variables, after the examples', () => {
    const help = helpText()
    for (const { flag, env } of Object.values(SETTINGS)) assert.ok(help.includes(`--${flag} `) && help.includes(env))
    assert.ok(help.indexOf('Examples') < help.indexOf('Settings'))
  })
})
