import type { Benchmark, Results, World } from './benchmark.ts'
import { neverAbove } from './figures/goal.ts'
import { figure, tableText } from './figures/markdown.ts'
import type { Stretch } from './load/job.ts'
import { failureOf, runLoad } from './load/run-load.ts'
import { unheardSince } from './newest-state.ts'
import { mustReportOncePerSecond } from './options.ts'
import { SEED_BATCH, seedTargets } from './seed-targets.ts'
import { type GitopsStatusServer, type Pause, startGitopsStatusServer } from './servers/gitops-status-server.ts'

const OPTIONS = {
  targets: { default: 1_000_000, about: 'targets; a multiple of 100' },
  minutes: { default: 10, about: 'how long they report' },
  rate: { default: 8_333, about: 'reports per second; the default is a million every two minutes' },
}
type Given = Readonly<Record<keyof typeof OPTIONS, number>>

/** Whether one machine takes in a whole fleet at its pace, for as long as one likes, in bounded memory. */
export const fleet: Benchmark<keyof typeof OPTIONS> = {
  about: 'a large fleet that reports at its pace in batches of 100: latency, memory and disk by the minute',
  hasPeer: false,
  options: OPTIONS,
  run,
}

const MOST_P99_MS = 250
const BATCH = 100
const CONNECTIONS = 64
const MINUTE_MS = 60_000

async function run(given: Given, world: World): Promise<Results> {
  mustReportOncePerSecond(given)
  const { targets, minutes, rate } = given
  const server = await startGitopsStatusServer({
    directory: world.makeDirectory('gitops-status-server'),
    nodeOptions: world.nodeOptions,
    probe: true,
  })
  world.say(`${figure(targets)} targets report for the first time`)
  const seeded = await seedTargets(server.port, targets)
  const atFirst = rowOf('seeded', null, await stateOf(server))
  world.say(`seeded with ${figure(seeded)} reports/s in batches of ${SEED_BATCH}`)

  const begunAt = new Date()
  const minutesTold: Promise<Minute>[] = []
  const tell = async (minute: number, stretch: Stretch) => {
    const state = await stateOf(server)
    const row = rowOf(String(minute), stretch, state)
    world.say(row.join(' | '))
    return { row, state }
  }
  const result = await runLoad(
    {
      port: server.port,
      connections: CONNECTIONS,
      requests: { kind: 'report', targets, batch: BATCH, lastCheck: 'now' },
      pace: {
        kind: 'at-a-rate',
        first: 0,
        perSecond: rate / BATCH,
        seconds: minutes * 60,
        stretchMs: MINUTE_MS,
      },
    },
    (stretch) => minutesTold.push(tell(minutesTold.length + 1, stretch)),
  )
  const told = await Promise.all(minutesTold)
  const failure = failureOf(result) ?? (await unheardSince(server.port, lastOf(targets, result.next), begunAt))
  const pause = {
    ms: Math.max(...told.map(({ state }) => state.pause.ms)),
    cpuMs: Math.max(...told.map(({ state }) => state.pause.cpuMs)),
  }
  const inAll = rowOf('in all', result, { ...(await stateOf(server)), pause })

  return {
    blocks: [
      `${figure(targets)} targets; seeded with ${figure(seeded)} reports/s; then ${figure(rate)} reports/s were due in batches of ${BATCH}, for
${figure(minutes)} minutes, and ${figure(result.perSecond * BATCH)} came in each second. Latency counts from the moment at which a batch was due.`,
      tableText({ head: HEAD, rows: [atFirst, ...told.map(({ row }) => row), inAll] }),
      failure === null ? 'Nothing failed.' : `VOID: ${failure}`,
    ],
    goals: [neverAbove(MOST_P99_MS, 'ms', 'p99 of the whole time', failure === null ? [result.latency.p99] : [])],
  }
}

/** Targets of the newest batches. */
function lastOf(targets: number, next: number): number[] {
  return Array.from({ length: 5 }, (_, back) => (((next - 1 - back) * BATCH) % targets) + BATCH - 1).filter(
    (n) => n >= 0,
  )
}

interface Minute {
  readonly row: readonly string[]
  readonly state: State
}

interface State {
  readonly memoryMB: number
  readonly peakMB: number
  readonly databaseMB: number
  readonly walMB: number
  readonly pause: Pause
}

async function stateOf(server: GitopsStatusServer): Promise<State> {
  const { nowMB, peakMB } = server.memory()
  const pause = await server.longestPause()
  return { memoryMB: nowMB, peakMB, databaseMB: server.databaseMB(), walMB: server.walMB(), pause }
}

const HEAD = [
  'minute',
  'batches',
  'p50 ms',
  'p99 ms',
  'max ms',
  'longest pause ms',
  'its CPU ms',
  'memory MB',
  'peak MB',
  'database MB',
  'WAL MB',
]

function rowOf(name: string, stretch: Stretch | null, state: State): string[] {
  const latency = stretch === null ? ['–', '–', '–'] : [stretch.latency.p50, stretch.latency.p99, stretch.latency.max]
  const { pause, memoryMB, peakMB, databaseMB, walMB } = state
  const cells = [stretch?.answered ?? '–', ...latency, pause.ms, pause.cpuMs, memoryMB, peakMB, databaseMB, walMB]
  return [name, ...cells.map((cell) => (typeof cell === 'number' ? figure(cell) : cell))]
}
