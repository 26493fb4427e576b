import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { parse } from 'yaml'
import { missingTools } from '../../scripts/install-tools.ts'
import { type CiName, PIPELINES } from './pipelines.ts'

const FACTS = {
  repo: 'web',
  server: null,
  serverUrl: 'https://status.example.org',
  branch: 'main',
  isBranchChosen: false,
  image: 'reporter:1',
  inventory: 'hosts.ini',
  deployPlaybook: 'site.yml',
  validatePlaybook: 'validate.yml',
  ansibleConfig: null,
  configuresHostKeys: true,
  token: false,
}

interface Deploys {
  readonly steps?: readonly { readonly name: string; readonly commands: readonly string[] }[]
  readonly jobs?: { readonly deploy: { readonly steps: readonly { readonly name?: string; readonly run: string }[] } }
  readonly deploy?: { readonly script: readonly string[] }
}

/** The command of the step `deploy`, as each CI finds it in its file. */
function deployCommand(ci: CiName): string {
  const file = parse(PIPELINES[ci].render(FACTS)) as Deploys
  const named = <T extends { readonly name?: string }>(steps: readonly T[] = []) =>
    steps.find((s) => s.name === 'deploy')
  return named(file.steps)?.commands[0] ?? named(file.jobs?.deploy.steps)?.run ?? file.deploy?.script[0] ?? ''
}

const lacking = missingTools('lab').some((tool) => tool.command === 'ssh') && 'openssh-client is missing'

describe('the step that deploys', { skip: lacking }, () => {
  let directory: string
  let key: string
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'gitops-status-deploy-'))
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'the key', '-f', join(directory, 'key')])
    key = readFileSync(join(directory, 'key'), 'utf8')
    const program = '#!/bin/sh\ntouch deployed; ssh-add -l; echo "$*"\nexit 7\n'
    writeFileSync(join(directory, 'ansible-playbook'), program, { mode: 0o755 })
  })
  after(() => rmSync(directory, { recursive: true }))

  for (const ci of ['woodpecker', 'github', 'gitlab'] as const) {
    for (const [form, mangled] of [
      ['as it is', (text: string) => text],
      ['without its last line break', (text: string) => text.trimEnd()],
      ['with CRLF', (text: string) => text.replaceAll('\n', '\r\n')],
    ] as const) {
      it(`hands over the key, and ends with Ansible's own code: ${ci}, a key ${form}`, () => {
        const file = join(directory, 'secret')
        writeFileSync(file, mangled(key))
        const { status, stdout, stderr } = spawnSync('/bin/sh', ['-e', '-c', deployCommand(ci)], {
          cwd: directory,
          env: {
            PATH: `${directory}:${process.env.PATH}`,
            ...(ci === 'gitlab' ? { SSH_PRIVATE_KEY_FILE: file } : { SSH_PRIVATE_KEY: mangled(key) }),
          },
          encoding: 'utf8',
        })

        assert.equal(status, 7, stderr)
        assert.match(stdout, /^256 \S+ the key \(ED25519\)\n-i hosts\.ini site\.yml\n$/)
      })
    }

    it(`does not deploy with a key that is none: ${ci}`, () => {
      rmSync(join(directory, 'deployed'), { force: true })
      writeFileSync(join(directory, 'secret'), 'nonsense')
      const { status } = spawnSync('/bin/sh', ['-e', '-c', deployCommand(ci)], {
        cwd: directory,
        env: {
          PATH: `${directory}:${process.env.PATH}`,
          SSH_PRIVATE_KEY: 'nonsense',
          SSH_PRIVATE_KEY_FILE: join(directory, 'secret'),
        },
      })

      assert.notEqual(status, 0)
      assert(!existsSync(join(directory, 'deployed')))
    })
  }
})
