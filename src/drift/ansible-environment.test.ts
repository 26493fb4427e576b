import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, it } from 'node:test'
import { ansibleEnvironment, checkEnvironment, childEnvironment, sshVariables } from './ansible-environment.ts'

const RUN = { resultFile: '/run/result.json', runId: 'run-1', directory: '/run', withTexts: false }

describe('childEnvironment', () => {
  it('passes what a program needs to run, and what people tell Ansible', () => {
    const env = {
      PATH: '/usr/bin',
      HOME: '/home/me',
      LANG: 'de_DE.UTF-8',
      SSH_AUTH_SOCK: '/run/agent',
      ANSIBLE_CONFIG: 'ansible.cfg',
      ANSIBLE_VAULT_PASSWORD_FILE: '/run/vault',
    }
    assert.deepEqual(childEnvironment(env), { ...env, LC_ALL: 'C.UTF-8' })
  })

  it('passes no secret of ours, and nothing that it does not know', () => {
    const env = {
      SSH_PRIVATE_KEY: 'secret',
      SSH_PRIVATE_KEY_FILE: 'secret',
      GITOPS_STATUS_TOKEN: 'secret',
      GITOPS_STATUS_TOKEN_FILE: 'secret',
      GITOPS_STATUS_SENTINEL: '/evil.yml',
      GITOPS_STATUS_LIBRARY: '/evil',
      CI_SECRET: 'secret',
      PYTHONPATH: '/evil',
      PYTHONSTARTUP: '/evil.py',
      PYTHONHOME: '/evil',
      LD_PRELOAD: '/evil.so',
      BASH_ENV: '/evil.sh',
      IFS: '/',
      NODE_OPTIONS: '--require /evil.js',
      SSH_ASKPASS: '/evil',
    }
    assert.deepEqual(childEnvironment(env), { LC_ALL: 'C.UTF-8' })
  })

  it('passes none of the settings by which a check sees less', () => {
    for (const name of [
      'ANSIBLE_HOST_KEY_CHECKING',
      'ANSIBLE_SSH_HOST_KEY_CHECKING',
      'ANSIBLE_PARAMIKO_HOST_KEY_CHECKING',
      'ANSIBLE_RUN_TAGS',
      'ANSIBLE_SKIP_TAGS',
      'ANSIBLE_LOG_PATH',
      'ANSIBLE_CALLBACKS_ENABLED',
      'ANSIBLE_CALLBACK_WHITELIST',
      'ANSIBLE_STDOUT_CALLBACK',
    ]) {
      assert.deepEqual(childEnvironment({ [name]: 'x' }), { LC_ALL: 'C.UTF-8' }, name)
    }
  })

  it('passes what was named to it, as --pass-env does', () => {
    assert.equal(childEnvironment({ PROXY: 'x', OTHER: 'y' }, ['PROXY', 'NOT_SET']).PROXY, 'x')
  })

  it('keeps a locale that was chosen', () => {
    assert.equal(childEnvironment({ LC_ALL: 'de_DE.UTF-8' }).LC_ALL, 'de_DE.UTF-8')
  })
})

describe('the environment of a check', () => {
  const ours = { ...ansibleEnvironment(RUN), ...checkEnvironment({ callbackDirectory: '/ours' }, RUN) }

  it('checks host keys and loads our plugin, whatever was passed on', () => {
    const outside = { ANSIBLE_HOST_KEY_CHECKING: 'false', ANSIBLE_CALLBACK_PLUGINS: '/evil', ANSIBLE_NOCOLOR: 'false' }
    const env = { ...childEnvironment(outside, Object.keys(outside)), ...ours }

    assert.equal(env.ANSIBLE_HOST_KEY_CHECKING, 'true')
    assert.equal(env.ANSIBLE_CALLBACK_PLUGINS, '/ours')
    assert.equal(env.ANSIBLE_NOCOLOR, 'true')
  })

  it('stops at an inventory of which a part cannot be read', () => {
    assert.equal(ours.ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED, 'true')
  })
})

describe('sshVariables', () => {
  const LESS_CAREFUL = [
    'StrictHostKeyChecking=no',
    'StrictHostKeyChecking=accept-new',
    'UserKnownHostsFile=/evil',
    'GlobalKnownHostsFile=/evil',
    'NoHostAuthenticationForLocalhost=yes',
    'VerifyHostKeyDNS=yes',
    'KnownHostsCommand=/evil',
    'UpdateHostKeys=yes',
    'BatchMode=no',
    'ControlPath=/evil',
  ]
  const variables = (first: string, last = '') =>
    JSON.parse(
      sshVariables({
        knownHostsFile: "/home/o'brien/known hosts",
        socketDirectory: '/tmp/gitops-status-1',
        configured: { first, last },
        hasKnownHostsCommand: true,
      }),
    )

  it('is what ssh goes by, whatever settings come after', () => {
    const { ansible_ssh_args, ansible_ssh_extra_args } = variables('', '-S /evil')
    const options = LESS_CAREFUL.map((option) => `-o ${option}`).join(' ')

    const settings = asSshReads(`${ansible_ssh_args} -S /evil ${options} ${ansible_ssh_extra_args}`)

    assert.equal(settings.get('stricthostkeychecking'), 'true')
    assert.equal(settings.get('userknownhostsfile'), "/home/o'brien/known hosts")
    assert.equal(settings.get('globalknownhostsfile'), '/dev/null')
    assert.equal(settings.get('nohostauthenticationforlocalhost'), 'no')
    assert.equal(settings.get('verifyhostkeydns'), 'false')
    assert.equal(settings.get('knownhostscommand'), undefined)
    assert.equal(settings.get('updatehostkeys'), 'false')
    assert.equal(settings.get('batchmode'), 'yes')
    assert.match(settings.get('controlpath') ?? '', /^\/tmp\/gitops-status-1\/c-/)
  })

  it("keeps the rest of the user's settings", () => {
    const settings = asSshReads(variables('-o ProxyJump=gate -o Ciphers=aes256-gcm@openssh.com').ansible_ssh_args)

    assert.equal(settings.get('proxyjump'), 'gate')
    assert.equal(settings.get('ciphers'), 'aes256-gcm@openssh.com')
  })

  it('names no option that an older ssh would stop at', () => {
    const args = sshVariables({
      knownHostsFile: '/dev/null',
      socketDirectory: '/run',
      configured: { first: '', last: '' },
      hasKnownHostsCommand: false,
    })
    assert.doesNotMatch(args, /KnownHostsCommand/)
  })

  it('has the other kinds of connection check host keys as well', () => {
    const { ansible_host_key_checking, ansible_ssh_host_key_checking, ansible_paramiko_host_key_checking } =
      variables('')
    assert(ansible_host_key_checking && ansible_ssh_host_key_checking && ansible_paramiko_host_key_checking)
  })
})

/** What ssh itself makes of arguments, split as Ansible splits them: as a shell would. */
function asSshReads(args: string): Map<string, string> {
  const printed = execFileSync('/bin/sh', ['-c', `ssh -F none -G ${args} localhost`], { encoding: 'utf8' })
  return new Map(
    printed.split('\n').map((line) => {
      const [name = '', ...value] = line.split(' ')
      return [name, value.join(' ')]
    }),
  )
}
