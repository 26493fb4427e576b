// Installs the Debian packages that the lab and the tests need. It runs before anything
// else of this project, so it uses Node's own modules only.
import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The tests use the lab, so they need its tools as well. */
export type Purpose = 'lab' | 'test'

export interface Tool {
  readonly command: string
  readonly package: string
  readonly neededFor: Purpose
  /** The systemd units that the package would start, now and at every boot. */
  readonly units?: readonly string[]
}

export const TOOLS: readonly Tool[] = [
  { command: 'ansible-playbook', package: 'ansible-core', neededFor: 'lab' },
  { command: 'ssh', package: 'openssh-client', neededFor: 'lab' },
  { command: 'sshd', package: 'openssh-server', neededFor: 'lab', units: ['ssh.service', 'ssh.socket'] },
  { command: 'rsyslogd', package: 'rsyslog', neededFor: 'lab', units: ['rsyslog.service'] },
  { command: 'curl', package: 'curl', neededFor: 'test' },
  { command: 'faketime', package: 'faketime', neededFor: 'test' },
  { command: 'strace', package: 'strace', neededFor: 'test' },
  // A login shell with words of its own.
  { command: 'tcsh', package: 'tcsh', neededFor: 'test' },
  { command: 'shellcheck', package: 'shellcheck', neededFor: 'test' },
  // Steps of the Dockerfile are done, and the image is run, below an empty root.
  { command: 'bwrap', package: 'bubblewrap', neededFor: 'test' },
  // systemd itself is started nowhere.
  { command: 'systemd-analyze', package: 'systemd', neededFor: 'test' },
  { command: 'chromium', package: 'chromium', neededFor: 'test' },
  { command: 'promtool', package: 'prometheus', neededFor: 'test', units: ['prometheus.service'] },
  {
    command: 'prometheus-pushgateway',
    package: 'prometheus-pushgateway',
    neededFor: 'test',
    units: ['prometheus-pushgateway.service'],
  },
  // The programs themselves are in no path. The tests start a cluster of their own and none of the package's.
  { command: 'pg_ctlcluster', package: 'postgresql', neededFor: 'test', units: ['postgresql.service'] },
]

// Daemons live where only root's path leads.
const DAEMON_PATHS = ['/usr/local/sbin', '/usr/sbin', '/sbin']

/**
 * Installs what is missing, or says how to. Throws where there is no going on: for the lab,
 * and in CI, which allows no skipped test.
 */
export function installTools(purpose: Purpose): void {
  const missing = missingTools(purpose)
  if (missing.length === 0) return
  const isDebian = hasCommand('apt-get')
  const failure = isDebian && process.getuid?.() === 0 ? install(missing) : undefined
  const stillMissing = missingTools(purpose)
  if (stillMissing.length === 0) return

  const commands = stillMissing.map(({ command }) => command).join(', ')
  const packages = stillMissing.map((tool) => tool.package)
  const remedy = isDebian
    ? `Run this once: sudo apt-get install -y --no-install-recommends ${packages.join(' ')}`
    : `This is not Debian; install what is called there ${packages.join(', ')}.`
  const message = [...(failure ? [failure] : []), `Missing: ${commands}.`, remedy].join('\n')
  if (purpose === 'lab' || process.env.CI === 'true') throw new Error(message)
  console.error(`${message}\nUntil then, tests that need ${commands} are skipped.`)
}

export function missingTools(purpose: Purpose): readonly Tool[] {
  return TOOLS.filter((tool) => (purpose === 'test' || tool.neededFor === 'lab') && !hasCommand(tool.command))
}

function hasCommand(command: string) {
  const directories = [...(process.env.PATH ?? '').split(delimiter), ...DAEMON_PATHS]
  return directories.some((directory) => isExecutable(join(directory, command)))
}

function isExecutable(path: string) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

// A shell keeps the order of clean-up even when Ctrl-C ends us at once. The policy that
// stops packages from starting their daemons is ours where it says so, even if a crash
// left it; somebody else's stays as it is. `disable` is for the next boot.
const INSTALL = `
set -eu
policy=/usr/sbin/policy-rc.d
clean_up() { ! grep -qs 'gitops-status lab' "$policy" || rm -f "$policy"; }
trap clean_up EXIT
trap 'exit 130' HUP INT TERM
[ -e "$policy" ] || {
  printf '%s\\n' '#!/bin/sh' '# gitops-status lab: installed daemons must not start' 'exit 101' >"$policy"
  chmod 0755 "$policy"
}
export DEBIAN_FRONTEND=noninteractive
apt-get -qq -o DPkg::Lock::Timeout=300 update
apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends $PACKAGES
! command -v systemctl >/dev/null || for unit in $UNITS; do systemctl disable "$unit" || :; done
`

/** Returns what went wrong, if anything did. */
function install(tools: readonly Tool[]) {
  const packages = tools.map((tool) => tool.package).join(' ')
  console.error(`Installing ${packages} ...`)
  const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', INSTALL], {
    encoding: 'utf8',
    env: { ...process.env, PACKAGES: packages, UNITS: tools.flatMap(({ units = [] }) => units).join(' ') },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return status === 0 ? undefined : `${stdout}${stderr}apt-get could not install ${packages}.`
}

if (import.meta.main) {
  try {
    installTools('test')
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
