import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type LabServer, startLabServer } from '../lab/lab-server.ts'
import { type RunningPushgateway, startPushgateway } from '../reporter/start-pushgateway.ts'
import { openTerminal, type Terminal } from './terminal.ts'

/** What a reader of the documents has before them: a copy of the repository, a server to check, and the cluster's names. */
export interface World extends AsyncDisposable {
  /** The copy of the repository, with a remote to push to. */
  readonly directory: string
  readonly terminal: Terminal
  readonly lab: LabServer
  readonly pushgateway: RunningPushgateway
  /** The cluster's own gitops-status-server, under the name that the documents use. */
  readonly serverUrl: string
}

export const CLUSTER = 'observability-stack.svc.cluster.local'
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
// The same programs start many times, and need not be compiled as often.
const COMPILED = { NODE_COMPILE_CACHE: join(ROOT, 'node_modules/.cache/compile') }
const ROLE = 'ansible/roles/rsyslog'

export async function makeWorld(): Promise<World> {
  const home = mkdtempSync(join(tmpdir(), 'gitops-status-docs-'))
  const directory = join(home, 'rsyslog')
  const lab = await startLabServer({ name: 'rsyslog-lab' })
  await rollOut(lab)
  const env = {
    PATH: `${join(home, 'stand-ins')}:${process.env.PATH}`,
    HOME: home,
    LC_ALL: 'C.UTF-8',
    ...COMPILED,
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_AUTHOR_NAME: 'reader',
    GIT_AUTHOR_EMAIL: 'reader@example.org',
    GIT_COMMITTER_NAME: 'reader',
    GIT_COMMITTER_EMAIL: 'reader@example.org',
    // Where the server is: a reader's own ssh config, as it were.
    ANSIBLE_SSH_COMMON_ARGS: `-F ${lab.sshConfig}`,
  }
  copyRepository(directory, lab, env)
  standInForKubectl(join(home, 'stand-ins'), join(home, 'server.log'))
  const server = await startClusterServer(home)
  const pushgateway = await startPushgateway({ address: '127.0.0.1:9091' })
  return {
    directory,
    terminal: openTerminal(directory, home, env),
    lab,
    pushgateway,
    serverUrl: `http://gitops-status-server.${CLUSTER}:80`,
    async [Symbol.asyncDispose]() {
      server.kill('SIGTERM')
      await once(server, 'exit')
      await pushgateway[Symbol.asyncDispose]()
      await lab.stop()
      rmSync(home, { recursive: true, force: true })
    },
  }
}

/** What a deploy leaves behind, without the seven seconds of one. The first check says whether it is the same. */
async function rollOut(lab: LabServer): Promise<void> {
  const files = execFileSync('ls', [join(ROOT, ROLE, 'files/rsyslog.d')], { encoding: 'utf8' }).split('\n')
  await lab.run('rm -rf /etc/rsyslog.d; mkdir -m 755 /etc/rsyslog.d')
  for (const file of files.filter((name) => name !== '')) {
    await lab.writeFile(`/etc/rsyslog.d/${file}`, readFileSync(join(ROOT, ROLE, 'files/rsyslog.d', file)))
  }
  const template = readFileSync(join(ROOT, ROLE, 'templates/rsyslog.conf.j2'), 'utf8')
  await lab.writeFile('/etc/rsyslog.conf', template.replaceAll('{{ rsyslog_directory }}', '/etc/rsyslog.d'))
  await lab.run('chmod 644 /etc/rsyslog.conf /etc/rsyslog.d/*')
}

const SITE = `- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.copy:
        src: ansible/roles/rsyslog/files/rsyslog.d/30-lab.conf
        dest: /etc/rsyslog.d/30-lab.conf
        mode: "0644"
`

/**
 * The repository as it lies here, changes included. Its history is one commit from before gitops-status-server, so that
 * there is something to push, and to go back to.
 */
function copyRepository(directory: string, lab: LabServer, env: NodeJS.ProcessEnv): void {
  const run = (file: string, ...args: string[]) => execFileSync(file, args, { cwd: directory, env, stdio: 'pipe' })
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  })
  for (const file of listed.split('\0').filter((name) => name !== '' && existsSync(join(ROOT, name)))) {
    mkdirSync(dirname(join(directory, file)), { recursive: true })
    cpSync(join(ROOT, file), join(directory, file), { verbatimSymlinks: true })
  }
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'))
  writeFileSync(join(directory, 'ansible/known_hosts'), lab.knownHosts)
  // A playbook and an inventory of the reader's own.
  writeFileSync(join(directory, 'site.yml'), SITE)
  cpSync(join(directory, 'ansible/inventory/hosts.yml'), join(directory, 'hosts.yml'))

  run('git', 'init', '--quiet', '--initial-branch=master')
  const changed = ['.woodpecker.yml', 'ansible/playbooks/drift-check.yml', 'update-gitops-status.sh']
  const now = changed.map((name) => readFileSync(join(directory, name)))
  for (const name of changed) writeFileSync(join(directory, name), '# as it was before\n')
  run('git', 'add', '--all')
  run('git', 'commit', '--quiet', '--message', 'before')
  for (const [index, name] of changed.entries()) writeFileSync(join(directory, name), now[index] ?? '')
  run('git', 'init', '--quiet', '--bare', '../origin.git')
  run('git', 'remote', 'add', 'origin', '../origin.git')
  run('git', 'push', '--quiet', '--set-upstream', 'origin', 'master')
}

/**
 * There is no cluster here. It takes only what the documents call, and shows the log of the real server as the
 * container's standard output would be shown.
 */
function standInForKubectl(directory: string, log: string): void {
  mkdirSync(directory)
  const script = `#!/bin/sh
case "$*" in
'logs -n observability-stack -l app=gitops-status-server') exec cat ${log} ;;
'logs -n observability-stack -l app=gitops-status-server -f') exec tail -f ${log} ;;
*) echo "kubectl $*: no document says this" >&2; exit 64 ;;
esac
`
  writeFileSync(join(directory, 'kubectl'), script, { mode: 0o755 })
}

async function startClusterServer(home: string): Promise<ChildProcess> {
  const log = join(home, 'server.log')
  const server = spawn(
    process.execPath,
    [join(ROOT, 'src/gitops-status-server.ts'), '--port', '80', '--database-url', `sqlite:${join(home, 'cluster.db')}`],
    { stdio: ['ignore', openSync(log, 'w'), 'inherit'], env: { ...process.env, ...COMPILED } },
  )
  while (!readFileSync(log, 'utf8').includes('ready at')) {
    if (server.exitCode !== null) throw new Error(`the server ended: ${readFileSync(log, 'utf8')}`)
    await wait(20)
  }
  return server
}
