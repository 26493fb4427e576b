import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { StatusJson } from '../../src/contract/status-json.ts'
import { type CodeBlock, codeBlocks } from './code-blocks.ts'
import { runStep } from './pipeline-step.ts'
import { bothAnswerTheSame, oldNameIsKept } from './prometheus.ts'
import {
  eventually,
  inFull,
  isPicture,
  isPrinted,
  isReport,
  isRunElsewhere,
  isYaml,
  type Reader,
  runs,
  runsUntil,
  staysRunning,
  type Treatment,
} from './walk.ts'
import { CLUSTER } from './world.ts'

/** Every code block of a document, in order, by its first line, and what becomes of it. A new block: a line here. */
type Document = readonly (readonly [firstLine: string, treatment: Treatment])[]

const KUBECTL = 'a kubectl that shows the log of our server'

const DOCUMENTS: Readonly<Record<string, Document>> = {
  'README.md': [
    [
      'npm ci && npm run lab',
      isRunElsewhere('it is the lab that the other blocks run against; npm ci is how these tests got their packages'),
    ],
    ['npm ci && npm test', isRunElsewhere('it is what runs this test; CI runs it from a fresh clone, in .ci/run')],
    ['schedule or deploy people Grafana', isPicture()],
    ['npm start -- --port 8080 --host 127.0.0.1 --database-url sqlite:./gitops-status.db', staysRunning(/ready at/)],
    [
      'GITOPS_STATUS_SERVER_URL=http://127.0.0.1:8080 REPO_NAME=rsyslog SERVER_NAME=rsyslog-lab ./update-gitops-status.sh',
      runs({ before: (reader) => edit(reader, '/etc/rsyslog.d/30-lab.conf') }),
    ],
    ['==> Running drift-check playbook...', isPrinted()],
    [
      'bin/gitops-status check',
      runs({
        // The doctor, at the end, misses a name and an address: nobody has given it any.
        exitCode: 1,
        shows: ({ stdout }) => {
          assert.equal(stdout.match(/Drift: 1 file on rsyslog-lab\./g)?.length, 2)
          assert.match(stdout, /✗ REPO_NAME: is not set[\s\S]*✓ rsyslog-lab: answers/)
        },
      }),
    ],
    ['curl -X POST \\', runs({ shows: ({ stdout }) => assert.match(stdout, /^\{"applied":false,.*"warnings":\[/) })],
  ],

  'GITOPS_STATUS_SERVER_INTEGRATION.md': [
    ['Cron (every 2 min) or post-deploy', isPicture()],
    ['{', isReport()],
    ['{', isReport()],
    ['{', isReport()],
    [
      "ssh-keygen -t ed25519 -N '' -C gitops-status -f gitops-status-key",
      runs({
        shows: (_, { directory }) => {
          assert.match(readFileSync(join(directory, 'gitops-status-key.pub'), 'utf8'), /^ssh-ed25519 /)
          execFileSync('rm', ['gitops-status-key', 'gitops-status-key.pub'], { cwd: directory })
        },
      }),
    ],
    [`export GITOPS_STATUS_SERVER_URL=http://gitops-status-server.${CLUSTER}:80`, runs()],
    ['bin/gitops-status doctor', runs({ shows: ({ stdout }) => assert.doesNotMatch(stdout, /✗/) })],
    ['# Make script executable', runs({ before: (reader) => edit(reader, '/etc/rsyslog.conf') })],
    ['==> Running drift-check playbook...', isPrinted()],
    ['# Run drift-check playbook to see new structured output', runs()],
    ['…', isPrinted()],
    ['# From Woodpecker container or CI environment, test endpoint', runs()],
    ['{"applied":false,"changed":false,"previous_status":"OUT_OF_SYNC",…', isPrinted()],
    [
      'git add .woodpecker.yml ansible/playbooks/drift-check.yml update-gitops-status.sh',
      runs({
        shows(_, { directory }) {
          const git = (...args: string[]) => execFileSync('git', args, { cwd: directory, encoding: 'utf8' })
          assert.match(
            git('show', '--stat', 'origin/master'),
            /\.woodpecker\.yml[\s\S]*drift-check\.yml[\s\S]*update-gitops-status\.sh/,
          )
        },
      }),
    ],
    ['# Check gitops-status-server logs', runsUntil(/"msg":"POST \/api\/status from by hand"/, { standIn: KUBECTL })],
    [
      'curl "$GITOPS_STATUS_SERVER_URL/status.json"',
      runs({
        shows({ stdout }) {
          const { sync_status, drift_count, files, last_check } = JSON.parse(stdout)
          assert.deepEqual([sync_status, drift_count, files.length], ['OUT_OF_SYNC', 2, 2])
          assert.match(last_check, /^\d{4}-.*Z$/)
        },
      }),
    ],
    ['environment:', isYaml((value) => assert.deepEqual(value, { environment: REQUIRED_ENVIRONMENT }))],
    [
      'kubectl logs -n observability-stack -l app=gitops-status-server',
      runs({ standIn: KUBECTL, shows: ({ stdout }) => assert.match(stdout, /POST \/api\/status/) }),
    ],
    [
      'curl "$GITOPS_STATUS_SERVER_URL/readyz"',
      runs({ shows: ({ stdout }) => assert.equal(JSON.parse(stdout).status, 'ok') }),
    ],
    [
      `curl -X POST -H "Content-Type: application/json" -d '{"repo":"rsyslog"}' "$GITOPS_STATUS_SERVER_URL/api/status"`,
      runs(),
    ],
    [
      '{"type":"urn:gitops-status:problem:invalid_report","title":"Invalid report","status":422,…"field":"sync_status","pointer":"/sync_status","detail":"is missing"…',
      isPrinted(),
    ],
    [
      'curl "$GITOPS_STATUS_SERVER_URL/api/v1/status?format=csv"',
      runs({
        before: (reader) => fallSilent('forgotten', reader),
        shows: ({ stdout }) => {
          assert.match(stdout, /^repo,server,.*,freshness,.*,missed_checks/)
          assert.match(stdout, /^rsyslog,forgotten,UNKNOWN,.*,STALE,/m)
          assert.match(stdout, /^rsyslog,rsyslog-lab,OUT_OF_SYNC,.*,(FRESH|LATE),/m)
        },
      }),
    ],
    [
      'ansible-playbook -i ansible/inventory/hosts.yml ansible/playbooks/drift-check.yml -v',
      inFull('four seconds for what ran above without -v; npm run test:long runs it', {
        shows: ({ stdout }) => assert.match(stdout, /^SYNC_STATUS=OUT_OF_SYNC$/m),
      }),
    ],
    ['ls -la update-gitops-status.sh', runs({ shows: ({ stdout }) => assert.match(stdout, /^-rwx/) })],
    [
      `curl http://gitops-status-server.${CLUSTER}:80`,
      runs({ shows: ({ stdout }) => assert.match(stdout, /^<!doctype html>/) }),
    ],
    [
      'curl "$GITOPS_STATUS_SERVER_URL/status.json?repo=rsyslog&server=rsyslog-lab"',
      runs({ shows: ({ stdout }) => assert.equal(JSON.parse(stdout).reason, null) }),
    ],
    [
      '# Checkout old .woodpecker.yml version',
      runs({
        shows: (_, { directory }) =>
          assert.equal(readFileSync(join(directory, '.woodpecker.yml'), 'utf8'), '# as it was before\n'),
      }),
    ],
    [
      'curl "$GITOPS_STATUS_SERVER_URL/metrics"',
      runs({
        shows: async ({ stdout }, { serverUrl }) => {
          assert.match(stdout, /^gitops_status_stale\{repo="rsyslog",server="forgotten"\} 1$/m)
          await fetch(`${serverUrl}/api/v1/targets/rsyslog/forgotten`, { method: 'DELETE' })
        },
      }),
    ],
  ],

  'docs/move-from-pushgateway.md': [
    [
      `./update-gitops-status.sh --pushgateway http://pushgateway.${CLUSTER}:9091`,
      runs({ shows: ({ stdout }) => assert.match(stdout, /✓ Pushed to the Pushgateway as well\n$/) }),
    ],
    ['scrape_configs:', isYaml(bothAnswerTheSame)],
    ['groups:', isYaml(oldNameIsKept)],
    [
      `curl -X DELETE http://pushgateway.${CLUSTER}:9091/metrics/job/gitops_sync_check/repo/rsyslog/instance/rsyslog-lab`,
      runs({
        shows: async (_, { pushgateway }) =>
          assert.deepEqual(await pushgateway.series('gitops_sync_status{instance="rsyslog-lab"'), []),
      }),
    ],
    ['cp docs/rollback/.woodpecker.yml .woodpecker.yml', runs({ shows: (_, reader) => theWayBack(reader) })],
    [
      `curl -X DELETE http://gitops-status-server.${CLUSTER}:80/api/v1/targets/rsyslog/rsyslog-lab`,
      runs({
        shows: async (_, { serverUrl }) =>
          assert.equal((await fetch(`${serverUrl}/api/v1/targets/rsyslog/rsyslog-lab`)).status, 404),
      }),
    ],
  ],
}

/** Of the requirement, letter by letter, but for its one-line from_secret, which is no YAML. */
const REQUIRED_ENVIRONMENT = {
  GITOPS_STATUS_SERVER_URL: `http://gitops-status-server.${CLUSTER}:80`,
  REPO_NAME: 'rsyslog',
  SERVER_NAME: 'rsyslog-lab',
  SSH_PRIVATE_KEY: { from_secret: 'SSH_PRIVATE_KEY' },
  ANSIBLE_CONFIG: 'ansible.cfg',
}

const SYNCED = { repo: 'rsyslog', sync_status: 'SYNCED', drift_count: 0, files: [] }

async function edit({ lab }: Reader, file: string): Promise<void> {
  assert.equal((await lab.run('echo "# by hand" >>"$1"', { args: [file] })).code, 0)
}

/** A target whose cron job does not run any more. */
async function fallSilent(server: string, { serverUrl }: Reader): Promise<void> {
  const report = { ...SYNCED, server, last_check: new Date().toISOString(), interval_seconds: 1 }
  await fetch(`${serverUrl}/api/status`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(report),
  })
  await eventually(async () => {
    const response = await fetch(`${serverUrl}/status.json?server=${server}`)
    const { freshness } = (await response.json()) as StatusJson // our own server
    assert.equal(freshness, 'STALE')
  })
}

/** Runs the Pushgateway's step of the pipeline that was just put in place, as Woodpecker would. */
async function theWayBack(reader: Reader): Promise<void> {
  const { directory, lab, pushgateway } = reader
  const file = join(directory, '.woodpecker.yml')
  const pushed = () => pushgateway.series('gitops_sync_status{instance="rsyslog-lab"')
  const group = 'gitops_sync_status{instance="rsyslog-lab",job="gitops_sync_check",repo="rsyslog"}'
  const step = 'push-sync-status'

  assert.equal(await runStep(file, step, reader), 0)
  assert.deepEqual(await pushed(), [`${group} 1`])

  await lab.refuse()
  assert.equal(await runStep(file, step, reader), 1)
  await lab.resume()
  assert.deepEqual(await pushed(), [`${group} NaN`])
}

export interface Step {
  readonly name: string
  readonly treatment: Treatment
  readonly block: CodeBlock
  /** The first block of a document is read by somebody who just opened it. */
  readonly begins: boolean
}

/** All documents, block by block. */
export function everyBlock(): Step[] {
  return Object.entries(DOCUMENTS).flatMap(([file, expected]) => {
    let at = 0
    return codeBlocks(file).map((block, index): Step => {
      const firstLine = firstLineOf(block)
      const found = expected.findIndex(([line], place) => place >= at && line === firstLine)
      if (found !== -1) at = found + 1
      const treatment = expected[found]?.[1] ?? { kind: 'unknown' }
      return {
        name: `${file}:${block.line} ${firstLine}${noteOf(treatment)}`,
        treatment,
        block,
        begins: index === 0,
      }
    })
  })
}

/** Lines of the table above that no document has, in this order. */
export function goneBlocks(): string[] {
  return Object.entries(DOCUMENTS).flatMap(([file, expected]) => {
    const there = codeBlocks(file).map(firstLineOf)
    let at = 0
    return expected.flatMap(([line]) => {
      const found = there.indexOf(line, at)
      if (found === -1) return [`${file}: ${line}`]
      at = found + 1
      return []
    })
  })
}

function noteOf(treatment: Treatment): string {
  return treatment.kind === 'done' && treatment.standIn !== undefined ? ` (with ${treatment.standIn})` : ''
}

function firstLineOf({ text }: CodeBlock): string {
  return (text.split('\n')[0] ?? '').trim().replaceAll(/ +/g, ' ')
}
