import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { pairsOf, type Stage, textsOf } from './dockerfile.ts'

export interface ImageRun {
  readonly root: string
  readonly stage: Stage
  /** The directory that is mounted where the server keeps its database. */
  readonly volume: string
  readonly env?: Readonly<Record<string, string>>
  /** Instead of the ENTRYPOINT. */
  readonly command?: readonly string[]
  /** What else is mounted, and where; it can be read only. */
  readonly mounts?: Readonly<Record<string, string>>
}

/**
 * The command by which the image is run: its own environment, directory and user, as process 1, on a root that it cannot
 * write, with a /tmp and one volume.
 */
export function commandOf({ root, stage, volume, env = {}, command, mounts = {} }: ImageRun): readonly string[] {
  const workdir = textsOf(stage, 'WORKDIR').at(-1) ?? '/'
  const [uid = ''] = (textsOf(stage, 'USER').at(-1) ?? '').split(':')
  const places = Object.entries(mounts)
  for (const place of ['/proc', '/dev', '/tmp', ...places.map(([, to]) => to)]) {
    mkdirSync(join(root, place), { recursive: true })
  }
  const variables = Object.entries({ ...pairsOf(stage, 'ENV'), ...env })
  return [
    // The real user where there is a right to change it, since that is what the files are compared with.
    ...(isRoot() ? ['setpriv', '--reuid', uid, '--regid', uid, '--clear-groups'] : []),
    ...[
      'bwrap',
      '--ro-bind',
      root,
      '/',
      '--bind',
      volume,
      workdir,
      '--proc',
      '/proc',
      '--dev',
      '/dev',
      '--tmpfs',
      '/tmp',
    ],
    ...places.flatMap(([from, to]) => ['--ro-bind', from, to]),
    ...['--unshare-user', '--uid', uid, '--gid', uid, '--unshare-pid', '--as-pid-1', '--die-with-parent', '--clearenv'],
    ...variables.flatMap(([name, value]) => ['--setenv', name, value]),
    ...['--chdir', workdir, ...(command ?? JSON.parse(textsOf(stage, 'ENTRYPOINT').at(-1) ?? '[]'))],
  ]
}

export function isRoot(): boolean {
  return process.getuid?.() === 0
}

/** Starts it as an engine would, but on loopback and on a free port, since its network is this machine's. */
export async function runImage(image: Pick<ImageRun, 'root' | 'stage' | 'volume'>) {
  const env = { GITOPS_STATUS_HOST: '127.0.0.1', GITOPS_STATUS_PORT: '0', GITOPS_STATUS_SHUTDOWN_WAIT: '0' }
  const [program = '', ...args] = withInfo(commandOf({ ...image, env }))
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit', 'pipe'] })
  const exited = once(child, 'exit')
  const url = await readyAt(child)
  const info = JSON.parse(await text(child.stdio[3] as NodeJS.ReadableStream))
  return {
    url,
    /** As process 1 it gets a signal only if it listens to it. */
    async stop() {
      process.kill(info['child-pid'], 'SIGTERM')
      const [code] = await exited
      return code
    },
  }
}

/** bwrap then says on descriptor 3 which process is the server. */
function withInfo(command: readonly string[]): readonly string[] {
  const at = command.indexOf('bwrap') + 1
  return command.toSpliced(at, 0, '--info-fd', '3')
}

async function readyAt(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.on('exit', (code) => reject(new Error(`It ended with ${code} before it was ready`)))
    if (child.stdout === null) return reject(new Error('Its output is not read'))
    createInterface({ input: child.stdout }).on('line', (line) => {
      const found = /ready at (http:[^"\s]+)/.exec(line)?.[1]
      if (found !== undefined) resolve(found)
    })
  })
}
