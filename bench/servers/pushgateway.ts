import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { runLoad } from '../load/run-load.ts'
import { type ServerProcess, startServerProcess } from './server-process.ts'

const COMMAND = 'prometheus-pushgateway'

/** Its version. Throws a sentence that says how to install it. */
export function findPushgateway(): string {
  const { stdout, stderr } = spawnSync(COMMAND, ['--version'], { encoding: 'utf8' })
  const version = /version ([\d.]+)/.exec(`${stdout}${stderr}`)?.[1]
  if (version === undefined) {
    throw new Error(
      `${COMMAND} is not installed: run "sudo apt-get install -y ${COMMAND}", or measure our server alone with --alone`,
    )
  }
  return version
}

export interface Start {
  /** One of its own. What it holds already is used again. */
  readonly directory: string
  /** Groups that were pushed before it is measured. */
  readonly groups: number
  /** Its default. Without it, a push is answered by 202 before anything was done with it. */
  readonly isConsistencyChecked: boolean
}

const CHECK_OFF = '--push.disable-consistency-check'

/** Starts the Pushgateway as it comes, but for the port and the place of its file. */
export async function startPushgateway({ directory, groups, isConsistencyChecked }: Start): Promise<ServerProcess> {
  const file = join(directory, 'pushgateway.data')
  if (!existsSync(file)) await fill(directory, file, groups)
  const server = await start(directory, file, isConsistencyChecked ? [] : [CHECK_OFF])
  await mustHold(server.port, groups)
  return server
}

/**
 * With the check on, ten thousand groups would take twenty minutes: each push reads all that are there. What is in its
 * file when it ends is the same.
 */
async function fill(directory: string, file: string, groups: number): Promise<void> {
  const server = await start(directory, file, [CHECK_OFF])
  await runLoad({
    port: server.port,
    connections: 16,
    requests: { kind: 'push', targets: groups, lastCheck: 'now' },
    pace: { kind: 'this-many', first: 0, count: groups },
  })
  await server.end()
}

function start(directory: string, file: string, flags: readonly string[]): Promise<ServerProcess> {
  return startServerProcess({
    command: COMMAND,
    args: ['--web.listen-address=127.0.0.1:0', `--persistence.file=${file}`, ...flags],
    log: join(directory, 'log'),
    ready: /msg="Listening on" address=127.0.0.1:(\d+)/,
  })
}

async function mustHold(port: number, groups: number): Promise<void> {
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  const held = metrics.match(/^gitops_sync_status\{/gm)?.length ?? 0
  if (held !== groups) throw new Error(`The Pushgateway holds ${held} groups of ${groups}`)
}
