import { spawnSync } from 'node:child_process'
import { chownSync, cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { type Stage, theStage } from './dockerfile.ts'
import { isRoot } from './run-image.ts'

const ROOT = new URL('../../', import.meta.url).pathname

/** Programs and libraries of this machine, which stand in for those of the base image. */
const SYSTEM = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32', '/etc'].filter(existsSync)

/** Node as the base image has it. */
const NODE = process.execPath

/**
 * Does what an engine would do to build a stage and those that it copies from, by the Dockerfile's own lines, in empty
 * directories below `directory`. Returns the one that becomes the root.
 */
export function replayStage(stages: readonly Stage[], name: string, directory: string): string {
  const stage = theStage(stages, name)
  const root = join(directory, name)
  if (existsSync(root)) return root
  mkdirSync(root)
  let workdir = '/'
  for (const { keyword, flags, text } of stage.instructions) {
    if (keyword === 'WORKDIR') {
      workdir = text
      mkdirSync(join(root, workdir), { recursive: true })
    } else if (keyword === 'COPY') {
      const from = flags.from === undefined ? ROOT : replayStage(stages, flags.from, directory)
      copy(from, root, workdir, text.split(/\s+/), flags.chown)
    } else if (keyword === 'RUN') {
      runStep(root, workdir, text)
    }
  }
  return root
}

function copy(from: string, root: string, workdir: string, paths: readonly string[], owner: string | undefined): void {
  const to = paths.at(-1) ?? ''
  const target = join(root, to.startsWith('/') ? '' : workdir, to)
  for (const path of paths.slice(0, -1)) {
    const source = join(from, path)
    const isDirectory = spawnSync('test', ['-d', source]).status === 0
    const destination = isDirectory || !/[/.]$/.test(to) ? target : join(target, basename(path))
    mkdirSync(dirname(destination), { recursive: true })
    cpSync(source, destination, {
      recursive: true,
      verbatimSymlinks: true,
      filter: from === ROOT ? isSent : () => true,
    })
    // Engines do it for what they copy. Only root can, and only then the server runs as another user here.
    if (owner !== undefined && isRoot()) chownAll(source, destination, Number(owner.split(':')[0]))
  }
}

function chownAll(source: string, destination: string, uid: number): void {
  const { stdout } = spawnSync('find', ['.', '-mindepth', '1', '-print0'], { cwd: source, encoding: 'utf8' })
  for (const path of stdout.split('\0').filter(Boolean)) chownSync(join(destination, path), uid, uid)
}

/** Whether .dockerignore lets the file through to the builder. */
function isSent(path: string): boolean {
  return !/(\.test\.ts|__pycache__)$/.test(path)
}

/** The paths that .dockerignore lets through. */
export function sentPaths(): readonly string[] {
  const lines = readFileSync(join(ROOT, '.dockerignore'), 'utf8').split('\n')
  return lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1))
}

function runStep(root: string, workdir: string, command: string): void {
  const npmrc = join(homedir(), '.npmrc')
  const cache = spawnSync('npm', ['config', 'get', 'cache'], { encoding: 'utf8' }).stdout.trim()
  mkdirSync(cache, { recursive: true })
  const { status, stdout, stderr } = spawnSync(
    'bwrap',
    [
      ...['--bind', root, '/', ...SYSTEM.flatMap((path) => ['--ro-bind', path, path])],
      ...['--dir', '/npm-home', '--ro-bind-try', npmrc, '/npm-home/.npmrc', '--bind', cache, '/npm-cache'],
      ...['--ro-bind', dirname(NODE), '/node', '--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp'],
      ...['--unshare-user', '--unshare-pid', '--uid', '0', '--gid', '0', '--die-with-parent', '--chdir', workdir],
      ...['--setenv', 'PATH', `/node:${process.env.PATH}`, '--setenv', 'HOME', '/npm-home'],
      ...[
        '--setenv',
        'npm_config_cache',
        '/npm-cache',
        '--setenv',
        'npm_config_prefer_offline',
        'true',
        '/bin/sh',
        '-c',
        command,
      ],
    ],
    { encoding: 'utf8', timeout: 120_000, env: withoutNpm(process.env) },
  )
  if (status !== 0) throw new Error(`RUN ${command}\n${stdout}${stderr}`)
}

/** `npm test` tells npm below it about the project that it runs in; an engine knows nothing of that. */
function withoutNpm(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^(npm_|INIT_CWD|NODE)/.test(name)))
}
