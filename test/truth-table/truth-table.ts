import type { CheckErrorCode } from '../../src/drift/check-error.ts'
import { type Answer, stored } from '../reporter/check-run.ts'
import { afterAnsibleStarted, fullDisk, killAnsible } from './provoke.ts'

/** Servers of the lab that the rows share: each is in its state before the first row, and stays in it. */
export const SERVERS = ['web1', 'web2', 'web3', 'refusing', 'hanging', 'rekeyed', 'without-python'] as const

export interface Row {
  readonly name: string
  /** `null`: there is no report. */
  readonly expected: CheckErrorCode | null
  /** Other than 1, which means UNKNOWN. */
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

const SLOW = '    - ansible.builtin.wait_for: { port: 1, timeout: 300 }\n'
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
const config = (lines: string) => ({ 'ansible.cfg': lines })

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
    env: { ANSIBLE_REMOTE_TEMP: '/mnt/full', ANSIBLE_PIPELINING: 'false' },
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
      tasks: '    - ansible.builtin.copy: { content: x, dest: /no/such/directory/x }\n      failed_when: false\n',
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
    expected: 'result_missing',
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
    files: { 'bin/node': '#!/bin/sh\n' },
    env: { PATH: '/nowhere' },
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

/** A row that says nothing else is a clean run, which is SYNCED: see the control rows. */
export const CLEAN: Row = { name: 'a clean server', expected: null, answer: stored }

function staleResult(): string {
  const host = { sentinel: true, verified: 1, failures: [], unchecked: [], drift: [] }
  const hosts = { web1: host }
  return JSON.stringify({ format: 1, run_id: 'stale', ansible_version: '2', check_mode: true, selection: [], hosts })
}
