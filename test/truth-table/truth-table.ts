import type { CheckErrorCode } from '../../src/drift/check-error.ts'
import type { Answer } from '../reporter/check-run.ts'
import { afterAnsibleStarted, fullDisk, killAnsible } from './provoke.ts'

/** Servers of the lab that the rows share: each is in its state before the first row, and stays in it. */
export const SERVERS = ['web1', 'web2', 'web3', 'refusing', 'hanging', 'rekeyed', 'without-python'] as const

export interface Row {
  readonly name: string
  /** `null`: there is no report. */
  readonly expected: CheckErrorCode | 'OUT_OF_SYNC' | null
  /** Other than 1, which means UNKNOWN, and 0 for OUT_OF_SYNC. */
  readonly exitCode?: number
  /** Hosts of the inventory; all of them must end as expected, but those of `otherHosts`. */
  readonly hosts?: readonly (typeof SERVERS)[number][]
  readonly otherHosts?: Readonly<Partial<Record<(typeof SERVERS)[number], CheckErrorCode | 'SYNCED'>>>
  /** Of the repository, over those that make a clean run; null leaves one out. */
  readonly files?: Readonly<Record<string, string | null>>
  readonly args?: readonly string[]
  /** null takes a variable away. */
  readonly env?: Readonly<Record<string, string | null>>
  readonly answer?: Answer
  /** What happens to the run from outside. */
  readonly meanwhile?: (pid: number) => Promise<void>
  /** What must be there for the run only; gives variables for its environment. */
  readonly surroundings?: () => { readonly env: Readonly<Record<string, string>> } & Disposable
  readonly needsRoot?: boolean
}

// Check mode skips a command, but for this.
const SLOW = '    - ansible.builtin.command: sleep 300\n      check_mode: false\n      changed_when: false\n'
const FAIL = '    - name: Fail\n      ansible.builtin.fail: { msg: broken }\n'
const VAULT = '$ANSIBLE_VAULT;1.1;AES256\n6162\n'

/** Writes /etc/app.conf as it is on a clean server; then the further tasks. */
export function playbook({ tasks = '', play = '' }: { tasks?: string; play?: string } = {}): Record<string, string> {
  return { 'site.yml': `- hosts: all\n  gather_facts: false\n${play}  tasks:\n${COPY}${tasks}` }
}

const COPY = `    - name: Write app.conf
      ansible.builtin.copy: { content: "v=1\\n", dest: /etc/app.conf, mode: "0644" }
`
const only = (tasks: string) => ({ 'site.yml': `- hosts: all\n  gather_facts: false\n  tasks:\n${tasks}` })

/**
 * Everything that keeps a check from a finding, and how to provoke it with the real program, real Ansible and real
 * servers. Rows about our own derivation alone are in src/drift/judge.test.ts, on recorded evidence.
 */
export const TRUTH_TABLE: readonly Row[] = [
  // The server
  { name: 'the server refuses connections', hosts: ['refusing'], expected: 'unreachable' },
  { name: 'the server hangs', hosts: ['hanging'], expected: 'unreachable' },
  { name: 'the server does not know the SSH key', env: { SSH_PRIVATE_KEY: null }, expected: 'auth_failed' },
  { name: 'the SSH key is none', env: { SSH_PRIVATE_KEY: 'no key' }, expected: 'ssh_key_invalid' },
  { name: 'the server shows another host key', hosts: ['rekeyed'], expected: 'host_key_changed' },
  { name: 'no host key is known', env: { SSH_KNOWN_HOSTS: null }, expected: 'host_key_unknown' },
  { name: 'the server has no Python', hosts: ['without-python'], expected: 'python_missing' },
  {
    name: "the server's directory for temporary files is not writable",
    env: { ANSIBLE_REMOTE_TEMP: '/proc/nowhere' },
    expected: 'unreachable',
  },
  {
    name: "the server's disk is full",
    env: { ANSIBLE_REMOTE_TEMP: '/run/full', ANSIBLE_SSH_TRANSFER_METHOD: 'piped' },
    expected: 'disk_full',
  },
  {
    name: 'becoming root fails',
    files: playbook({ play: '  become: true\n  become_method: ansible.builtin.sudo\n' }),
    expected: 'become_failed',
  },
  {
    name: 'one of three servers is down',
    hosts: ['web1', 'refusing', 'web2'],
    otherHosts: { web1: 'SYNCED', web2: 'SYNCED' },
    expected: 'unreachable',
  },
  {
    name: 'one of three servers is down, and any error is fatal',
    hosts: ['web1', 'refusing', 'web2'],
    files: playbook({ play: '  any_errors_fatal: true\n' }),
    otherHosts: { refusing: 'unreachable' },
    expected: 'run_cut_short',
  },
  {
    name: 'the first of three servers in a series is down',
    hosts: ['refusing', 'web1', 'web2'],
    files: playbook({ play: '  serial: 1\n' }),
    otherHosts: { refusing: 'unreachable' },
    expected: 'run_cut_short',
  },
  {
    name: 'the playbook ignores that the server is down',
    hosts: ['refusing'],
    files: playbook({ play: '  ignore_unreachable: true\n' }),
    expected: 'unreachable',
  },

  // The inventory
  { name: 'the inventory is missing', files: { 'hosts.yml': null }, expected: 'inventory_missing' },
  { name: 'the inventory is broken', files: { 'hosts.yml': 'all: [\n' }, expected: 'inventory_invalid' },
  {
    name: 'the inventory has an empty group only',
    files: { 'hosts.yml': 'all:\n  children:\n    web:\n      hosts:\n' },
    expected: 'inventory_empty',
  },
  { name: 'the server is not in the inventory', env: { SERVER_NAME: 'web9' }, expected: 'host_not_in_inventory' },
  { name: 'the inventory is encrypted', files: { 'group_vars/all.yml': VAULT }, expected: 'vault_password_missing' },
  { name: 'the play is for other hosts', args: ['--', '--limit', 'localhost'], expected: 'host_not_in_run' },

  // The playbook
  { name: 'the playbook is missing', files: { 'site.yml': null }, expected: 'playbook_missing' },
  {
    name: 'the playbook is no YAML',
    files: { 'site.yml': '- hosts: all\n  tasks: [\n' },
    expected: 'playbook_invalid',
  },
  { name: 'the playbook has a syntax error', files: playbook({ play: '  taskz: []\n' }), expected: 'playbook_invalid' },
  { name: 'a module is unknown', files: playbook({ tasks: '    - no_such_module: {}\n' }), expected: 'unknown_module' },
  { name: 'a tag is mistyped', args: ['--', '--tags', 'rsylog'], expected: 'nothing_verified' },
  { name: 'all tasks are skipped', files: only(`${COPY}      when: false\n`), expected: 'nothing_verified' },
  {
    name: 'the only task is a command',
    files: only('    - ansible.builtin.command: ls\n'),
    expected: 'nothing_verified',
  },
  { name: 'a task fails', files: playbook({ tasks: FAIL }), expected: 'task_failed' },
  {
    name: 'a task fails, and that is ignored',
    files: playbook({ tasks: `${FAIL}      ignore_errors: true\n` }),
    expected: 'task_failed_ignored',
  },
  {
    name: 'a task fails, and is rescued',
    files: playbook({
      tasks: '    - block:\n        - ansible.builtin.fail:\n      rescue:\n        - ansible.builtin.debug:\n',
    }),
    expected: 'task_failed_ignored',
  },
  {
    name: 'a task fails, and failed_when says that it does not',
    files: playbook({
      tasks: '    - ansible.builtin.lineinfile: { path: /no/such/file, line: x }\n      failed_when: false\n',
    }),
    expected: 'task_failed_ignored',
  },
  {
    name: 'a task that hides its output fails',
    files: playbook({ tasks: `${FAIL}      no_log: true\n      ignore_errors: true\n` }),
    expected: 'task_failed_ignored',
  },
  {
    name: 'a value is encrypted, and there is no password',
    files: { ...playbook({ play: '  vars_files: [secret.yml]\n' }), 'secret.yml': VAULT },
    expected: 'vault_password_missing',
  },
  {
    name: 'a play says that it is no check',
    files: playbook({ play: '  check_mode: false\n' }),
    // The callback plugin keeps silent in a run that is no drift check.
    expected: 'not_a_check',
  },

  // The run
  { name: 'the check takes too long', files: playbook({ tasks: SLOW }), args: ['--timeout', '4'], expected: 'timeout' },
  {
    name: 'SIGINT',
    files: playbook({ tasks: SLOW }),
    meanwhile: afterAnsibleStarted((pid) => process.kill(pid, 'SIGINT')),
    expected: 'interrupted',
  },
  {
    name: 'SIGTERM',
    files: playbook({ tasks: SLOW }),
    meanwhile: afterAnsibleStarted((pid) => process.kill(pid, 'SIGTERM')),
    expected: 'interrupted',
  },
  {
    name: 'Ansible is killed',
    files: playbook({ tasks: SLOW }),
    meanwhile: killAnsible('SIGKILL'),
    expected: 'ansible_killed',
  },
  {
    name: 'Ansible is interrupted by somebody else',
    files: playbook({ tasks: SLOW }),
    meanwhile: killAnsible('SIGINT'),
    expected: 'result_missing',
  },
  {
    name: 'Ansible is not installed',
    files: Object.fromEntries(
      ['readlink', 'dirname'].map((tool) => [`bin/${tool}`, `#!/bin/sh\nexec /usr/bin/${tool} "$@"\n`]),
    ),
    env: { PATH: './bin' },
    expected: 'ansible_missing',
  },
  {
    name: 'there is no ssh-agent',
    files: { 'bin/ssh-agent': '#!/bin/sh\nexit 1\n' },
    env: { PATH: `./bin:${process.env.PATH}` },
    expected: 'ssh_agent_failed',
  },
  {
    name: 'Ansible says that all went well and did nothing',
    files: { 'bin/ansible-playbook': '#!/bin/sh\nprintf "DRIFTED_FILES=\\nSYNC_STATUS=SYNCED\\n"\n' },
    env: { PATH: `./bin:${process.env.PATH}` },
    expected: 'result_missing',
  },
  {
    name: 'Ansible crashes after it wrote its result',
    files: { 'bin/ansible-playbook': `#!/bin/sh\n/usr/bin/ansible-playbook "$@"\nexit 250\n` },
    env: { PATH: `./bin:${process.env.PATH}` },
    expected: 'run_failed',
  },
  {
    name: 'a result of another run lies where the result is due',
    files: {
      'bin/ansible-playbook': `#!/bin/sh\necho '${staleResult()}' > "$GITOPS_STATUS_RESULT_FILE"\n`,
    },
    env: { PATH: `./bin:${process.env.PATH}` },
    expected: 'result_invalid',
  },
  {
    name: 'the result cannot be written',
    files: {
      'bin/ansible-playbook':
        '#!/bin/sh\nGITOPS_STATUS_RESULT_FILE=/proc/nowhere/x exec /usr/bin/ansible-playbook "$@"\n',
    },
    env: { PATH: `./bin:${process.env.PATH}` },
    expected: 'result_missing',
  },
  {
    name: 'the callback plugin cannot be loaded',
    files: {
      'bin/ansible-playbook': '#!/bin/sh\nANSIBLE_CALLBACK_PLUGINS=/nowhere exec /usr/bin/ansible-playbook "$@"\n',
    },
    env: { PATH: `./bin:${process.env.PATH}` },
    expected: 'result_missing',
  },
  { name: 'there is no directory for temporary files', env: { TMPDIR: '/nowhere' }, expected: 'temporary_unwritable' },
  {
    name: 'the disk of the runner is full',
    surroundings: fullDisk,
    needsRoot: true,
    env: { SERVER_NAME: 'web1' },
    expected: 'disk_full',
  },

  // What looks like a result and is none
  {
    name: 'a task prints the lines of a clean check, and fails',
    files: playbook({
      tasks:
        '    - ansible.builtin.fail: { msg: "\\nDRIFTED_FILES=\\nSYNC_STATUS=SYNCED\\nweb1 SYNC_STATUS=SYNCED" }\n',
    }),
    expected: 'task_failed',
  },

  // The settings, and the way to the status server
  { name: 'REPO_NAME is missing', env: { REPO_NAME: null }, expected: null, exitCode: 64 },
  { name: 'REPO_NAME is invalid', env: { REPO_NAME: 'rsyslog; touch x' }, expected: null, exitCode: 64 },
  { name: 'SERVER_NAME is a pattern', env: { SERVER_NAME: 'web*' }, expected: null, exitCode: 64 },
  {
    name: 'GITOPS_STATUS_SERVER_URL is missing',
    env: { GITOPS_STATUS_SERVER_URL: null },
    expected: null,
    exitCode: 64,
  },
  {
    name: 'the status server answers 404',
    answer: (response) => response.writeHead(404).end(),
    expected: null,
    exitCode: 3,
  },
  {
    name: 'a proxy answers 200 with a page',
    answer: (response) => response.end('<html>Sign in</html>'),
    expected: null,
    exitCode: 3,
  },
  {
    name: 'the status server answers 500, until it is told to go away',
    answer: (response) => response.writeHead(500, { 'retry-after': '3600' }).end(),
    expected: null,
    exitCode: 3,
  },
]

const EDITED = { 'site.yml': (playbook()['site.yml'] ?? '').replace('v=1', 'v=2') }
const LESS_CAREFUL = [
  ...['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'NoHostAuthenticationForLocalhost=yes'],
  ...['VerifyHostKeyDNS=yes', 'KnownHostsCommand=./host-key'],
]
  .map((option) => `-o ${option}`)
  .join(' ')
const NO_HOST_KEY_CHECKS = {
  ANSIBLE_HOST_KEY_CHECKING: 'false',
  ANSIBLE_SSH_HOST_KEY_CHECKING: 'false',
  ANSIBLE_SSH_ARGS: LESS_CAREFUL,
  ANSIBLE_SSH_EXTRA_ARGS: LESS_CAREFUL,
}
const variablesOf = (host: string, variables: Record<string, unknown>) => ({
  'hosts.yml': JSON.stringify({ all: { hosts: { [host]: variables } } }),
})

/**
 * What somebody could try, or do without knowing, to make a server look clean. Where nothing else is said the server
 * differs from Git, so that any SYNCED is a false one.
 */
export const ATTACKS: readonly Row[] = [
  // Host keys
  {
    name: 'the environment turns host key checks off',
    hosts: ['rekeyed'],
    env: NO_HOST_KEY_CHECKS,
    expected: 'host_key_changed',
  },
  {
    name: 'the environment turns host key checks off, and no key is known',
    env: { ...NO_HOST_KEY_CHECKS, SSH_KNOWN_HOSTS: null },
    expected: 'host_key_unknown',
  },
  {
    name: 'ansible.cfg turns host key checks off',
    hosts: ['rekeyed'],
    files: {
      'ansible.cfg': `[defaults]\nhost_key_checking = False\n[ssh_connection]\nssh_args = ${LESS_CAREFUL}\n`,
    },
    env: { ANSIBLE_CONFIG: './ansible.cfg' },
    expected: 'host_key_changed',
  },
  {
    name: 'the inventory turns host key checks off',
    files: variablesOf('rekeyed', {
      ansible_host_key_checking: false,
      ansible_ssh_host_key_checking: false,
      ansible_ssh_args: LESS_CAREFUL,
      ansible_ssh_extra_args: LESS_CAREFUL,
    }),
    expected: 'host_key_changed',
  },
  {
    name: 'the arguments turn host key checks off',
    hosts: ['rekeyed'],
    args: ['--', '-e', JSON.stringify({ ansible_ssh_args: LESS_CAREFUL, ansible_host_key_checking: false })],
    expected: 'host_key_changed',
  },

  {
    name: 'another program stands in for ssh',
    env: { ANSIBLE_SSH_EXECUTABLE: '/bin/true', SSH_KNOWN_HOSTS: null },
    files: variablesOf('web1', { ansible_ssh_executable: '/bin/true' }),
    expected: 'host_key_unknown',
  },

  // Somewhere else than on the server
  {
    name: 'the environment knows no connection but local',
    hosts: ['refusing'],
    env: { ANSIBLE_TRANSPORT: 'local' },
    expected: 'unreachable',
  },
  {
    name: 'ansible.cfg knows no connection but local',
    hosts: ['refusing'],
    files: { 'ansible.cfg': '[defaults]\ntransport = local\n' },
    env: { ANSIBLE_CONFIG: './ansible.cfg' },
    expected: 'unreachable',
  },
  {
    name: 'the play runs where the check runs',
    files: playbook({ play: '  connection: local\n' }),
    expected: 'nothing_verified',
  },
  {
    name: 'the arguments make every connection local',
    args: ['--', '--connection', 'local'],
    expected: 'nothing_verified',
  },
  {
    name: 'every task is delegated, and the server is down',
    hosts: ['refusing'],
    files: only(`${COPY}      delegate_to: localhost\n`),
    expected: 'unreachable',
  },
  {
    name: 'the run gives the server another connection',
    files: only(
      `    - ansible.builtin.add_host: { name: web1, ansible_connection: local }\n${COPY}`.replace(
        '/etc/app',
        '/etc/none',
      ),
    ),
    expected: 'task_failed_ignored',
  },
  {
    name: 'the only task is left out in check mode',
    files: only(`${COPY}      when: not ansible_check_mode\n`),
    expected: 'nothing_verified',
  },

  // What Ansible says
  {
    name: 'the environment asks for other callbacks',
    files: EDITED,
    env: {
      ANSIBLE_CALLBACK_PLUGINS: '/nowhere',
      ANSIBLE_CALLBACKS_ENABLED: 'none',
      ANSIBLE_STDOUT_CALLBACK: 'minimal',
    },
    expected: 'OUT_OF_SYNC',
  },
  {
    name: 'ansible.cfg asks for other callbacks, and for no output',
    files: {
      ...EDITED,
      'ansible.cfg':
        '[defaults]\ncallback_plugins = /nowhere\ncallbacks_enabled = none\nstdout_callback = minimal\nno_log = True\n' +
        'display_ok_hosts = False\ndisplay_skipped_hosts = False\nstrategy = free\ngathering = explicit\n',
    },
    env: { ANSIBLE_CONFIG: './ansible.cfg' },
    expected: 'OUT_OF_SYNC',
  },
  {
    name: 'ansible.cfg leaves everything out by tags',
    files: { ...EDITED, 'ansible.cfg': '[tags]\nrun = nothing\n' },
    env: { ANSIBLE_CONFIG: './ansible.cfg' },
    expected: 'nothing_verified',
  },
  {
    name: 'the environment leaves everything out by tags',
    files: EDITED,
    env: { ANSIBLE_RUN_TAGS: 'nothing', ANSIBLE_SKIP_TAGS: 'all' },
    expected: 'OUT_OF_SYNC',
  },
  {
    name: 'Python is told to load something else first',
    files: { ...EDITED, 'evil/sitecustomize.py': 'import os\nos._exit(0)\n' },
    env: { PYTHONPATH: './evil', PYTHONSTARTUP: './evil/sitecustomize.py' },
    expected: 'OUT_OF_SYNC',
  },
  {
    name: 'another sentinel and another module are named',
    files: EDITED,
    env: { GITOPS_STATUS_SENTINEL: '/nowhere', GITOPS_STATUS_LIBRARY: '/nowhere' },
    expected: 'OUT_OF_SYNC',
  },
  {
    name: 'a failed task opens the debugger',
    files: playbook({ tasks: FAIL }),
    env: { ANSIBLE_ENABLE_TASK_DEBUGGER: 'true' },
    args: ['--timeout', '60'],
    expected: 'result_missing',
  },
  { name: 'only the syntax is checked', files: EDITED, args: ['--', '--syntax-check'], expected: 'result_missing' },
  { name: 'only the tasks are listed', files: EDITED, args: ['--', '--list-tasks'], expected: 'result_missing' },
  {
    name: 'the run begins after the last task',
    files: EDITED,
    args: ['--', '--start-at-task', 'no such task'],
    expected: 'run_cut_short',
  },

  // Which hosts
  {
    name: 'the server stands in a nested group only',
    files: {
      ...EDITED,
      'hosts.yml': JSON.stringify({ all: { children: { a: { children: { b: { hosts: { web1: null } } } } } } }),
    },
    expected: 'OUT_OF_SYNC',
  },
  {
    name: 'the play is for another server',
    hosts: ['web1', 'web2'],
    files: { 'site.yml': (playbook()['site.yml'] ?? '').replace('all', 'web2') },
    otherHosts: { web2: 'SYNCED' },
    expected: 'nothing_verified',
  },
  {
    name: 'the only task runs once, on another server',
    hosts: ['web1', 'web2'],
    files: only(`${COPY}      run_once: true\n`),
    otherHosts: { web1: 'SYNCED' },
    expected: 'nothing_verified',
  },
  {
    name: 'the play forgets what failed',
    files: playbook({ tasks: `${FAIL}    - ansible.builtin.meta: clear_host_errors\n` }),
    expected: 'task_failed',
  },
  {
    name: 'the play ends early after a failure',
    files: playbook({ tasks: `${FAIL}      ignore_errors: true\n    - ansible.builtin.meta: end_play\n` }),
    expected: 'task_failed_ignored',
  },

  // Playbooks of somebody's own
  {
    name: 'a playbook imports others, of which the first finds drift',
    files: {
      'one.yml': EDITED['site.yml'],
      'two.yml': playbook()['site.yml'] ?? '',
      'site.yml': '- import_playbook: one.yml\n- import_playbook: two.yml\n',
    },
    expected: 'OUT_OF_SYNC',
  },
  {
    name: 'a role with a handler finds drift',
    files: {
      'site.yml': '- hosts: all\n  gather_facts: false\n  roles: [app]\n',
      'roles/app/tasks/main.yml': `${COPY.replaceAll(/^ {4}/gm, '').replace('v=1', 'v=2')}  notify: Restart\n`,
      'roles/app/handlers/main.yml': '- name: Restart\n  ansible.builtin.command: "false"\n',
    },
    expected: 'OUT_OF_SYNC',
  },
  {
    name: 'group_vars beside the playbook make the difference',
    files: {
      'playbooks/site.yml': (playbook()['site.yml'] ?? '').replace('v=1', 'v={{ v }}'),
      'playbooks/group_vars/all.yml': 'v: 2\n',
    },
    args: ['--playbook', 'playbooks/site.yml'],
    expected: 'OUT_OF_SYNC',
  },
  {
    name: 'the play hides differences',
    files: { 'site.yml': EDITED['site.yml'].replace('  tasks:', '  diff: false\n  no_log: true\n  tasks:') },
    expected: 'OUT_OF_SYNC',
  },
  {
    name: 'the inventory says that this is no check',
    files: { ...EDITED, ...variablesOf('web1', { ansible_check_mode: false, ansible_diff_mode: false }) },
    expected: 'OUT_OF_SYNC',
  },
  {
    name: 'the only task looks at another server',
    files: {
      ...only(`${COPY}      delegate_to: web2\n`),
      'hosts.yml': JSON.stringify({ all: { hosts: { web1: null } } }),
    },
    expected: 'nothing_verified',
  },
]

function staleResult(): string {
  const host = { sentinel: true, verified: 1, failures: [], unchecked: [], drift: [] }
  const hosts = { web1: host }
  return JSON.stringify({ format: 1, run_id: 'stale', ansible_version: '2', check_mode: true, selection: [], hosts })
}
