import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { type Lab, startLab } from '../test/lab/lab-server.ts'
import type { Benchmark, Results, World } from './benchmark.ts'
import { liveCpuMs, memoryMB, processCount, wholeCpuMs } from './controllers/cpu.ts'
import type { Job, Looked } from './controllers/job.ts'
import { neverAbove } from './figures/goal.ts'
import { spreadTextOf, tableText } from './figures/markdown.ts'
import { spreadOf } from './figures/spread.ts'
import { runRounds, type Slot } from './rounds.ts'
import { endChild, endWithUs } from './servers/end-with-us.ts'

const OPTIONS = {
  rounds: { default: 5, about: 'rounds; in each, every fleet is looked at' },
  looks: { default: 11, about: 'looks over the connections that are open, in each round' },
  hosts: { default: 50, about: 'hosts of the largest fleet' },
  files: { default: 20, about: 'files on each of them' },
  'many-files': { default: 200, about: 'files on a host by itself' },
}
type Given = Readonly<Record<keyof typeof OPTIONS, number>>

/** How long it takes to see how the files of a whole fleet are, and what that costs on both sides. */
export const look: Benchmark<keyof typeof OPTIONS> = {
  about: 'one look at the files of many hosts over ssh: the first with start-up and connecting, and further ones',
  hasPeer: false,
  options: OPTIONS,
  run,
}

const MOST_WARM_MS = 700
const MOST_WARM_CPU_MS = 140
const MOST_COLD_MS = 9_000

interface Figure {
  readonly cold: Cost
  /** The median of the round's looks. */
  readonly warm: Cost
  readonly memoryMB: number
}

interface Cost {
  readonly wallMs: number
  readonly controllerMs: number
  readonly serversMs: number
}

interface Fleet {
  readonly hosts: number
  readonly files: number
}

async function run(given: Given, world: World): Promise<Results> {
  const directory = world.makeDirectory('look')
  const names = Array.from({ length: given.hosts }, (_, index) => `host-${index + 1}`)
  world.say(`${given.hosts} servers start`)
  await using lab = await startLab({ servers: names })
  await Promise.all(lab.servers.map(({ run }) => run(MAKE_FILES, { args: [String(given['many-files'])] })))
  const keyFile = join(directory, 'key')
  const knownHostsFile = join(directory, 'known_hosts')
  writeFileSync(keyFile, lab.privateKey, { mode: 0o600 })
  writeFileSync(knownHostsFile, lab.knownHosts)

  const sizes = [1, 10].filter((hosts) => hosts < given.hosts)
  const fleets: Fleet[] = [...sizes, given.hosts].map((hosts) => ({ hosts, files: given.files }))
  const slots = [...fleets, { hosts: 1, files: given['many-files'] }].flatMap((fleet) =>
    controllers().map(([controller, file, sshArgs]): Slot<Figure> => {
      const job = jobFor(lab, fleet, { keyFile, knownHostsFile, directory, sshArgs })
      return { name: nameOf(fleet, controller), measure: () => measure(file, job, lab, given.looks) }
    }),
  )
  const figures = await runRounds(given.rounds, slots, (round, name, { cold, warm }) =>
    world.say(`${round}: ${name}: first ${cold.wallMs.toFixed(0)} ms, further ${warm.wallMs.toFixed(1)} ms`),
  )

  const largest = figures.get(nameOf({ hosts: given.hosts, files: given.files }, OURS)) ?? []
  return {
    blocks: [METHOD, table(figures, 'first look', 'cold'), table(figures, 'further look', 'warm')],
    goals: [
      neverAbove(
        MOST_WARM_MS,
        'ms',
        'further look at the largest fleet',
        largest.map(({ warm }) => warm.wallMs),
      ),
      neverAbove(
        MOST_WARM_CPU_MS,
        'ms',
        "the controller's CPU for it",
        largest.map(({ warm }) => warm.controllerMs),
      ),
      neverAbove(
        MOST_COLD_MS,
        'ms',
        'first look at the largest fleet',
        largest.map(({ cold }) => cold.wallMs),
      ),
    ],
  }
}

// Of 4 kB each, no two alike.
const MAKE_FILES = `mkdir /etc/app; n=0
while [ $n -lt "$1" ]; do head -c 3000 /dev/urandom | base64 >/etc/app/$n.conf; n=$((n + 1)); done`

const OURS = 'OpenSSH'
const ANSIBLE_SSH_ARGS = '-C -o ControlMaster=auto -o ControlPersist=60s'

type Controller = readonly [name: string, file: string, sshArgs: string]

/** Who looks, side by side in the same rounds. */
function controllers(): Controller[] {
  const all: Controller[] = [
    [OURS, 'openssh.ts', ANSIBLE_SSH_ARGS],
    [`${OURS}, curve25519`, 'openssh.ts', `${ANSIBLE_SSH_ARGS} -o KexAlgorithms=curve25519-sha256`],
  ]
  return isInstalled('ssh2') ? [...all, ['ssh2, keys not checked', 'ssh2.ts', '']] : all
}

function isInstalled(name: string): boolean {
  try {
    return import.meta.resolve(name) !== ''
  } catch {
    return false
  }
}

function nameOf({ hosts, files }: Fleet, controller: string): string {
  return `${hosts} × ${files} files, ${controller}`
}

type Ways = Pick<Job, 'keyFile' | 'knownHostsFile' | 'directory' | 'sshArgs'>

function jobFor({ servers }: Lab, { hosts, files }: Fleet, ways: Ways): Job {
  return {
    ...ways,
    hosts: servers.slice(0, hosts).map(({ name, host, port }) => ({ name, host, port })),
    paths: Array.from({ length: files }, (_, n) => `/etc/app/${n}.conf`),
    listing: '/etc/app',
  }
}

async function measure(file: string, job: Job, lab: Lab, looks: number): Promise<Figure> {
  const servers = lab.servers.slice(0, job.hosts.length)
  const ofServers = (count: (pid: number) => number) => servers.reduce((sum, { pid }) => sum + count(pid), 0)

  const processes = ofServers(processCount)
  const serversBefore = ofServers(wholeCpuMs)
  const began = performance.now()
  const controller = start(file, job)
  const { pid } = controller
  const first = await controller.looked()
  const cold = {
    wallMs: performance.now() - began,
    controllerMs: liveCpuMs(pid),
    serversMs: ofServers(wholeCpuMs) - serversBefore,
  }

  const walls: number[] = []
  const [controllerBefore, servedBefore] = [liveCpuMs(pid), ofServers(liveCpuMs)]
  for (let n = 0; n < looks; n++) {
    const asked = performance.now()
    const { digest } = await controller.look()
    walls.push(performance.now() - asked)
    if (digest !== first.digest) throw new Error('a look saw something else, and nothing has changed')
  }
  const warm = {
    wallMs: spreadOf(walls)?.median ?? 0,
    controllerMs: (liveCpuMs(pid) - controllerBefore) / looks,
    serversMs: (ofServers(liveCpuMs) - servedBefore) / looks,
  }

  // What is fast must also see.
  await servers.at(-1)?.run('printf x >>/etc/app/0.conf')
  if ((await controller.look()).digest === first.digest) throw new Error('a look did not see an edit')
  const memory = memoryMB(pid)
  await controller.end()
  // What is still going away would cost the next one.
  while (ofServers(processCount) > processes) await wait(20)
  return { cold, warm, memoryMB: memory }
}

function start(file: string, job: Job) {
  const path = new URL(`controllers/${file}`, import.meta.url).pathname
  const child: ChildProcess = spawn(process.execPath, [path, JSON.stringify(job)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  endWithUs(child)
  if (child.stdout === null || child.pid === undefined) throw new Error(`${path} cannot be started`)
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  async function looked(): Promise<Looked> {
    const { value, done } = await lines.next()
    if (done) throw new Error(`${file} has ended`)
    const answer: Looked = JSON.parse(value)
    if (answer.failed.length > 0) throw new Error(answer.failed.join('\n'))
    return answer
  }
  return {
    pid: child.pid,
    looked,
    look(): Promise<Looked> {
      child.stdin?.write('\n')
      return looked()
    },
    async end() {
      child.stdin?.end()
      await endChild(child)
    },
  }
}

const METHOD = `Each figure: minimum / **median** / maximum of the rounds. The first look counts from the start of the controller, with connecting
and logging in; a further one goes over the connections that are open. Controller: CPU of its process and of every ssh below it. Servers:
CPU of all of them together. Both sides share this machine. Memory: of the controller and every ssh, what they share counted once.`

function table(figures: ReadonlyMap<string, readonly Figure[]>, what: string, which: 'cold' | 'warm'): string {
  return tableText({
    head: [what, 'wall ms', "controller's CPU ms", "servers' CPU ms", 'memory MB'],
    rows: [...figures].map(([name, rounds]) => [
      name,
      spreadTextOf(rounds.map((figure) => figure[which].wallMs)),
      spreadTextOf(rounds.map((figure) => figure[which].controllerMs)),
      spreadTextOf(rounds.map((figure) => figure[which].serversMs)),
      spreadTextOf(rounds.map((figure) => figure.memoryMB)),
    ]),
  })
}
