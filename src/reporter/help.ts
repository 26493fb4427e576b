import { EXIT } from './exit-codes.ts'
import type { Flags } from './flags.ts'
import { INIT_FLAGS } from './init-settings.ts'
import { FLAGS } from './settings.ts'
import { WATCH_FLAGS } from './watch-settings.ts'
import { WOODPECKER_FLAGS } from './woodpecker-settings.ts'

export const COMMAND_HELP = {
  report: 'run the drift check and send its result to gitops-status-server',
  check: 'run the drift check and show its result; sends nothing',
  watch: 'watch the servers until it is ended, and report at once what changes on them',
  doctor: 'try everything that a report needs, and say what to do about what fails',
  init: 'write the files that a repository needs: pipeline, update-gitops-status.sh, drift check',
  woodpecker: 'setup: make the cron job in Woodpecker, and say what else is missing there',
} as const

export type CommandName = keyof typeof COMMAND_HELP

export type CheckCommandName = Exclude<CommandName, 'watch' | 'init' | 'woodpecker'>

const FLAGS_OF = {
  report: FLAGS,
  check: FLAGS,
  watch: WATCH_FLAGS,
  doctor: FLAGS,
  init: INIT_FLAGS,
  woodpecker: WOODPECKER_FLAGS,
} as const satisfies Record<CommandName, Flags>

const EXAMPLES = {
  report: [
    [
      'REPO_NAME=rsyslog GITOPS_STATUS_SERVER_URL=http://127.0.0.1:8080 gitops-status report',
      'every host of the inventory',
    ],
    ['SERVER_NAME=rsyslog-lab gitops-status report', 'only this one'],
    ['gitops-status report --dry-run', 'print what would be sent'],
  ],
  check: [
    ['gitops-status check', 'how do the servers differ from Git?'],
    ['gitops-status check --playbook site.yml --inventory hosts.ini', 'with a playbook of your own'],
    ['gitops-status check --fast', 'in a second, against a certified baseline'],
    ['gitops-status check --output json -- --forks 50', 'what follows -- goes to ansible-playbook'],
  ],
  watch: [
    ['gitops-status watch', 'a live table on a terminal, a line for each change elsewhere'],
    ['gitops-status watch --pull', 'with what is pushed meanwhile'],
  ],
  doctor: [['gitops-status doctor', 'what is missing for a report?']],
  init: [
    ['gitops-status init', 'asks for what it cannot see'],
    [
      'gitops-status init --ci woodpecker --server-url http://status.example.org --dry-run',
      'show what would be written',
    ],
  ],
  woodpecker: [
    [
      'WOODPECKER_SERVER=https://ci.example.org WOODPECKER_TOKEN=… gitops-status woodpecker setup',
      'the cron job gitops_sync_check, and which secrets are missing',
    ],
  ],
} as const satisfies Record<CommandName, readonly (readonly [string, string])[]>

const ENVIRONMENT = [
  ['GITOPS_STATUS_SERVER_URL', 'address of gitops-status-server'],
  ['REPO_NAME', 'name of this repository'],
  ['SERVER_NAME', 'report this host only; unset: every host of the inventory'],
  ['SSH_PRIVATE_KEY', 'key for the servers, held by an ssh-agent; unset: your own agent and ssh settings'],
  ['SSH_KNOWN_HOSTS', 'their host keys; or SSH_KNOWN_HOSTS_FILE; unset: ansible/known_hosts'],
  ['ANSIBLE_CONFIG', 'as for Ansible'],
  ['GITOPS_STATUS_DIFF_KEY', 'key of the fingerprints in differences; unset: made from SSH_PRIVATE_KEY'],
  ['GITOPS_STATUS_TOKEN', 'token for the server'],
  ['GITOPS_STATUS_BASELINE_KEY', 'seals the baselines of --fast; or …_KEY_FILE; unset: a key beside them'],
  ['GITOPS_STATUS_PUSHGATEWAY_AUTH', 'user:password for the Pushgateway; or …_AUTH_FILE'],
] as const

export function overview(): string {
  const examples = [EXAMPLES.check[0], EXAMPLES.report[0], EXAMPLES.report[2], EXAMPLES.doctor[0]]
  return [
    'gitops-status tells how servers that are managed with Ansible differ from Git.',
    '',
    'Examples:',
    ...examples.map(example),
    '',
    'Commands:',
    ...Object.entries(COMMAND_HELP).map(([name, help]) => row(name, help, 12)),
    row('help', 'show this, or the help of a command, or: help exit-codes, help environment', 12),
    row('version', 'show the version', 12),
  ].join('\n')
}

export function helpFor(command: CommandName): string {
  return [
    `gitops-status ${command}: ${COMMAND_HELP[command]}`,
    '',
    'Examples:',
    ...EXAMPLES[command].map(example),
    '',
    'Flags:',
    ...Object.entries<Flags[string]>(FLAGS_OF[command]).map(([name, flag]) => {
      const short = flag.short === undefined ? '' : `-${flag.short}, `
      const value = flag.value === undefined ? '' : ` ${flag.value}`
      return row(`${short}--${name}${value}`, flag.help, 26)
    }),
    '',
    ...closingOf(command),
  ].join('\n')
}

function closingOf(command: CommandName): string[] {
  if (command === 'init') return [row('Exit code 1', 'a file that differs was left as it was', 26)]
  if (command === 'woodpecker') {
    return [
      'Environment:',
      row('WOODPECKER_SERVER', 'address of Woodpecker', 26),
      row('WOODPECKER_TOKEN', 'token of a user who may push to the repository (Woodpecker: user settings)', 26),
      'WOODPECKER_TOKEN_FILE names a file that holds the token.',
      '',
      row('Exit code 1', 'something is missing, or could not be done', 26),
    ]
  }
  if (command === 'watch') return [environmentHelp(), '', row('Exit code 0', 'it was told to end', 26)]
  return [environmentHelp(), '', exitCodeHelp()]
}

export function environmentHelp(): string {
  return [
    'Environment:',
    ...ENVIRONMENT.map(([name, help]) => row(name, help, 26)),
    'SSH_PRIVATE_KEY_FILE and GITOPS_STATUS_TOKEN_FILE name files that hold the secret.',
  ].join('\n')
}

export function exitCodeHelp(): string {
  return [
    'Exit codes:',
    row(String(EXIT.ok), 'delivered (report) or found out (check): SYNCED or OUT_OF_SYNC', 4),
    row(String(EXIT.unknown), 'UNKNOWN for at least one server, also when that was delivered', 4),
    row(String(EXIT.drift), 'drift; only with --detailed-exitcode', 4),
    row(String(EXIT.notDelivered), 'not delivered', 4),
    row(String(EXIT.notPushed), 'delivered, but not pushed to the Pushgateway', 4),
    row(String(EXIT.usage), 'wrong usage or settings', 4),
    row(String(EXIT.busy), 'another run of the same check is under way', 4),
  ].join('\n')
}

function example([command, what]: readonly [string, string]): string {
  return `  ${command}\n      ${what}`
}

function row(name: string, help: string, width: number): string {
  return `  ${name.padEnd(width)} ${help}`
}
