import { execFileSync, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Lab, startLab } from '../test/lab/lab-server.ts'
import { createEventReader } from '../test/server/event-reader.ts'
import type { Benchmark, Results, World } from './benchmark.ts'
import { liveCpuMs, processCount } from './controllers/cpu.ts'
import { neverAbove } from './figures/goal.ts'
import { tableText } from './figures/markdown.ts'
import { endChild, endWithUs } from './servers/end-with-us.ts'
import { startGitopsStatusServer } from './servers/gitops-status-server.ts'

const OPTIONS = {
  hosts: { default: 50, about: 'hosts that are watched' },
  files: { default: 1, about: 'files on each of them' },
  edits: {
    default: 200,
    about: 'edits, one after the other over all hosts, each second one of a host undoes the first',
  },
  'without-bell': { default: 100, about: 'the same where the hosts have no inotify' },
  idle: { default: 30, about: 'seconds in which nothing happens' },
}
type Given = Readonly<Record<keyof typeof OPTIONS, number>>

/** How long it takes from an edit on a server until whoever follows the events hears of it. */
export const watch: Benchmark<keyof typeof OPTIONS> = {
  about:
    "gitops-status watch: from write(2) on a server to the event in the status server's stream, and what it costs idle",
  hasPeer: false,
  options: OPTIONS,
  run,
}

const CLI = fileURLToPath(new URL('../bin/gitops-status', import.meta.url))
const CERTIFY_MS = 30 * 60_000
const EVENT_MS = 60_000

async function run(given: Given, world: World): Promise<Results> {
  const names = Array.from({ length: given.hosts }, (_, index) => `host-${index + 1}`)
  world.say(`${given.hosts} servers start`)
  await using lab = await startLab({ servers: names })
  await Promise.all(lab.servers.map(({ run }) => run(MAKE_FILES, { args: [String(given.files)] })))
  const directory = world.makeDirectory('watch')
  makeRepository(directory, names, given.files)
  const server = await startGitopsStatusServer({ directory: world.makeDirectory('server') })
  const events = await followEvents(`http://127.0.0.1:${server.port}`)
  const surroundings = { lab, port: server.port }

  const began = performance.now()
  const withBell = startWatch(directory, surroundings)
  const isCertified = ({ watched }: Row) => watched === given.files
  await within(CERTIFY_MS, Promise.all(names.map((name) => events.until(name, isCertified))))
  world.say(`certified after ${((performance.now() - began) / 1_000).toFixed(0)} s`)
  await allWatching(lab)
  const idle = await idleCosts(withBell, lab, given.idle)
  const heard = await edit(given.edits, given, { lab, events })
  await withBell.end()

  // As on a host whose Python has no ctypes: the agent says so, and each second's look stands in.
  await Promise.all(lab.servers.map(({ run }) => run('rm /usr/lib/python3*/lib-dynload/_ctypes.*')))
  await Promise.all(lab.servers.map(({ run }) => run(MAKE_FILES, { args: [String(given.files)] })))
  const withoutBell = startWatch(directory, surroundings)
  await allWatching(lab)
  const idleWithout = await idleCosts(withoutBell, lab, given.idle)
  const seen = await edit(given['without-bell'], given, { lab, events })
  await withoutBell.end()
  await server.end()
  events.close()

  return {
    blocks: [
      METHOD,
      tableText({
        head: ['', 'p50 ms', 'p95 ms', 'longest ms', 'edits', 'controller idle', 'a host idle'],
        rows: [
          ['with inotify', ...quantilesOf(heard), percent(idle.controller), percent(idle.host)],
          ['without', ...quantilesOf(seen), percent(idleWithout.controller), percent(idleWithout.host)],
        ],
      }),
    ],
    goals: [
      neverAbove(100, 'ms', 'from write(2) to the event, p50', [quantile(heard, 0.5)]),
      neverAbove(500, 'ms', 'the same, p95', [quantile(heard, 0.95)]),
      neverAbove(1_500, 'ms', 'without inotify, p95', [quantile(seen, 0.95)]),
      neverAbove(10, '% of a core', 'the controller, idle', [idle.controller]),
      neverAbove(2, '% of a core', 'a host, idle', [idle.host]),
    ],
  }
}

const METHOD = `From just before the write to the arrival of the event at a client of the status server, one edit after the other; each second edit of
a host undoes the first. Ansible, which confirms drift meanwhile, runs at the lowest priority (nice 19): here controller, servers and status
server share one machine. Idle: CPU of the watch and every ssh below it, and the mean of what runs on a host, in percent of one core.`

const MAKE_FILES = `mkdir -p /etc/app; n=0
while [ $n -lt "$1" ]; do echo v=1 >/etc/app/$n.conf; chmod 644 /etc/app/$n.conf; n=$((n + 1)); done`

function makeRepository(directory: string, names: readonly string[], files: number): void {
  const tasks = Array.from(
    { length: files },
    (_, n) => `    - ansible.builtin.copy: {content: "v=1\\n", dest: /etc/app/${n}.conf, mode: "0644"}`,
  )
  writeFileSync(
    join(directory, 'site.yml'),
    ['- hosts: all', '  gather_facts: false', '  tasks:', ...tasks, ''].join('\n'),
  )
  writeFileSync(join(directory, 'hosts'), `${names.join('\n')}\n`)
  const found = execFileSync('sh', ['-c', 'command -v ansible-playbook'], { encoding: 'utf8' }).trim()
  mkdirSync(join(directory, 'bin'))
  writeFileSync(join(directory, 'bin/ansible-playbook'), `#!/bin/sh\nexec nice -n 19 ${found} "$@"\n`, { mode: 0o755 })
  const git = (...args: string[]) => execFileSync('git', args, { cwd: directory })
  git('init', '-q')
  git('add', '-A')
  git('-c', 'user.name=x', '-c', 'user.email=x@example.org', 'commit', '-qm', 'x')
}

interface Surroundings {
  readonly lab: Lab
  readonly port: number
}

function startWatch(directory: string, { lab, port }: Surroundings) {
  const state = `${directory}-state`
  mkdirSync(state, { recursive: true })
  const output = openSync(join(state, 'log'), 'a')
  const args = ['watch', '--playbook', 'site.yml', '--inventory', 'hosts', '--', '--forks', '20']
  const child = spawn(CLI, args, {
    cwd: directory,
    env: {
      PATH: `${directory}/bin:${process.env.PATH}`,
      HOME: state,
      GITOPS_STATUS_SERVER_URL: `http://127.0.0.1:${port}`,
      GITOPS_STATUS_STATE_DIR: join(state, 'baselines'),
      REPO_NAME: 'app',
      SSH_PRIVATE_KEY: lab.privateKey,
      SSH_KNOWN_HOSTS: lab.knownHosts,
      ANSIBLE_SSH_COMMON_ARGS: `-F ${lab.sshConfigForAgent}`,
      ANSIBLE_PIPELINING: 'true',
    },
    stdio: ['ignore', output, output],
  })
  closeSync(output)
  endWithUs(child)
  const { pid } = child
  if (pid === undefined) throw new Error(`${CLI} cannot be started`)
  return { pid, end: () => endChild(child) }
}

/** An agent on each host, and no Ansible. */
async function allWatching(lab: Lab): Promise<void> {
  for (const { run } of lab.servers) while (!(await run(IS_WATCHED)).stdout.includes('1')) await wait(200)
  await wait(SETTLE_MS)
}

// Connections that Ansible leaves open end after a minute; what they cost is nothing.
const SETTLE_MS = 5_000
const IS_WATCHED = `grep -lz 'io[.]BufferedReader(io.FileIO' /proc/[0-9]*/cmdline >/dev/null && echo 1`

/** Ansible's second round may go on: what ends meanwhile takes its CPU with it, so that this is measured again. */
async function idleCosts({ pid }: { readonly pid: number }, { servers }: Lab, seconds: number) {
  const ofServers = (count: (pid: number) => number) => servers.reduce((sum, { pid }) => sum + count(pid), 0)
  const processes = () => processCount(pid) + ofServers(processCount)
  for (;;) {
    const before = { processes: processes(), controller: liveCpuMs(pid), hosts: ofServers(liveCpuMs) }
    await wait(seconds * 1_000)
    const [controller, hosts] = [liveCpuMs(pid) - before.controller, ofServers(liveCpuMs) - before.hosts]
    if (processes() !== before.processes) continue
    const percentOf = (ms: number) => ms / (seconds * 10)
    return { controller: percentOf(controller), host: percentOf(hosts) / servers.length }
  }
}

async function edit(
  edits: number,
  { hosts, files }: Given,
  { lab, events }: { readonly lab: Lab; readonly events: Awaited<ReturnType<typeof followEvents>> },
): Promise<number[]> {
  const took: number[] = []
  for (let n = 0; n < edits; n++) {
    const server = lab.servers[n % hosts]
    const round = Math.floor(n / hosts)
    const isUndone = round % 2 === 1
    const file = `/etc/app/${Math.floor(round / 2) % files}.conf`
    if (server === undefined) break
    events.forget(server.name)
    const wrote = server.run('date +%s%N; echo "$1" >"$2"', { args: [isUndone ? 'v=1' : 'v=2', file] })
    const wanted = isUndone ? 'SYNCED' : 'OUT_OF_SYNC'
    const heardAt = await within(
      EVENT_MS,
      events.until(server.name, ({ sync_status }) => sync_status === wanted),
    )
    took.push(heardAt - Number((await wrote).stdout.trim()) / 1e6)
  }
  return took
}

interface Row {
  readonly server: string
  readonly sync_status: string
  readonly watched: number | null
}

/** The rows of the event stream as they come, and when. */
async function followEvents(url: string) {
  const abort = new AbortController()
  const newest = new Map<string, { row: Row; atMs: number }>()
  let heard = () => {}
  const response = await fetch(`${url}/api/v1/events`, { signal: abort.signal })
  const read = createEventReader()
  const following = (async () => {
    const decoder = new TextDecoder()
    for await (const chunk of response.body ?? []) {
      const atMs = performance.timeOrigin + performance.now()
      for (const { event, data } of read(decoder.decode(chunk, { stream: true })))
        if (event === 'target') newest.set(data.server, { row: data, atMs })
      heard()
    }
  })().catch(() => {})
  return {
    forget: (server: string) => void newest.delete(server),
    async until(server: string, isWanted: (row: Row) => boolean): Promise<number> {
      for (;;) {
        const found = newest.get(server)
        if (found !== undefined && isWanted(found.row)) return found.atMs
        await new Promise<void>((resolve) => {
          const before = heard
          heard = () => {
            heard = before
            before()
            resolve()
          }
        })
      }
    },
    close() {
      abort.abort()
      return following
    },
  }
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing came within ${ms / 1_000} s`)), ms)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}

function quantilesOf(values: readonly number[]): string[] {
  return [...[0.5, 0.95, 1].map((part) => quantile(values, part).toFixed(0)), String(values.length)]
}

function percent(value: number): string {
  return `${value.toPrecision(2)} %`
}
