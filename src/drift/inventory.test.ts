import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hasKnownHostsCommand, readInventory, readSshArgs } from './inventory.ts'
import type { CommandResult } from './run-command.ts'

const ANSIBLE_DEFAULT = '-C -o ControlMaster=auto -o ControlPersist=60s'

describe('readInventory', () => {
  const read = (result: Partial<CommandResult> | string, inventory = 'web,') =>
    readInventory({ inventory, cwd: '/', run: async () => exited(result) })
  const codeOf = async (result: Partial<CommandResult> | string, inventory?: string) => {
    const answer = await read(result, inventory)
    return 'error' in answer ? answer.error.code : answer
  }

  it('names every host once, in order, wherever it stands', async () => {
    const listed = {
      _meta: { hostvars: { web2: { hosts: ['not a host'] }, only_vars: {} } },
      all: { children: ['ungrouped', 'outer'] },
      outer: { children: ['inner'] },
      inner: { hosts: ['web2', 'web1'] },
      again: { hosts: ['web1'] },
    }
    const text = JSON.stringify(listed)
    assert.deepEqual(await read(text), { hosts: ['only_vars', 'web1', 'web2'], text })
  })

  it('knows a missing file before Ansible takes it for an empty one', async () => {
    assert.equal(await codeOf('{}', 'no/such/hosts.yml'), 'inventory_missing')
  })

  it('has no host: inventory_empty', async () => {
    assert.equal(await codeOf('{"_meta": {"hostvars": {}}, "all": {"children": ["ungrouped"]}}'), 'inventory_empty')
    assert.equal(await codeOf('{}'), 'inventory_empty')
  })

  it('cannot be read: inventory_invalid, with the error and not with a warning before it', async () => {
    const stderr = '[WARNING]: * Failed to parse hosts.yml with yaml\nERROR! No inventory was parsed\n'
    assert.deepEqual(await read({ ending: { kind: 'exited', code: 4 }, stderr }), {
      error: {
        code: 'inventory_invalid',
        message: 'Ansible cannot read the inventory: ERROR! No inventory was parsed',
      },
    })
  })

  it('is no JSON, or other JSON: inventory_invalid', async () => {
    for (const stdout of ['', 'null', '[]', '"web"', '{"all"']) assert.equal(await codeOf(stdout), 'inventory_invalid')
  })

  it('is encrypted: vault_password_missing', async () => {
    const stderr = 'ERROR! Attempting to decrypt but no vault secrets found\n'
    assert.equal(await codeOf({ ending: { kind: 'exited', code: 4 }, stderr }), 'vault_password_missing')
  })

  it('says why there is no answer', async () => {
    assert.equal(await codeOf({ ending: { kind: 'not_started', reason: 'ENOENT' } }), 'ansible_missing')
    assert.equal(await codeOf({ ending: { kind: 'timed_out' } }), 'timeout')
    assert.equal(await codeOf({ ending: { kind: 'interrupted' } }), 'interrupted')
    assert.equal(await codeOf({ ending: { kind: 'killed', signal: 'SIGKILL' } }), 'inventory_invalid')
  })

  it('is not believed when it ended with an error', async () => {
    const stdout = '{"all": {"hosts": ["web"]}}'
    assert.equal(await codeOf({ ending: { kind: 'exited', code: 1 }, stdout }), 'inventory_invalid')
  })
})

describe('readSshArgs', () => {
  const read = (stdout: string) => readSshArgs(async () => exited(stdout))

  it('finds them in the words of each version of Ansible', async () => {
    const setting = { name: 'ssh_args', value: '-C -o ProxyJump=gate' }
    const extra = { name: 'ssh_extra_args', value: '-o Ciphers=x' }
    const found = { first: setting.value, last: extra.value }
    assert.deepEqual(await read(JSON.stringify([{ ssh: [{ name: 'port', value: 22 }, extra, setting] }])), found)
    assert.deepEqual(await read(JSON.stringify({ ssh: { ssh_args: setting, ssh_extra_args: extra } })), found)
  })

  it("falls back to Ansible's own", async () => {
    for (const stdout of ['', '{}', '[]', '{"ssh": []}', '[{"ssh": [{"name": "ssh_args"}]}]']) {
      assert.deepEqual(await read(stdout), { first: ANSIBLE_DEFAULT, last: '' }, stdout)
    }
  })
})

describe('hasKnownHostsCommand', () => {
  it('is what ssh itself says', async () => {
    assert.equal(await hasKnownHostsCommand(async () => exited('')), true)
    assert.equal(await hasKnownHostsCommand(async () => exited({ ending: { kind: 'exited', code: 255 } })), false)
    assert.equal(
      await hasKnownHostsCommand(async () => exited({ ending: { kind: 'not_started', reason: 'ENOENT' } })),
      false,
    )
  })
})

function exited(result: Partial<CommandResult> | string): CommandResult {
  const defaults = { ending: { kind: 'exited', code: 0 }, stdout: '', stderr: '' } as const
  return typeof result === 'string' ? { ...defaults, stdout: result } : { ...defaults, ...result }
}
